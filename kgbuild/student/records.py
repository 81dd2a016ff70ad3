"""What a training tells while it runs and leaves behind when it is done."""

from __future__ import annotations

from pydantic import Field

from kgbuild.core.base_weights import BaseWeights
from kgbuild.core.records import Record, Split
from kgbuild.core.relations import Relation


class TrainStep(Record):
    """One optimiser step."""

    step: int = Field(description="Number of this step, from 1")
    total: int = Field(description="Number of steps of the whole training")
    epoch: int = Field(description="Pass over the train rows, from 0")
    loss: float = Field(description="Mean over the tail tokens of the batch, in nats")
    learning_rate: float
    tokens: int = Field(description="Tail tokens that the loss was taken from")


class HeldOut(Record):
    """How well the student knows rows of heads it never saw."""

    split: Split
    rows: int
    loss_before: float = Field(description="Base model, mean over tail tokens, in nats")
    loss_after: float
    perplexity_before: float
    perplexity_after: float
    prompts: int = Field(description="Head and relation pairs that a tail was generated for")
    bleu_1: float
    bleu_2: float
    rouge_l: float
    exact_match: float


class StudentCard(Record):
    """What `student.json` says; it is written last, so its presence means a whole student."""

    version: int = 1
    key: str = Field(description="Content key of rows, relations, base and settings")
    method: str
    base: BaseWeights
    steps: int
    train_rows: int
    relations: tuple[Relation, ...] = Field(description="As they were when it was trained")
    curve: tuple[TrainStep, ...] = ()
    held_out: tuple[HeldOut, ...] = ()
