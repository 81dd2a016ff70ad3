"""Making probabilities mean what they say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from kgbuild.core.records import Record

Floats = npt.NDArray[np.float64]

_EDGE = 1e-6


class Calibration(Record):
    """A temperature and a shift of logits, and what precedents count for beside them."""

    temperature: float = 1.0
    shift: float = 0.0
    precedents: float = 0.0

    def apply(self, logits: Floats, precedents: Floats | float = 0.0) -> Floats:
        """Turn raw logits into probabilities strictly between 0 and 1.

        Args:
            logits: What the network says.
            precedents: Log-odds of acceptance among like triples, where they are remembered.
        """
        scaled = logits / self.temperature + self.precedents * precedents + self.shift
        scaled = np.clip(scaled, -30.0, 30.0)
        return np.clip(1.0 / (1.0 + np.exp(-scaled)), _EDGE, 1.0 - _EDGE)


def fit_calibration(
    logits: Sequence[float],
    accepted: Sequence[bool],
    *,
    precedents: Sequence[float] | None = None,
) -> Calibration:
    """Find the temperature, shift and weight under which the labels are most likely.

    Three numbers cannot overfit a few hundred labels. The shift is there because a critic taught
    by a judge starts from the judge's rate of yes, not from the labellers'. The weight is how
    much the precedents add to what the network already knows (stacking, Wolpert 1992).
    """
    from scipy.optimize import minimize

    values = np.asarray(logits, dtype=np.float64)
    truth = np.asarray(accepted, dtype=np.float64)
    votes = np.zeros_like(values) if precedents is None else np.asarray(precedents, np.float64)

    def loss(point: Floats) -> float:
        scaled = values * np.exp(point[0]) + point[1] + point[2] * votes
        likelihood = np.logaddexp(0.0, scaled) - truth * scaled
        # A weak pull to temperature 1 keeps separable labels from infinite confidence.
        return float(likelihood.mean() + 1e-3 * float(np.square(point).sum()))

    # A precedent never speaks against itself.
    found = minimize(loss, np.zeros(3), method="L-BFGS-B", bounds=[(-3, 3), (-5, 5), (0, 2)])
    return Calibration(
        temperature=float(np.exp(-found.x[0])),
        shift=float(found.x[1]),
        precedents=float(found.x[2]),
    )


def calibration_error(probabilities: Floats, accepted: Floats, *, bins: int = 10) -> float:
    """Measure the expected calibration error over bins of equal width (Guo et al. 2017).

    >>> calibration_error(np.array([0.9, 0.9, 0.9, 0.9]), np.array([1.0, 1.0, 1.0, 0.0]))
    0.15
    """
    places = np.minimum((probabilities * bins).astype(int), bins - 1)
    total = 0.0
    for place in range(bins):
        chosen = places == place
        if chosen.any():
            gap = abs(float(accepted[chosen].mean()) - float(probabilities[chosen].mean()))
            total += gap * float(chosen.mean())
    return round(total, 12)
