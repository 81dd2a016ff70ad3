"""The figures of a critic on labels that chose nothing, with intervals by resampling heads."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from pydantic import Field

from kgbuild.core.records import Record

_BINS = 10
_RESAMPLES = 1000
_LEVEL = 0.9

Floats = npt.NDArray[np.float64]


class Interval(Record):
    """A figure and the 90 % interval of its bootstrap by head; nan where it is undefined."""

    value: float
    low: float
    high: float


class Bin(Record):
    """One bin of the reliability diagram."""

    low: float
    high: float
    count: int
    promised: float = Field(description="Mean probability")
    measured: float = Field(description="Share accepted")


class RelationFigures(Record):
    """The figures of one relation."""

    relation: str
    count: int
    accepted_share: float
    auc: float
    threshold: float
    kept: int
    precision: float


class CriticReport(Record):
    """What a critic is worth on one set of labels."""

    part: str
    count: int
    heads: int
    accepted_share: float = Field(description="Share of triples that the labels accept")
    auc: Interval
    mean_relation_auc: float = Field(description="Mean over relations with both labels")
    precision: Interval = Field(description="Right among those kept at the thresholds")
    kept_share: float = Field(description="Share of all triples that is kept")
    plausible_kept: Interval = Field(description="Yield: share of accepted triples that is kept")
    ece: float = Field(description="Expected calibration error, ten bins of equal width")
    brier: float
    relation_only_auc: float = Field(description="Each relation's share in training as the score")
    likelihood_auc: float = Field(description="The teacher's mean log-probability as the score")
    relations: tuple[RelationFigures, ...] = ()
    bins: tuple[Bin, ...] = ()


def measure(
    *,
    part: str,
    probabilities: Sequence[float],
    accepted: Sequence[bool],
    relations: Sequence[str],
    heads: Sequence[str],
    thresholds: Sequence[float],
    relation_shares: Sequence[float],
    likelihoods: Sequence[float],
    seed: int,
) -> CriticReport:
    """Give the figures of calibrated probabilities; all arguments have one entry a triple."""
    scores = np.asarray(probabilities, dtype=np.float64)
    truth = np.asarray(accepted, dtype=bool)
    kept = scores >= np.asarray(thresholds, dtype=np.float64)
    names = np.asarray(relations, dtype=object)
    rows = _resample(heads, seed=seed)
    by_relation = [
        _measure_relation(name, scores, truth, kept, np.asarray(thresholds), names == name)
        for name in sorted(set(relations))
    ]
    aucs = [figures.auc for figures in by_relation if not np.isnan(figures.auc)]
    return CriticReport(
        part=part,
        count=len(scores),
        heads=len(set(heads)),
        accepted_share=float(truth.mean()),
        auc=_interval(lambda at: area(truth[at], scores[at]), rows),
        mean_relation_auc=float(np.mean(aucs)) if aucs else float("nan"),
        precision=_interval(lambda at: _mean(truth[at][kept[at]]), rows),
        kept_share=float(kept.mean()),
        plausible_kept=_interval(lambda at: _mean(kept[at][truth[at]]), rows),
        ece=calibration_error(scores, truth),
        brier=float(np.mean((scores - truth) ** 2)),
        relation_only_auc=area(truth, np.asarray(relation_shares, dtype=np.float64)),
        likelihood_auc=area(truth, np.asarray(likelihoods, dtype=np.float64)),
        relations=tuple(by_relation),
        bins=tuple(reliability(scores, truth)),
    )


def area(truth: npt.NDArray[np.bool_], scores: Floats) -> float:
    """Give the area under the ROC curve, nan if only one class is there."""
    from sklearn.metrics import roc_auc_score

    if truth.all() or not truth.any():
        return float("nan")
    return float(roc_auc_score(truth, scores))


def reliability(scores: Floats, truth: npt.NDArray[np.bool_]) -> list[Bin]:
    """Give the bins of equal width that hold any triple."""
    places = np.minimum((scores * _BINS).astype(int), _BINS - 1)
    return [
        Bin(
            low=place / _BINS,
            high=(place + 1) / _BINS,
            count=int((places == place).sum()),
            promised=float(scores[places == place].mean()),
            measured=float(truth[places == place].mean()),
        )
        for place in range(_BINS)
        if (places == place).any()
    ]


def calibration_error(scores: Floats, truth: npt.NDArray[np.bool_]) -> float:
    """Give the expected calibration error (Guo et al. 2017, equation 3).

    >>> calibration_error(np.array([0.8, 0.8]), np.array([True, False]))  # doctest: +ELLIPSIS
    0.3...
    """
    return sum(
        one.count / len(scores) * abs(one.promised - one.measured)
        for one in reliability(scores, truth)
    )


def _measure_relation(
    name: str,
    scores: Floats,
    truth: npt.NDArray[np.bool_],
    kept: npt.NDArray[np.bool_],
    thresholds: Floats,
    chosen: npt.NDArray[np.bool_],
) -> RelationFigures:
    return RelationFigures(
        relation=name,
        count=int(chosen.sum()),
        accepted_share=float(truth[chosen].mean()),
        auc=area(truth[chosen], scores[chosen]),
        threshold=float(thresholds[chosen][0]),
        kept=int(kept[chosen].sum()),
        precision=_mean(truth[chosen & kept]),
    )


def _mean(values: npt.NDArray[np.bool_]) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _resample(heads: Sequence[str], *, seed: int) -> list[npt.NDArray[np.int64]]:
    """Draw heads with replacement; a head brings all its triples."""
    places: dict[str, list[int]] = {}
    for place, head in enumerate(heads):
        places.setdefault(head, []).append(place)
    groups = [np.asarray(group, dtype=np.int64) for group in places.values()]
    generator = np.random.default_rng(seed)
    return [
        np.concatenate([groups[pick] for pick in generator.integers(len(groups), size=len(groups))])
        for _ in range(_RESAMPLES)
    ]


def _interval(
    figure: Callable[[npt.NDArray[np.int64]], float], rows: list[npt.NDArray[np.int64]]
) -> Interval:
    everything = np.unique(np.concatenate(rows))
    found = np.asarray([figure(at) for at in rows])
    found = found[~np.isnan(found)]
    if not len(found):
        return Interval(value=figure(everything), low=float("nan"), high=float("nan"))
    low, high = np.quantile(found, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return Interval(value=figure(everything), low=float(low), high=float(high))
