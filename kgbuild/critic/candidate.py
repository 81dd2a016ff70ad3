"""What a critic is shown: a triple's text and, when there is one, its teacher's evidence."""

from __future__ import annotations

from dataclasses import dataclass

from kgbuild.core.records import LabelledTriple, SilverTriple, Triple


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the teacher already computed while it wrote the tail, in nats a token."""

    mean_log_probability: float
    gain: float | None
    tokens: int

    @classmethod
    def of(cls, log_probability: float, mean: float, prior: float | None, tokens: int) -> Evidence:
        """Make evidence of a triple's sums.

        The gain is how much the head helped: the conditional minus the head-free
        log-probability, a token. A tail that fits every head gains nothing.

        >>> Evidence.of(-4.0, -1.0, -6.0, 4).gain
        0.5
        """
        gain = None if prior is None else (log_probability - prior) / max(tokens, 1)
        return cls(mean_log_probability=mean, gain=gain, tokens=tokens)


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
        evidence = None
        # Imported triples carry zero tokens: nobody generated them.
        if source.tokens > 0:
            evidence = Evidence.of(
                source.log_probability,
                source.mean_log_probability,
                source.prior_log_probability,
                source.tokens,
            )
        return cls(record.head, record.relation, record.tail, evidence)

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
