"""What a labeller is asked."""

from __future__ import annotations

from pydantic import Field

from kgbuild.core.records import HeadKind, LabelledTriple, Record, Triple

RANDOM, UNCERTAIN, DIVERSE, AGAIN = "random", "uncertain", "diverse", "again"


class Question(Record):
    """One verbalised triple to judge. Shown is `sentence` and nothing else.

    A relation's name or a score would sway the answer, so there is no score here, and what the
    teacher computed is only carried on to the label row.
    """

    triple_id: str
    head: str
    relation: str
    tail: str
    kind: HeadKind
    sentence: str
    chosen_by: str = Field(default=RANDOM, description="random, uncertain, diverse or again")
    arm: str = ""
    teacher: str = ""
    log_probability: float = 0.0
    mean_log_probability: float = 0.0
    prior_log_probability: float | None = None
    tokens: int = Field(default=0, description="0: nobody generated it, so there is no evidence")

    @classmethod
    def of_triple(cls, triple: Triple, *, sentence: str) -> Question:
        """Ask about a triple of a run."""
        source = triple.provenance
        return cls(
            triple_id=triple.triple_id,
            head=triple.head,
            relation=triple.relation,
            tail=triple.tail,
            kind=triple.kind,
            sentence=sentence,
            arm=source.decoding,
            teacher=source.teacher,
            log_probability=source.log_probability,
            mean_log_probability=source.mean_log_probability,
            prior_log_probability=source.prior_log_probability,
            tokens=source.tokens,
        )

    @classmethod
    def of_label(cls, row: LabelledTriple, *, chosen_by: str = RANDOM) -> Question:
        """Ask once more about a triple that was judged, in the same words."""
        carried = row.model_dump(include=set(cls.model_fields) - {"chosen_by"})
        return cls(**carried, chosen_by=chosen_by)
