"""The tests by which a threshold may promise a precision: exact, over heads, and paid for.

`critic.guarantee` says what is promised and why this is enough.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kgbuild.critic.thresholds import GRID, NOTHING

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

CUTS: Floats = np.asarray(GRID)


class HeldOut(NamedTuple):
    """Labelled candidates, ordered by head and within a head by lot.

    Attributes:
        scores: Calibrated probabilities.
        truth: What the readers said.
        starts: For each row the place of its head's first row.
    """

    scores: Floats
    truth: Bools
    starts: Ints

    @classmethod
    def of(
        cls, scores: Floats, truth: Bools, heads: Ints, lots: npt.NDArray[np.generic]
    ) -> HeldOut:
        """Order rows; `heads` are numbers, `lots` decides who is drawn of a head's kept ones."""
        order = np.lexsort((lots, heads))
        sorted_heads = heads[order]
        is_first = np.concatenate(([True], sorted_heads[1:] != sorted_heads[:-1]))
        starts = np.flatnonzero(is_first)[np.cumsum(is_first) - 1] if len(order) else order
        return cls(scores[order], truth[order], starts)

    @property
    def heads(self) -> int:
        """The number of heads."""
        return len(np.unique(self.starts))


class Tally(NamedTuple):
    """What each threshold of the grid keeps.

    Attributes:
        kept: Heads with a kept triple.
        right: Of one drawn of each, those that are right.
        kept_rows: Kept triples.
        right_rows: Those of them that are right.
    """

    kept: Ints
    right: Ints
    kept_rows: Ints
    right_rows: Ints


def tally(rows: HeldOut) -> Tally:
    """Count heads and rows at each threshold of the grid."""
    kept = rows.scores[None, :] >= CUTS[:, None]  # (cuts, rows)
    running = np.cumsum(kept, axis=1)
    before = np.concatenate((np.zeros((len(CUTS), 1), dtype=running.dtype), running), axis=1)
    drawn = kept & (running - before[:, rows.starts] == 1)
    return Tally(
        kept=drawn.sum(1),
        right=(drawn & rows.truth).sum(1),
        kept_rows=kept.sum(1),
        right_rows=(kept & rows.truth).sum(1),
    )


def p_values(right: Ints, kept: Ints, precision: float) -> Floats:
    """Give the chance of so many right ones or more if they are right as often as promised.

    >>> p_values(np.array([29, 28, 0]), np.array([29, 29, 0]), 0.9).round(3).tolist()
    [0.047, 0.199, 1.0]
    """
    from scipy.special import betainc

    found = betainc(np.maximum(right, 1), kept - right + 1.0, precision)
    return np.where(right > 0, found, 1.0)


def start_places(precision: float) -> tuple[int, int]:
    """Give the places in the grid at which the tests begin: half-way from the promise to 1, and it.

    >>> [GRID[place] for place in start_places(0.8)]
    [0.9, 0.8]
    """
    wanted = ((1 + precision) / 2, precision)
    first, last = (max(sum(cut >= one - 1e-9 for cut in GRID) - 1, 0) for one in wanted)
    return first, last


def sound_places(counts: Tally, *, precision: float, risk: float) -> list[int]:
    """Give the places of the thresholds that are rejected, high to low.

    With probability 1 - `risk` what every one of them keeps is right as often as promised.
    """
    found = p_values(counts.right, counts.kept, precision)
    begins = start_places(precision)
    passed = []
    carried = 0.0
    for place in range(begins[0], len(CUTS)):
        allowed = carried + risk * begins.count(place) / len(begins)
        if not allowed and place > begins[-1]:
            break
        carried = allowed if found[place] <= allowed else 0.0
        if carried:
            passed.append(place)
    return passed


def find_cut(counts: Tally, *, precision: float, risk: float) -> float:
    """Give the threshold that keeps the most and the promise, 1.0 if there is none.

    Of those that keep the same labels it is the highest: below lies what nobody has looked at.
    """
    places = [
        place
        for place in sound_places(counts, precision=precision, risk=risk)
        if counts.right_rows[place] >= precision * counts.kept_rows[place]
    ]
    if not places:
        return NOTHING
    most = counts.kept_rows[places[-1]]
    return float(CUTS[next(place for place in places if counts.kept_rows[place] == most)])


def least_heads(precision: float, risk: float) -> int:
    """Give the fewest heads with which a promise can be given, all of them kept and right.

    >>> least_heads(0.9, 0.05)
    36
    """
    begins = start_places(precision)
    share = begins.count(begins[0]) / len(begins)
    return math.ceil(math.log(risk * share) / math.log(precision))
