"""Comparing a critic on a public benchmark with baselines and with others' scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kgbuild.core.errors import CriticError
from kgbuild.core.ids import content_key
from kgbuild.critic.baselines import rate_relations, rate_texts
from kgbuild.critic.calibration import calibration_error, fit_calibration
from kgbuild.critic.figures import Bootstrap, find_auc, find_mean_auc
from kgbuild.critic.phrases import PhraseEncoder
from kgbuild.critic.protocol import Opinion
from kgbuild.critic.public import Benchmark, Shape
from kgbuild.critic.public_report import Contestant, PublicReport, Role
from kgbuild.critic.public_rows import PublicRow

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_FOLDS = 5
_EDGE = 1e-6


@dataclass(frozen=True)
class Fold:
    """Rows that are measured, and those that may fit what they are measured with.

    Both count from the first measured row on; the fitting rows come after the last one.
    """

    asked: Ints
    known: Ints


def compare_opinions(
    benchmark: Benchmark,
    rows: Sequence[PublicRow],
    fitting: Sequence[PublicRow],
    opinions: Sequence[Opinion],
    *,
    encoder: PhraseEncoder,
    part: str,
    fitting_part: str | None,
    critic: str,
) -> PublicReport:
    """Measure a critic's opinions, two baselines and the benchmark's references on the same rows.

    Threshold, calibration and baselines never see the rows that they are measured on: they are
    fitted on another part, or, where there is none, on the other units of the same part in turn.

    Args:
        benchmark: Whose rows they are.
        rows: The rows to measure on.
        fitting: Rows of another part; empty if there is none.
        opinions: The critic's, of `rows` and then of the first rows of `fitting`, or of all.
        encoder: Gives the baseline its vectors.
        part: Name of the part.
        fitting_part: Name of the other part.
        critic: The critic's key.

    Raises:
        CriticError: If the rows to fit on are all right or all wrong.
    """
    board = _Board(benchmark, rows, fitting)
    judged = [one.probability for one in opinions]
    contestants = [board.measure("critic", "critic", judged, is_probability=True)]
    if benchmark.shape is Shape.TRIPLE:
        contestants.append(board.measure_fitted("relation alone", board.rate_relations))
    text = "tail alone" if benchmark.shape is Shape.TRIPLE else "sentence alone, linear"
    vectors = encoder.encode([row.tail for row in board.all])
    contestants.append(
        board.measure_fitted(
            text, lambda fold: rate_texts(vectors[fold.known], board.of(fold), vectors[fold.asked])
        )
    )
    for place, name in enumerate(benchmark.references):
        given = [row.references[place] for row in board.all]
        contestants.append(board.measure(name, "reference", given))
    right = int(board.truth[: len(rows)].sum())
    return PublicReport(
        benchmark=benchmark.name,
        title=benchmark.title,
        part=part,
        headline=benchmark.headline,
        caution=benchmark.caution,
        critic=critic,
        rows=len(rows),
        right=right,
        units=board.bootstrap.units,
        majority=max(right, len(rows) - right) / len(rows),
        fitted_on=fitting_part or f"{_FOLDS} folds of {part} over its units",
        fitting_rows=len(fitting),
        judged_fitting_rows=len(opinions) - len(rows),
        contestants=tuple(contestants),
    )


class _Board:
    """All rows as arrays: the measured ones first, those to fit on after them."""

    def __init__(
        self, benchmark: Benchmark, rows: Sequence[PublicRow], fitting: Sequence[PublicRow]
    ) -> None:
        self.all = [*rows, *fitting]
        self.truth = np.asarray([row.is_right for row in self.all], dtype=np.float64)
        self.folds = list(_make_folds(rows, fitting))
        self.bootstrap = Bootstrap([row.unit for row in rows])
        self._count = len(rows)
        self._has_relations = benchmark.shape is Shape.TRIPLE
        self._relations = [row.relation for row in self.all]
        self._groups = [row.group for row in rows]
        self._pairs = _find_pairs(rows) if benchmark.shape is Shape.PAIR else None
        for fold in self.folds:
            known = self.of(fold)
            if not 0 < known.sum() < len(known):
                raise CriticError(
                    f"{benchmark.name}: the {len(known)} rows to fit thresholds on are all of one "
                    "kind; it takes right and wrong ones, so give a larger --limit or another part"
                )

    def of(self, fold: Fold) -> Floats:
        """Give what is true of the rows that may fit."""
        return self.truth[fold.known]

    def rate_relations(self, fold: Fold) -> Floats:
        """Give the measured rows their relation's rate."""
        names = np.asarray(self._relations, dtype=object)
        return rate_relations(names[fold.known].tolist(), self.of(fold), names[fold.asked].tolist())

    def measure_fitted(self, name: str, rate: Callable[[Fold], Floats]) -> Contestant:
        """Measure a baseline, whose probabilities are fitted already."""
        scores = np.zeros(self._count)
        for fold in self.folds:
            scores[fold.asked] = rate(fold)
        return self._figures(name, "baseline", scores, np.full(self._count, 0.5)).model_copy(
            update={"threshold": 0.5, "calibration_error": self._error(scores)}
        )

    def measure(
        self, name: str, role: Role, given: Sequence[float], *, is_probability: bool = False
    ) -> Contestant:
        """Measure scores that come from elsewhere, cut where the fitting rows say."""
        scores = np.asarray(given, dtype=np.float64)
        cuts = np.zeros(self._count)
        refitted = np.zeros(self._count)
        for fold in self.folds:
            # Of the fitting rows only the first ones may have been judged.
            known = fold.known[fold.known < len(scores)]
            cuts[fold.asked] = find_cut(scores[known], self.truth[known])
            if is_probability:
                found = fit_calibration(
                    _log_odds(scores[known]).tolist(), (self.truth[known] > 0).tolist()
                )
                refitted[fold.asked] = found.apply(_log_odds(scores[fold.asked]))
        scores = scores[: self._count]
        figures = self._figures(name, role, scores, cuts)
        threshold = float(cuts[0]) if len(self.folds) == 1 else None
        if not is_probability:
            return figures.model_copy(update={"threshold": threshold})
        return figures.model_copy(
            update={
                "threshold": threshold,
                "calibration_error": self._error(scores),
                "refitted_error": self._error(refitted),
            }
        )

    def _error(self, probabilities: Floats) -> float:
        return calibration_error(probabilities, self.truth[: self._count])

    def _figures(self, name: str, role: Role, scores: Floats, cuts: Floats) -> Contestant:
        truth = self.truth[: self._count]
        hits = ((scores >= cuts) == (truth > 0)).astype(np.float64)
        estimate = self.bootstrap.estimate
        groups = np.asarray(self._groups, dtype=object)
        relations = np.asarray(self._relations[: self._count], dtype=object)
        _, places = np.unique(relations.astype(str), return_inverse=True)

        def of_group(group: str) -> Callable[[Ints], float | None]:
            chosen = groups == group
            return lambda rows: find_auc(scores[rows][chosen[rows]], truth[rows][chosen[rows]])

        return Contestant(
            name=name,
            role=role,
            auc=estimate(lambda rows: find_auc(scores[rows], truth[rows])),
            mean_relation_auc=(
                estimate(lambda rows: find_mean_auc(scores[rows], truth[rows], places[rows]))
                if self._has_relations
                else None
            ),
            pair_accuracy=(
                None if self._pairs is None else estimate(_pair_accuracy(scores, self._pairs))
            ),
            accuracy=estimate(lambda rows: float(hits[rows].mean())),
            groups={one: estimate(of_group(one)) for one in sorted({*self._groups}) if one},
            relations={
                one: find_auc(scores[relations == one], truth[relations == one])
                for one in sorted({*relations.tolist()})
                if one
            },
        )


def find_cut(scores: Floats, truth: Floats) -> float:
    """Give the threshold at which most rows are told right; half way between two scores.

    >>> find_cut(np.array([0.1, 0.2, 0.6, 0.8]), np.array([0.0, 0.0, 1.0, 1.0]))
    0.4
    """
    values = np.unique(scores)
    middles = (values[1:] + values[:-1]) / 2
    # To accept all and to accept none are cuts, too.
    cuts = np.concatenate([values[:1], middles, [np.nextafter(values[-1], np.inf)]])
    places = np.searchsorted(values, scores)
    wrong = np.bincount(places, weights=truth <= 0, minlength=len(values))
    right = np.bincount(places, weights=truth > 0, minlength=len(values))
    below_wrong = np.concatenate([[0.0], np.cumsum(wrong)])
    above_right = right.sum() - np.concatenate([[0.0], np.cumsum(right)])
    return float(cuts[int(np.argmax(below_wrong + above_right))])


def _make_folds(rows: Sequence[PublicRow], fitting: Sequence[PublicRow]) -> Iterator[Fold]:
    everything = np.arange(len(rows))
    if fitting:
        yield Fold(everything, len(rows) + np.arange(len(fitting)))
        return
    fold_of = np.asarray(
        [int(content_key(["fold", row.unit]), 16) % _FOLDS for row in rows], dtype=np.int64
    )
    for place in range(_FOLDS):
        chosen = fold_of == place
        if chosen.any():
            yield Fold(everything[chosen], everything[~chosen])


def _find_pairs(rows: Sequence[PublicRow]) -> tuple[Ints, Ints]:
    """Give the row of the right sentence and of the wrong one, for every row's pair."""
    right = {row.unit: place for place, row in enumerate(rows) if row.is_right}
    wrong = {row.unit: place for place, row in enumerate(rows) if not row.is_right}
    return (
        np.asarray([right[row.unit] for row in rows], dtype=np.int64),
        np.asarray([wrong[row.unit] for row in rows], dtype=np.int64),
    )


def _pair_accuracy(scores: Floats, pairs: tuple[Ints, Ints]) -> Callable[[Ints], float | None]:
    gaps = scores[pairs[0]] - scores[pairs[1]]
    wins = np.where(gaps > 0, 1.0, np.where(gaps == 0, 0.5, 0.0))
    # Both rows of a pair stand in every draw of it, so the mean over rows is that over pairs.
    return lambda rows: float(wins[rows].mean())


def _log_odds(probabilities: Floats) -> Floats:
    kept = np.clip(probabilities, _EDGE, 1.0 - _EDGE)
    odds: Floats = np.log(kept / (1.0 - kept))
    return odds
