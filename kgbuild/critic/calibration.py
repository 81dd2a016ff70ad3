"""Making probabilities mean what they say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from kgbuild.core.errors import CriticError
from kgbuild.core.records import Record

Floats = npt.NDArray[np.float64]
Method = Literal["platt", "temperature", "isotonic"]

_EDGE = 1e-6


class Calibration(Record):
    """A temperature and a shift of logits, and what precedents count for beside them.

    An isotonic one has steps on top: from a probability to the share that was right.
    """

    temperature: float = 1.0
    shift: float = 0.0
    precedents: float = 0.0
    steps: tuple[tuple[float, float], ...] = Field(
        default=(), description="Probability and what it became, both rising; empty: none"
    )

    def apply(self, logits: Floats, precedents: Floats | float = 0.0) -> Floats:
        """Turn raw logits into probabilities strictly between 0 and 1.

        Args:
            logits: What the network says.
            precedents: Log-odds of acceptance among like triples, where they are remembered.
        """
        scaled = logits / self.temperature + self.precedents * precedents + self.shift
        scaled = np.clip(scaled, -30.0, 30.0)
        odds: Floats = 1.0 / (1.0 + np.exp(-scaled))
        if self.steps:
            below, above = zip(*self.steps, strict=True)
            odds = np.interp(odds, below, above)
        return np.clip(odds, _EDGE, 1.0 - _EDGE)


def fit_calibration(
    logits: Sequence[float],
    accepted: Sequence[bool],
    *,
    precedents: Sequence[float] | None = None,
    method: Method = "platt",
) -> Calibration:
    """Find the calibration under which the labels are most likely.

    Three numbers cannot overfit a few hundred labels. The shift is there because a critic taught
    by a judge starts from the judge's rate of yes, not from the labellers'. The weight is how
    much the precedents add to what the network already knows (stacking, Wolpert 1992).

    Args:
        logits: Of labels that the network has not seen.
        accepted: What the labellers said.
        precedents: Log-odds of acceptance among like triples, in the same order.
        method: `platt` fits a temperature and a shift (Platt 1999), `temperature` no shift (Guo
            et al. 2017), `isotonic` any rising curve on top of the first (Zadrozny and Elkan
            2002), which takes some thousand labels to be better.

    Raises:
        CriticError: If labels are of one class only, or a logit is no number.
    """
    from scipy.optimize import minimize

    values = np.asarray(logits, dtype=np.float64)
    truth = np.asarray(accepted, dtype=np.float64)
    votes = np.zeros_like(values) if precedents is None else np.asarray(precedents, np.float64)
    if not 0 < truth.sum() < len(truth):
        raise CriticError(
            f"{len(truth)} labels, {int(truth.sum())} of them accepted, cannot calibrate "
            "probabilities; label triples of both kinds"
        )
    if not (np.isfinite(values).all() and np.isfinite(votes).all()):
        raise CriticError("the critic gives a logit that is no number; train it again")

    def loss(point: Floats) -> float:
        scaled = values * np.exp(point[0]) + point[1] + point[2] * votes
        likelihood = np.logaddexp(0.0, scaled) - truth * scaled
        # A weak pull to temperature 1 keeps separable labels from infinite confidence.
        return float(likelihood.mean() + 1e-3 * float(np.square(point).sum()))

    shift = (0, 0) if method == "temperature" else (-5, 5)
    # A precedent never speaks against itself.
    found = minimize(loss, np.zeros(3), method="L-BFGS-B", bounds=[(-3, 3), shift, (0, 2)])
    fitted = Calibration(
        temperature=float(np.exp(-found.x[0])),
        shift=float(found.x[1]),
        precedents=float(found.x[2]),
    )
    if method != "isotonic":
        return fitted
    return fitted.model_copy(update={"steps": _fit_steps(fitted.apply(values, votes), truth)})


def _fit_steps(odds: Floats, truth: Floats) -> tuple[tuple[float, float], ...]:
    from sklearn.isotonic import IsotonicRegression

    # A stretch where all labels agree is not certain: the rule of succession bounds it.
    least = 1.0 / (len(truth) + 2)
    curve = IsotonicRegression(y_min=least, y_max=1.0 - least).fit(odds, truth)
    return tuple(
        (round(float(one), 9), round(float(other), 9))
        for one, other in zip(curve.X_thresholds_, curve.y_thresholds_, strict=True)
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
