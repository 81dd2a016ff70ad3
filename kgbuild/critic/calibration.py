"""Making probabilities mean what they say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from kgbuild.core.records import Record

Floats = npt.NDArray[np.float64]

_EDGE = 1e-6


class Calibration(Record):
    """A temperature and a shift of logits."""

    temperature: float = 1.0
    shift: float = 0.0

    def apply(self, logits: Floats) -> Floats:
        """Turn raw logits into probabilities strictly between 0 and 1."""
        scaled = np.clip(logits / self.temperature + self.shift, -30.0, 30.0)
        return np.clip(1.0 / (1.0 + np.exp(-scaled)), _EDGE, 1.0 - _EDGE)


def fit_calibration(logits: Sequence[float], accepted: Sequence[bool]) -> Calibration:
    """Find the temperature and shift under which the labels are most likely.

    Two numbers cannot overfit a few hundred labels. The shift is there because a critic taught
    by a judge starts from the judge's rate of yes, not from the labellers'.
    """
    from scipy.optimize import minimize

    values = np.asarray(logits, dtype=np.float64)
    truth = np.asarray(accepted, dtype=np.float64)

    def loss(point: Floats) -> float:
        scaled = values * np.exp(point[0]) + point[1]
        likelihood = np.logaddexp(0.0, scaled) - truth * scaled
        # A weak pull to temperature 1 keeps separable labels from infinite confidence.
        return float(likelihood.mean() + 1e-3 * (point[0] ** 2 + point[1] ** 2))

    found = minimize(loss, np.zeros(2), method="L-BFGS-B", bounds=[(-3, 3), (-5, 5)])
    return Calibration(temperature=float(np.exp(-found.x[0])), shift=float(found.x[1]))


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
