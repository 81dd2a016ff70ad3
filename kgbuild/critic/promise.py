"""What was promised of a critic's verdicts, relation by relation, and what was refused."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kgbuild.core.records import Record
from kgbuild.critic.thresholds import NOTHING, Thresholds

Scope = Literal["each", "all", "graph"]

WHOLE = ""


class Promise(Record):
    """What the held-out labels of one relation, or of the whole graph, allow to promise."""

    relation: str = Field(description="Empty for the graph as a whole")
    heads: int = Field(description="Held-out heads with a label of this relation")
    labels: int = Field(description="Their labels")
    threshold: float = Field(default=NOTHING, description="1.0 accepts nothing")
    kept_heads: int = Field(default=0, description="Heads with a kept triple; one is drawn of each")
    right_heads: int = Field(default=0, description="Of the drawn triples, those that are right")
    kept_labels: int = 0
    right_labels: int = 0
    low: float | None = Field(
        default=None, description="Lower end of the precision by Clopper and Pearson (1934)"
    )
    more_heads: int | None = Field(
        default=None,
        description="Further heads to label until the promise could be given at today's rates",
    )
    more_labels: int | None = Field(default=None, description="The same in labels")
    why: str = Field(default="", description="Why it is refused; empty if it is given")

    @property
    def is_given(self) -> bool:
        """Whether something may be accepted under it."""
        return not self.why


class Guarantee(Record):
    """A promise of precision and all that it rests on.

    With probability `confidence` over the draw of the held-out heads, the precision of what is
    kept is at least `precision`: of every relation by itself (`each`), of all relations at once
    (`all`), or of the graph as a whole (`graph`).
    """

    precision: float
    confidence: float
    scope: Scope
    heads: int = Field(description="Held-out heads that chose the thresholds")
    labels: int = Field(description="Their labels")
    is_fitted: bool = Field(
        default=False, description="Whether the same labels have fitted the calibration"
    )
    chosen_labels: int = Field(
        default=0, description="Left out: labels that were not drawn at random"
    )
    seen_labels: int = Field(default=0, description="Left out: labels that the critic learned from")
    promises: tuple[Promise, ...]
    relations: tuple[str, ...] = Field(
        description="Relations with held-out labels; nothing else is accepted"
    )
    encoder: str = Field(default="", description="sha256 of the encoder of the profile's vectors")
    profile_hash: str = Field(default="", description="sha256 of the profile's file")

    @property
    def text(self) -> str:
        """The promise as an edge bears it.

        >>> Guarantee(precision=0.9, confidence=0.95, scope="each", heads=0, labels=0,
        ...           promises=(), relations=()).text
        '0.90@0.95 each'
        """
        return f"{_short(self.precision)}@{_short(self.confidence)} {self.scope}"

    def of(self, relation: str) -> Promise | None:
        """Give what is promised or refused of a relation; None where it has no labels."""
        wanted = WHOLE if self.scope == "graph" else relation
        if self.scope == "graph" and relation not in self.relations:
            return None
        return next((one for one in self.promises if one.relation == wanted), None)

    def promised(self) -> dict[str, str]:
        """Give the text of the promise for every relation that has it."""
        return {
            name: self.text
            for name in self.relations
            if (found := self.of(name)) is not None and found.is_given
        }

    def thresholds(self) -> Thresholds:
        """Give the cuts of the promise; what is refused or has no labels accepts nothing."""
        found = {name: self.of(name) for name in self.relations}
        return Thresholds(
            default=NOTHING,
            by_relation={name: one.threshold if one else NOTHING for name, one in found.items()},
            origins={
                name: "promised" if one is not None and one.is_given else "refused"
                for name, one in found.items()
            },
            is_target_met=any(one.is_given for one in self.promises),
        )


def _short(share: float) -> str:
    """Give a share with the digits that it has, at least two behind the point."""
    exact = f"{share:.6f}".rstrip("0")
    return exact if len(exact) > 4 else f"{share:.2f}"
