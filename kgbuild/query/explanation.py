"""Why a triple is in the graph, or why it is not: everything that a run knows of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field

from kgbuild.core.records import HeadKind, Record


class Status(StrEnum):
    """Where a triple ended."""

    STORED = "stored"
    MERGED = "merged"
    REJECTED = "rejected"
    PENDING = "pending"


class Question(Record):
    """What the teacher was asked, word for word."""

    prompt_id: str
    prompt: str = Field(description="The whole text that the teacher read")
    shots: tuple[str, ...] = Field(description="The few-shot lines above the question")
    question: str = Field(description="The last line, which the teacher went on from")
    rotation: int = Field(description="Which choice of shots it was")
    prior_question: str = Field(description="The head-free line that the prior was taken after")


class Generation(Record):
    """How the tail was written."""

    source: str
    teacher: str
    teacher_hash: str
    prompt_id: str
    decoding: str = Field(description="beam or sample, and the key of the settings")
    settings: dict[str, Any] = Field(description="The decoding settings; empty if not known")
    log_probability: float
    mean_log_probability: float
    prior_log_probability: float | None
    tokens: int
    clauses: int
    clauses_met: int
    relation_clauses: tuple[str, ...] = Field(
        default=(), description="The relation's own clauses in words, as its pack has them"
    )
    rank: int = Field(description="Place in the n-best list of its prompt, 0 is best")
    round: int


class Judgement(Record):
    """What the critic said."""

    probability: float
    threshold: float
    is_accepted: bool
    critic: str
    logit: float | None = None
    promise: str = Field(default="", description="Precision and confidence that were promised")


class Member(Record):
    """One tail of a cluster."""

    triple_id: str
    tail: str
    similarity: float = Field(description="Cosine to the representative")
    reason: str = Field(description="representative, exact, semantic or in_graph")
    probability: float | None = None


class Cluster(Record):
    """The tails that were taken for one, the representative first."""

    cluster_id: str
    representative: str
    size: int
    members: tuple[Member, ...] = ()


class RunFacts(Record):
    """The run that the triple came from."""

    run: str
    round: int
    name: str = ""
    folder: str = ""
    version: str = ""


class ReviewNote(Record):
    """One thing that a person decided about a triple."""

    what: str = Field(description="imported, label WORD, rejected, edited, undone, accepted, ...")
    by: str
    at: str
    why: str = ""
    said: str = Field(description="The same in words")


class Explanation(Record):
    """The whole provenance of one triple.

    Parts that never came to be are empty: a triple that the parser dropped has no judgement, a
    bare graph store without its run folder knows no prompt.
    """

    triple_id: str
    head: str
    relation: str
    tail: str
    kind: HeadKind | None
    sentence: str
    status: Status
    summary: str = Field(description="The answer in one sentence")
    stage: str = Field(default="", description="The stage that dropped it, if one did")
    reason: str = Field(default="", description="A short fixed word such as below_threshold")
    detail: str = ""
    head_source: str = Field(default="", description="Where the head was read")
    question: Question | None = None
    generation: Generation | None = None
    judgement: Judgement | None = None
    cluster: Cluster | None = None
    run: RunFacts | None = None
    review: tuple[ReviewNote, ...] = Field(default=(), description="What people decided, in order")
