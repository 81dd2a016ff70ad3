"""Measuring probabilities against labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from kgbuild.core.ids import phrase_id
from kgbuild.core.records import LabelledTriple
from kgbuild.critic.calibration import calibration_error
from kgbuild.critic.report import Estimate, Figures, RelationFigures
from kgbuild.critic.thresholds import Thresholds

Floats = npt.NDArray[np.float64]
Measure = Callable[[npt.NDArray[np.int64]], float | None]

_DRAWS = 300
_SEED = 2021


def measure(
    probabilities: Sequence[float], labels: Sequence[LabelledTriple], thresholds: Thresholds
) -> Figures:
    """Measure calibrated probabilities against labels at given thresholds.

    Intervals are drawn over heads, not rows: triples of one head stand and fall together.
    """
    scores = np.asarray(probabilities, dtype=np.float64)
    truth = np.asarray([row.label.is_accepted for row in labels], dtype=np.float64)
    names = np.asarray([row.relation for row in labels], dtype=object)
    cuts = np.asarray([thresholds.get(row.relation) for row in labels], dtype=np.float64)
    kept = scores >= cuts
    drawn = Bootstrap([phrase_id(row.head) for row in labels])
    estimate = drawn.estimate
    return Figures(
        labels=len(labels),
        heads=drawn.units,
        plausible=int(truth.sum()),
        auc=estimate(lambda rows: find_auc(scores[rows], truth[rows])),
        mean_relation_auc=estimate(
            lambda rows: find_mean_auc(scores[rows], truth[rows], names[rows])
        ),
        precision=estimate(lambda rows: _share(truth[rows], kept[rows])),
        yielded=estimate(lambda rows: _share(kept[rows], truth[rows] > 0)),
        kept_share=float(kept.mean()) if len(labels) else 0.0,
        calibration_error=calibration_error(scores, truth),
        brier=float(np.mean((scores - truth) ** 2)) if len(labels) else 0.0,
        relations=tuple(
            _relation(name, scores, truth, kept, names == name, thresholds)
            for name in sorted(set(names))
        ),
        reliability=tuple(_reliability(scores, truth)),
    )


class Bootstrap:
    """Draws whole units (Efron 1979): rows of one head stand and fall together."""

    def __init__(self, units: Sequence[str]) -> None:
        rows_of: dict[str, list[int]] = {}
        for row, unit in enumerate(units):
            rows_of.setdefault(unit, []).append(row)
        groups = [np.asarray(rows, dtype=np.int64) for rows in rows_of.values()]
        generator = np.random.default_rng(_SEED)
        self.units = len(groups)
        self._all = np.arange(len(units))
        self._draws = [
            np.concatenate([groups[at] for at in generator.integers(len(groups), size=len(groups))])
            for _ in range(_DRAWS if groups else 0)
        ]

    def estimate(self, value: Measure) -> Estimate:
        """Give a figure of all rows, with the middle 90 % of the figures of the draws."""
        point = value(self._all)
        drawn = [found for rows in self._draws if (found := value(rows)) is not None]
        if point is None or not drawn:
            return Estimate(value=point)
        low, high = np.quantile(drawn, [0.05, 0.95])
        return Estimate(value=point, low=float(low), high=float(high))


def find_mean_auc(scores: Floats, truth: Floats, names: npt.NDArray[np.generic]) -> float | None:
    """Give the mean AUC of the relations that have both classes, or None if none has."""
    found = [find_auc(scores[names == name], truth[names == name]) for name in sorted(set(names))]
    defined = [value for value in found if value is not None]
    return float(np.mean(defined)) if defined else None


def find_auc(scores: Floats, truth: Floats) -> float | None:
    """Give the area under the ROC curve, or None where a class is missing.

    By ranks (Mann-Whitney), as a bootstrap over 35 relations asks for it 20,000 times and
    scikit-learn's curve takes a millisecond; a test holds it to scikit-learn's value.
    """
    from scipy.stats import rankdata

    right = int((truth > 0).sum())
    wrong = len(truth) - right
    if not right or not wrong:
        return None
    ranks = rankdata(scores)
    return float((ranks[truth > 0].sum() - right * (right + 1) / 2) / (right * wrong))


def _share(values: npt.NDArray[np.generic], chosen: npt.NDArray[np.bool_]) -> float | None:
    return float(np.mean(values[chosen])) if chosen.any() else None  # type: ignore[arg-type]


def _relation(
    name: str,
    scores: Floats,
    truth: Floats,
    kept: npt.NDArray[np.bool_],
    chosen: npt.NDArray[np.bool_],
    thresholds: Thresholds,
) -> RelationFigures:
    return RelationFigures(
        relation=name,
        labels=int(chosen.sum()),
        plausible=int(truth[chosen].sum()),
        kept=int(kept[chosen].sum()),
        kept_plausible=int((kept & (truth > 0))[chosen].sum()),
        threshold=thresholds.get(name),
        origin=thresholds.origins.get(name, "unseen"),
        auc=find_auc(scores[chosen], truth[chosen]),
        calibration_error=calibration_error(scores[chosen], truth[chosen]),
        reliability=tuple(_reliability(scores[chosen], truth[chosen])),
    )


def _reliability(scores: Floats, truth: Floats) -> list[tuple[float, float, int]]:
    places = np.minimum((scores * 10).astype(int), 9)
    return [
        (float(scores[places == place].mean()), float(truth[places == place].mean()), int(n))
        for place, n in enumerate(np.bincount(places, minlength=10))
        if n
    ]
