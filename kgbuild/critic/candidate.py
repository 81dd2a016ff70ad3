"""What a critic is shown: a triple's text and, when there is one, its teacher's evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from kgbuild.core.records import LabelledTriple, SilverTriple, Triple


class TeacherSums(Protocol):
    """A record that carries what the teacher computed: a provenance, a label, an edge."""

    @property
    def log_probability(self) -> float:
        """Sum over the tail's tokens, in nats."""

    @property
    def mean_log_probability(self) -> float:
        """The same a token."""

    @property
    def prior_log_probability(self) -> float | None:
        """The sum after the head-free prompt, if it was asked."""

    @property
    def tokens(self) -> int:
        """Number of tokens; 0 if nobody generated them."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the teacher already computed while it wrote the tail, in nats a token."""

    mean_log_probability: float
    gain: float | None
    tokens: int

    @classmethod
    def of(cls, sums: TeacherSums) -> Evidence | None:
        """Make evidence of a triple's sums; none where nobody generated it, as of imported ones.

        The gain is how much the head helped: the conditional minus the head-free
        log-probability, a token. A tail that fits every head gains nothing.

        >>> from types import SimpleNamespace
        >>> sums = SimpleNamespace(log_probability=-4.0, mean_log_probability=-1.0,
        ...                        prior_log_probability=-6.0, tokens=4)
        >>> Evidence.of(sums).gain
        0.5
        """
        if sums.tokens <= 0:
            return None
        prior = sums.prior_log_probability
        gain = None if prior is None else (sums.log_probability - prior) / sums.tokens
        return cls(sums.mean_log_probability, gain, sums.tokens)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One triple to judge. A triple that a user brings has no evidence.

    Without a relation, the head is a whole sentence, which is judged as it stands.
    """

    head: str
    relation: str
    tail: str
    evidence: Evidence | None = None

    @classmethod
    def of(cls, record: Triple | LabelledTriple | SilverTriple) -> Candidate:
        """Make a candidate of any record that carries a teacher's log-probabilities."""
        source = record.provenance if isinstance(record, Triple) else record
        return cls(record.head, record.relation, record.tail, Evidence.of(source))

    @classmethod
    def sentence(cls, text: str) -> Candidate:
        """Make a candidate of a bare sentence.

        >>> Candidate.sentence("He put milk on his cereal.").relation
        ''
        """
        return cls(text, "", "")

    def without_evidence(self) -> Candidate:
        """Give the same triple as a user would bring it."""
        return Candidate(self.head, self.relation, self.tail)
