"""A critic that reads its opinions from a table: the double for tests and dry runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from kgbuild.core.errors import CriticError
from kgbuild.core.ids import content_key, triple_id
from kgbuild.critic.candidate import Candidate
from kgbuild.critic.profile import Profile
from kgbuild.critic.promise import Guarantee
from kgbuild.critic.protocol import Opinion
from kgbuild.critic.thresholds import Thresholds


class TableScorer:
    """Answers from given probabilities, and counts what it was asked.

    >>> table = TableScorer({("rain", "Causes", "wet streets"): 0.75})
    >>> table.score([Candidate("rain", "Causes", "wet streets")])[0].probability
    0.75
    """

    def __init__(
        self,
        table: Mapping[tuple[str, str, str], float],
        *,
        default: float = 0.5,
        thresholds: Thresholds | None = None,
        guarantee: tuple[Guarantee, Profile] | None = None,
    ) -> None:
        for triple, probability in [*table.items(), (("", "", ""), default)]:
            if not 0 < probability < 1:
                raise CriticError(
                    f"{triple} has probability {probability}; give one between 0 and 1"
                )
        self._table = {triple_id(*triple): value for triple, value in table.items()}
        self._default = default
        if guarantee is not None:
            thresholds = guarantee[0].thresholds()
        self._thresholds = thresholds or Thresholds(default=0.5)
        self.guarantee = guarantee
        self.asked = 0

    @property
    def key(self) -> str:
        """Content key of the table."""
        return content_key([self._table, self._default, self._thresholds.model_dump()])

    @property
    def thresholds(self) -> Thresholds:
        """Where to cut."""
        return self._thresholds

    def score(self, candidates: Sequence[Candidate]) -> list[Opinion]:
        """Look candidates up, in their order."""
        self.asked += len(candidates)
        return [self._opinion(candidate) for candidate in candidates]

    def _opinion(self, candidate: Candidate) -> Opinion:
        identity = triple_id(candidate.head, candidate.relation, candidate.tail)
        probability = self._table.get(identity, self._default)
        return Opinion(probability, math.log(probability / (1 - probability)))
