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
    rows_of: dict[str, list[int]] = {}
    for place, row in enumerate(labels):
        rows_of.setdefault(phrase_id(row.head), []).append(place)
    heads = [np.asarray(places, dtype=np.int64) for places in rows_of.values()]
    draws = list(_draws(heads))

    def estimate(value: Measure) -> Estimate:
        drawn = [found for rows in draws if (found := value(rows)) is not None]
        point = value(np.arange(len(scores)))
        if point is None or not drawn:
            return Estimate(value=point)
        low, high = np.quantile(drawn, [0.05, 0.95])
        return Estimate(value=point, low=float(low), high=float(high))

    return Figures(
        labels=len(labels),
        heads=len(heads),
        plausible=int(truth.sum()),
        auc=estimate(lambda rows: find_auc(scores[rows], truth[rows])),
        mean_relation_auc=estimate(
            lambda rows: _mean_relation_auc(scores[rows], truth[rows], names[rows])
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


def _draws(heads: list[npt.NDArray[np.int64]]) -> list[npt.NDArray[np.int64]]:
    generator = np.random.default_rng(_SEED)
    if not heads:
        return []
    return [
        np.concatenate([heads[place] for place in generator.integers(len(heads), size=len(heads))])
        for _ in range(_DRAWS)
    ]


def _share(values: npt.NDArray[np.generic], chosen: npt.NDArray[np.bool_]) -> float | None:
    return float(np.mean(values[chosen])) if chosen.any() else None  # type: ignore[arg-type]


def _mean_relation_auc(
    scores: Floats, truth: Floats, names: npt.NDArray[np.object_]
) -> float | None:
    found = [find_auc(scores[names == name], truth[names == name]) for name in sorted(set(names))]
    defined = [value for value in found if value is not None]
    return float(np.mean(defined)) if defined else None


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
