"""The records that pass from room to room, each defined once.

Frozen pydantic models that forbid unknown fields. A stage never edits a record: it writes its
own, keyed by `triple_id`. The Arrow schema of a shard is derived from them (`core.shards`).
"""

from __future__ import annotations

from pydantic import Field, model_validator

from kgbuild.core.ids import phrase_id, triple_id
from kgbuild.core.record import HeadKind as HeadKind
from kgbuild.core.record import Label as Label
from kgbuild.core.record import Record as Record
from kgbuild.core.record import Split as Split


class Head(Record):
    """An event or a concept to ask the teacher about."""

    head_id: str
    text: str
    kind: HeadKind
    source: str = Field(description="The file and line, or the document, it was read from")
    relations: tuple[str, ...] = Field(
        default=(), description="Relations to ask for; empty means all of the head's kind"
    )

    @classmethod
    def of(cls, text: str, kind: HeadKind, *, source: str, relations: tuple[str, ...] = ()) -> Head:
        """Make a head whose id follows from its text."""
        return cls(
            head_id=phrase_id(text), text=text, kind=kind, source=source, relations=relations
        )


class Provenance(Record):
    """How one triple came to be: enough to ask the same question again."""

    source: str = Field(description="teacher, labels, import: where the triple came from")
    teacher: str = Field(description="Name of the language model")
    teacher_hash: str = Field(description="sha256 of the model's weight file")
    prompt_id: str = Field(description="Key of the prompt text; the run's prompts hold it in full")
    decoding: str = Field(description="beam or sample, and the key of its settings")
    log_probability: float = Field(description="Sum over the completion's tokens, in nats")
    mean_log_probability: float = Field(description="Mean over the completion's tokens, in nats")
    prior_log_probability: float | None = Field(
        default=None, description="The same sum after the head-free prompt, in nats"
    )
    tokens: int = Field(description="Number of completion tokens, the end token included")
    clauses: int = Field(description="Number of clauses asked for")
    clauses_met: int = Field(description="Number of clauses met")
    rank: int = Field(default=0, description="Place in the n-best list of its prompt, 0 is best")
    run: str = Field(default="", description="Id of the run")
    round: int = Field(default=0, description="Self-imitation round, 0 is the first teacher")


class Triple(Record):
    """A head, a relation and a tail, with where they came from."""

    triple_id: str
    head: str
    relation: str
    tail: str
    kind: HeadKind
    provenance: Provenance

    @classmethod
    def of(
        cls, head: str, relation: str, tail: str, *, kind: HeadKind, provenance: Provenance
    ) -> Triple:
        """Make a triple whose id follows from its text."""
        return cls(
            triple_id=triple_id(head, relation, tail),
            head=head,
            relation=relation,
            tail=tail,
            kind=kind,
            provenance=provenance,
        )


class Rejection(Record):
    """Something that was dropped, where and why."""

    stage: str
    reason: str = Field(description="A short fixed word such as clause_unmet or below_threshold")
    detail: str = ""
    head: str = ""
    relation: str = ""
    text: str = Field(default="", description="The tail, completion or line that was dropped")
    triple_id: str = ""


class Score(Record):
    """The critic's calibrated probability that a triple is accepted."""

    triple_id: str
    probability: float
    logit: float
    critic: str = Field(description="Content key of the critic")


class Verdict(Record):
    """The critic's decision on one triple."""

    triple_id: str
    probability: float
    threshold: float
    is_accepted: bool
    critic: str
    promise: str = Field(default="", description="Precision and confidence that were promised")

    @property
    def shortfall(self) -> str:
        """Why it was not accepted, in words."""
        return f"{self.probability:.4f} is under {self.threshold:.4f}"


class Merge(Record):
    """The place of one accepted triple in its cluster; the representative points at itself."""

    triple_id: str
    cluster_id: str = Field(description="The triple_id of the representative")
    similarity: float = Field(description="Cosine to the representative, 1.0 for itself")
    reason: str = Field(description="representative, exact, semantic or in_graph")


class Edge(Record):
    """One stored triple with all that a query may ask of it. Flat: a row of the graph."""

    triple_id: str
    head_id: str
    tail_id: str
    head: str
    relation: str
    tail: str
    kind: HeadKind
    polarity: str
    sentence: str
    probability: float
    threshold: float
    cluster_size: int
    source: str
    teacher: str
    teacher_hash: str
    prompt_id: str
    decoding: str
    log_probability: float
    mean_log_probability: float
    prior_log_probability: float | None
    tokens: int
    clauses: int
    clauses_met: int
    rank: int
    critic: str
    run: str
    round: int
    promise: str = Field(default="", description="Precision and confidence that were promised")


class CorpusRow(Record):
    """One line of an exported corpus."""

    triple_id: str
    head: str
    relation: str
    tail: str
    kind: HeadKind
    polarity: str
    sentence: str
    probability: float
    log_probability: float
    mean_log_probability: float
    teacher: str
    source: str
    run: str
    split: Split
    promise: str = Field(default="", description="Precision and confidence that were promised")


class LabelledTriple(Record):
    """One judgement of one triple. Labels are append-only: a change is a new row."""

    triple_id: str
    head: str
    relation: str
    tail: str
    kind: HeadKind
    sentence: str = Field(description="What the labeller was shown")
    label: Label
    harm: bool = False
    labeller: str
    labelled_at: str = Field(description="UTC date or time, ISO 8601")
    guideline: int
    arm: str = Field(description="How the candidate was generated: prompt and decoding arm")
    teacher: str
    log_probability: float
    mean_log_probability: float
    prior_log_probability: float | None = None
    tokens: int
    comment: str = Field(default="", description="What the labeller wrote beside it")
    chosen_by: str = Field(
        default="",
        description="Why it was asked: random, uncertain, diverse or again; estimates of rates "
        "take random rows only. Empty: no session chose it",
    )
    seconds: float | None = Field(default=None, description="Time that the labeller took")
    is_retraction: bool = Field(
        default=False,
        description="Takes back the labeller's latest row of this triple above it in the file",
    )


class Tombstone(Record):
    """Keeps one triple, or all of a teacher or a run, out of the graph. Append-only."""

    triple_id: str = ""
    teacher: str = ""
    run: str = ""
    head: str = Field(default="", description="The triple's text, for people who read the file")
    relation: str = ""
    tail: str = ""
    is_lifted: bool = Field(default=False, description="Takes back the earlier one of the same")
    reason: str = Field(description="rejected, edited, undone, accepted or restored")
    why: str = Field(default="", description="What the person wrote")
    by: str
    at: str = Field(description="UTC time, ISO 8601")

    @model_validator(mode="after")
    def _check(self) -> Tombstone:
        if sum(map(bool, (self.triple_id, self.teacher, self.run))) != 1:
            raise ValueError("a tombstone names a triple_id, a teacher or a run, and only one")
        return self

    @property
    def selector(self) -> tuple[str, str]:
        """What it speaks of: the name of a field and its value."""
        kind = next(name for name in ("triple_id", "teacher", "run") if getattr(self, name))
        return kind, getattr(self, kind)


class SilverTriple(Record):
    """The soft verdict of a large judge on one triple. Teaches a critic, never tests it."""

    triple_id: str
    head: str
    relation: str
    tail: str
    kind: HeadKind
    sentence: str = Field(description="What the judge was shown")
    probability: float = Field(
        ge=0, le=1, description="Odds of yes against no, as the judge gave them"
    )
    judge: str = Field(description="Name of the judging language model")
    judge_hash: str = Field(description="sha256 of the judge's weights")
    prompt_id: str = Field(description="Key of the judge's prompt, kept in the data card")
    arm: str = Field(default="", description="How the candidate was generated")
    teacher: str = ""
    log_probability: float
    mean_log_probability: float
    prior_log_probability: float | None = None
    tokens: int
