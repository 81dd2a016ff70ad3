"""The teacher's evidence as numbers of like size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kgbuild.critic.candidate import Evidence

EVIDENCE_WIDTH = 5


@dataclass(frozen=True)
class Scaler:
    """Means and spreads of the teacher's evidence, from training triples."""

    means: tuple[float, ...] = (0.0, 0.0, 0.0)
    spreads: tuple[float, ...] = (1.0, 1.0, 1.0)

    @classmethod
    def fit(cls, given: Sequence[Evidence | None]) -> Scaler:
        """Measure training evidence; what is never given keeps mean 0 and spread 1."""
        columns = list(zip(*(_numbers(one) for one in given if one is not None), strict=True))
        means, spreads = [], []
        for column in columns or [(), (), ()]:
            values = np.asarray([value for value in column if value is not None], dtype=np.float64)
            means.append(float(values.mean()) if values.size else 0.0)
            spread = float(values.std()) if values.size > 1 else 1.0
            spreads.append(spread if spread > 1e-6 else 1.0)
        return cls(tuple(means), tuple(spreads))

    def apply(self, evidence: Evidence | None) -> list[float]:
        """Give three standardised numbers and two flags; all zero when nothing is known."""
        if evidence is None:
            return [0.0] * EVIDENCE_WIDTH
        scaled = [
            0.0 if value is None else float(np.clip((value - mean) / spread, -4.0, 4.0))
            for value, mean, spread in zip(
                _numbers(evidence), self.means, self.spreads, strict=True
            )
        ]
        return [*scaled, 1.0, float(evidence.gain is not None)]


def _numbers(evidence: Evidence) -> tuple[float | None, ...]:
    return evidence.mean_log_probability, evidence.gain, float(evidence.tokens)
