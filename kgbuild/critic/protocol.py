"""What every critic can do, whatever it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from kgbuild.critic.candidate import Candidate
from kgbuild.critic.thresholds import Thresholds

# Candidates worth showing to a critic together: it reads what they begin alike with once.
TOGETHER = 2048


class Opinion(NamedTuple):
    """A calibrated probability of acceptance and the logit it came from."""

    probability: float
    logit: float


class Critic(Protocol):
    """Gives each candidate a calibrated probability; knows where to cut."""

    @property
    def key(self) -> str:
        """Content key: the same for the same weights, calibration and thresholds."""
        ...

    @property
    def thresholds(self) -> Thresholds:
        """Where to cut, per relation and by default."""
        ...

    def score(self, candidates: Sequence[Candidate]) -> list[Opinion]:
        """Judge candidates, in their order.

        The answer does not depend on the company, but for what bfloat16 rounds away (about a tenth
        of a logit at most).
        """
        ...
