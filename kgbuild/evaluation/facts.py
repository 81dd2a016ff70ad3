"""All that a report says, as one record: `report.json` is exactly this."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from kgbuild.core.records import Record


class StageCost(Record):
    """What one stage took when it was made."""

    stage: str
    seconds: float
    peak_mib: float


class RelationCount(Record):
    """What became of one relation's triples."""

    relation: str
    asked: int
    parsed: int
    accepted: int
    stored: int


class PromiseRow(Record):
    """What was promised of one relation, and what its test labels say."""

    relation: str = Field(description="Empty for the graph as a whole")
    standing: str = Field(description="promised, withdrawn, refused or untested")
    threshold: float
    low: float | None = Field(description="Lower end of the precision on the labels that chose it")
    kept: int = Field(description="Test labels kept")
    right: int = Field(description="Those of them that are right")
    more_labels: int | None = Field(description="Labels until it could be promised")
    why: str = Field(default="", description="Why it is refused")


class PromiseFacts(Record):
    """A promise of precision in one run: what stands, what was withdrawn, what was measured."""

    text: str
    precision: float
    confidence: float
    rows: tuple[PromiseRow, ...]
    advice: str = Field(default="", description="What to label, where it was withdrawn")


class Sample(Record):
    """A triple as a person reads it."""

    sentence: str
    relation: str
    probability: float
    threshold: float


class RunFacts(Record):
    """The figures of one run."""

    name: str
    run_id: str
    teacher: str
    teacher_hash: str
    counts: dict[str, int] = Field(description="Through the stages: asked ... stored")
    rejected: dict[str, int] = Field(description="Dropped, by reason")
    relations: tuple[RelationCount, ...]
    scores: tuple[float, ...] = Field(description="Ten bins of the critic's probability")
    diversity: dict[str, float]
    measured_edges: int = Field(
        default=0, description="Edges that diversity and novelty were measured on: whole heads"
    )
    novelty: dict[str, float] = Field(default={}, description="Empty without a reference")
    constraint_satisfaction: float = Field(description="Share of parsed tails, all clauses met")
    critic: dict[str, Any] = Field(default={}, description="The critic's own report")
    promise: PromiseFacts | None = Field(
        default=None, description="What the critic promised, if it did"
    )
    accepted: tuple[Sample, ...]
    refused: tuple[Sample, ...]
    stages: tuple[StageCost, ...]
    student_loss: tuple[float, ...] = ()
    student: dict[str, Any] = Field(default={}, description="Held-out figures of the student")
