"""Where to cut probabilities so that what is kept is right as often as promised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from pydantic import Field

from kgbuild.core.config import CriticConfig
from kgbuild.core.records import Record

# No calibrated probability reaches it: a relation whose labels allow no cut accepts nothing.
NOTHING = 1.0

# Cuts are tried on a grid: every one tried is a chance to be lucky.
GRID = tuple(round(0.98 - 0.02 * step, 2) for step in range(45))

Floats = npt.NDArray[np.float64]


class Thresholds(Record):
    """Probabilities from which a triple is accepted."""

    default: float = Field(description="For relations without labels of their own")
    by_relation: Mapping[str, float] = Field(default={}, description="For relations with labels")
    origins: Mapping[str, str] = Field(
        default={},
        description="own; global where a relation's labels are few; short of the target precision",
    )
    is_target_met: bool = Field(
        default=True, description="Whether the default reaches the target precision"
    )

    def get(self, relation: str) -> float:
        """Give the threshold of a relation, the default for one never seen in labels."""
        return self.by_relation.get(relation, self.default)

    def strictest(self, other: Thresholds) -> Thresholds:
        """Give the higher threshold of two for every relation."""
        names = sorted({*self.by_relation, *other.by_relation})
        return Thresholds(
            default=max(self.default, other.default),
            by_relation={name: max(self.get(name), other.get(name)) for name in names},
            origins={
                name: (self if self.get(name) >= other.get(name) else other).origins.get(
                    name, "global"
                )
                for name in names
            },
            is_target_met=self.is_target_met and other.is_target_met,
        )


def choose_thresholds(
    probabilities: Sequence[float],
    accepted: Sequence[bool],
    relations: Sequence[str],
    *,
    config: CriticConfig,
) -> Thresholds:
    """Choose the lowest cuts whose precision reaches the target with the asked confidence.

    The observed precision at the luckiest of many cuts is too good to last. A cut is judged by
    the lower end of a Beta posterior instead, whose prior is what the calibrated probabilities
    themselves promise, worth `config.prior_labels` labels. It must also keep `config.min_yield` of
    what is plausible: a cut that keeps next to nothing has a prior for its precision and no
    evidence. If even all relations together reach no such cut, `config.when_unmet` says whether
    the surest one that keeps so much is taken; `is_target_met` tells.

    Args:
        probabilities: Calibrated, of labels that the scoring weights have not seen.
        accepted: What the labellers said.
        relations: Relation names, in the same order.
        config: Target precision, confidence and when labels are few.
    """
    scores = np.asarray(probabilities, dtype=np.float64)
    truth = np.asarray(accepted, dtype=bool)
    names = np.asarray(relations, dtype=object)
    default, is_met = _lowest_cut(scores, truth, config), True
    if default == NOTHING and config.when_unmet == "best":
        default, is_met = _surest_cut(scores, truth, config), False
    by_relation: dict[str, float] = {}
    origins: dict[str, str] = {}
    few = []
    for name in sorted(set(relations)):
        chosen = names == name
        own = NOTHING
        if int(chosen.sum()) >= config.min_relation_labels:
            own = _lowest_cut(scores[chosen], truth[chosen], config)
        elif is_met:
            few.append(name)
            continue
        # Where no relation together reaches the target, one that does alone keeps its own cut.
        short = own == NOTHING and not is_met
        by_relation[name] = default if short else own
        origins[name] = "short" if short else "own"
    pooled = np.isin(names, few)
    # Relations with few labels share a cut chosen on exactly them: the easy relations, which
    # have their own, must not lend them precision.
    shared = default
    if int(pooled.sum()) >= 2 * config.min_relation_labels:
        shared = max(default, _lowest_cut(scores[pooled], truth[pooled], config))
    for name in few:
        by_relation[name], origins[name] = shared, "global"
    return Thresholds(
        default=max(default, shared),
        by_relation=dict(sorted(by_relation.items())),
        origins=dict(sorted(origins.items())),
        is_target_met=is_met,
    )


def _lowest_cut(scores: Floats, truth: npt.NDArray[np.bool_], config: CriticConfig) -> float:
    reached = [
        cut for bound, cut in _bounds(scores, truth, config) if bound >= config.target_precision
    ]
    return min(reached, default=NOTHING)


def _surest_cut(scores: Floats, truth: npt.NDArray[np.bool_], config: CriticConfig) -> float:
    # Of two equally sure cuts the lower one keeps more.
    bounds = [(bound, -cut) for bound, cut in _bounds(scores, truth, config)]
    return -max(bounds)[1] if bounds else NOTHING


def _bounds(
    scores: Floats, truth: npt.NDArray[np.bool_], config: CriticConfig
) -> Iterator[tuple[float, float]]:
    """Give the lower end of the precision of each cut that keeps enough, and the cut."""
    from scipy.stats import beta

    for cut in GRID:
        kept = scores >= cut
        count, right = int(kept.sum()), int((kept & truth).sum())
        if not count or right < config.min_yield * int(truth.sum()):
            continue
        promised = float(np.clip(scores[kept].mean(), 0.01, 0.99))
        bound = beta.ppf(
            1 - config.confidence,
            config.prior_labels * promised + right,
            config.prior_labels * (1 - promised) + count - right,
        )
        yield float(bound), cut
