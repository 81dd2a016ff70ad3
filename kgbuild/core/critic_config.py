"""The knobs of the critic."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kgbuild.core.section import Section


class CriticConfig(Section):
    """The classifier that accepts or rejects triples."""

    folder: str | None = Field(
        default=None,
        description="A finished critic, such as kgbuild critic calibrate makes; empty trains one",
    )
    backbone: str = Field(
        default="smollm2",
        description="Language model (LoRA) or sentence encoder (all of it): catalogue name or path",
    )
    question: str | None = Field(
        default=None,
        description="Asked of an instruction model, with {sentence}: its odds of yes are where "
        "training starts; empty reads the sentence alone",
    )
    dtype: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto",
        description="Type of a language model's weights; auto is bfloat16 on processors that "
        "multiply it in hardware",
    )
    start: str | None = Field(
        default="data/critic",
        description="Trained critic of the same backbone to go on from; empty starts anew",
    )
    precedents: str | None = Field(
        default="minilm",
        description="Sentence encoder that finds judged triples like a new one; empty does without",
    )
    labels: tuple[str, ...] = Field(
        default=("data/labels",), description="Folders or files of judged triples"
    )
    silver: tuple[str, ...] = Field(
        default=(), description="Folders or files of a judge's soft verdicts"
    )
    silver_epochs: int = Field(default=2, ge=0, description="Passes over the judge's verdicts")
    silver_rate: float = Field(default=5e-5, gt=0, description="Peak learning rate on silver")
    epochs: int = Field(default=1, ge=0, description="Passes over the labelled triples")
    max_steps: int = Field(
        default=12, ge=0, description="Stop after this many steps on labels; 0 is no limit"
    )
    learning_rate: float = Field(
        default=2e-5,
        gt=0,
        description="Peak learning rate on labels; 3e-4 where training starts anew",
    )
    decay: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="Share of the steps, the last ones, over which the rate falls to zero",
    )
    batch_size: int = Field(default=64, ge=1, description="Triples a step")
    loss: Literal["cross_entropy", "generalised", "symmetric"] = Field(
        default="cross_entropy", description="The other two forgive wrong labels"
    )
    adversarial: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Wrong triples made of right ones, as a share of the accepted labels",
    )
    unlabelled: tuple[str, ...] = Field(
        default=(), description="Candidate files that pseudo-labels are drawn from"
    )
    pseudo_rounds: int = Field(default=0, ge=0, description="Passes with pseudo-labels")
    pseudo_confidence: float = Field(
        default=0.9, ge=0.5, le=1, description="A pseudo-label must be this sure"
    )
    lora_rank: int = Field(default=16, ge=1, description="Rank of a language model's adapter")
    frozen_share: float = Field(
        default=0.25, ge=0, le=1, description="Share of the layers, the lowest, left as they are"
    )
    evidence_dropout: float = Field(
        default=0.5, ge=0, le=1, description="How often training hides the teacher's evidence"
    )
    max_tokens: int = Field(default=64, ge=8, le=512, description="A longer sentence is cut")
    calibration: Literal["platt", "temperature", "isotonic"] = Field(
        default="platt",
        description="How probabilities are fitted to held-out labels: a temperature and a shift, "
        "the temperature alone, or any rising curve on top",
    )
    confidence: float = Field(
        default=0.8, gt=0, lt=1, description="How sure a threshold must be of its precision"
    )
    when_unmet: Literal["best", "nothing"] = Field(
        default="best",
        description="No threshold reaches the target: take the surest one, or accept nothing",
    )
    prior_labels: float = Field(
        default=10.0, ge=0.1, description="Labels that the calibrated probabilities count for"
    )
    target_precision: float = Field(
        default=0.9, gt=0, lt=1, description="Precision that the thresholds aim at"
    )
    min_yield: float = Field(
        default=0.2, ge=0, le=1, description="Share of the plausible labels that a cut must keep"
    )
    min_relation_labels: int = Field(
        default=40, ge=1, description="Fewer validation labels fall back to the global threshold"
    )
    threshold: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Fixed threshold for every relation; empty uses the trained ones",
    )
    seed: int = Field(default=13, description="Seed of initial weights and order")
