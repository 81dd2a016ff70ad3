"""Precision to order: thresholds with a finite-sample guarantee that assumes no distribution.

The thresholds of one fixed grid are hypotheses, "what is kept from here up is right less often
than promised", and a threshold is chosen among those that are rejected (Learn then Test,
Angelopoulos et al. 2021). Each test is the exact binomial one.

- **Heads, not rows, are independent**: triples of one head stand and fall together. Of the kept
  triples of a head one is drawn, by a hash of its text, and only drawn ones are counted. Given how
  many heads keep something, the right ones among the drawn are binomial. So the precision that is
  promised counts heads alike: of a head that keeps something, a kept triple drawn at random is
  right with at least this probability. A cut at which the rows themselves, uncounted by heads, are
  right less often than promised is not taken either.
- **Precision need not rise with the threshold**, so every threshold tried has to be paid for. They
  are tested from high to low in an order that no label chose, and go on while they are rejected;
  half of the risk begins at the threshold half-way between the promise and 1, half at the promise
  itself, where calibrated probabilities let expect enough. Risk that a rejected threshold had goes
  on to the next one (the fallback procedure of Wiens 2003), which keeps the chance of any false
  rejection below the risk whatever the dependence.
- **Assumed**: held-out heads and their candidates are exchangeable with those of the future run
  (`critic.drift` looks after that), and the critic was fixed before the labels that are counted
  here. Where they have fitted the three numbers of its calibration, which hardly move the order of
  candidates, the promise is no longer exact; a test simulates that case. An isotonic calibration
  is refused there: its steps are thresholds chosen on the labels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kgbuild.core.errors import CriticError
from kgbuild.core.ids import content_key, phrase_id
from kgbuild.core.records import LabelledTriple
from kgbuild.critic.promise import WHOLE, Guarantee, Promise, Scope
from kgbuild.critic.thresholds import GRID, NOTHING

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

_CUTS = np.asarray(GRID)
# Where more labels than this would be needed, the number says nothing any more.
_MOST_HEADS = 20_000


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
    kept = rows.scores[None, :] >= _CUTS[:, None]  # (cuts, rows)
    running = np.cumsum(kept, axis=1)
    before = np.concatenate((np.zeros((len(_CUTS), 1), dtype=running.dtype), running), axis=1)
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
    for place in range(begins[0], len(_CUTS)):
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
    return float(_CUTS[next(place for place in places if counts.kept_rows[place] == most)])


def least_heads(precision: float, risk: float) -> int:
    """Give the fewest heads with which a promise can be given, all of them kept and right.

    >>> least_heads(0.9, 0.05)
    36
    """
    begins = start_places(precision)
    share = begins.count(begins[0]) / len(begins)
    return math.ceil(math.log(risk * share) / math.log(precision))


def make_guarantee(
    labels: Sequence[LabelledTriple],
    probabilities: Sequence[float],
    *,
    precision: float,
    confidence: float,
    scope: Scope,
    relations: Sequence[str] = (),
    prior_labels: float = 10.0,
) -> Guarantee:
    """Choose the thresholds that a promise of precision allows, and say what is missing elsewhere.

    Args:
        labels: Settled, drawn at random, of heads that fitted nothing of the critic.
        probabilities: The critic's, in the same order.
        precision: What is promised.
        confidence: How sure the promise is to hold, over the draw of the heads.
        scope: `each`: of every relation by itself, so of twenty relations at 0.95 one may be
            broken; `all`: of all of them at once (Bonferroni); `graph`: of what is kept together,
            with one threshold, in the relations' shares that the labels have.
        relations: Further relations to speak of, though they have no label.
        prior_labels: How many labels the calibrated probabilities count for in the estimate of
            what is missing; the promise itself does not use it.

    Raises:
        CriticError: If precision or confidence is not between 0 and 1, or a probability is no
            number.
    """
    for name, value in (("precision", precision), ("confidence", confidence)):
        if not 0 < value < 1:
            raise CriticError(
                f"{name} {value} cannot be promised; give a number between 0 and 1, such as 0.9"
            )
    scores = np.asarray(probabilities, dtype=np.float64)
    if scores.shape != (len(labels),):
        raise CriticError(
            f"{len(labels)} labels have {scores.size} probabilities; score every label once"
        )
    if not np.isfinite(scores).all():
        worst = labels[int(np.flatnonzero(~np.isfinite(scores))[0])]
        raise CriticError(
            f"the critic gives {worst.head!r} {worst.relation} {worst.tail!r} a probability that "
            "is no number; its weights are broken, train it again"
        )
    names = np.asarray([row.relation for row in labels], dtype=object)
    held = sorted({row.relation for row in labels})
    groups = {WHOLE: np.ones(len(labels), dtype=bool)}
    if scope != "graph":
        groups = {name: names == name for name in sorted({*held, *relations})}
    risk = 1.0 - confidence
    rows = {name: _hold_out(labels, scores, chosen) for name, chosen in groups.items()}
    if scope == "all":
        # Who has too few heads to pass is known before any label is read, and is not tested.
        fewest = math.ceil(math.log(risk) / math.log(precision))
        risk /= max(1, sum(one.heads >= fewest for one in rows.values()))
    return Guarantee(
        precision=precision,
        confidence=confidence,
        scope=scope,
        heads=len({phrase_id(row.head) for row in labels}),
        labels=len(labels),
        promises=tuple(
            _promise(name, found, precision=precision, risk=risk, prior_labels=prior_labels)
            for name, found in rows.items()
        ),
        relations=tuple(held),
    )


def draw_key(triple_id: str) -> str:
    """Give the lot of a triple: who has the lowest one is drawn. No setting chooses it."""
    return content_key(["critic", "lot", triple_id])


def _hold_out(labels: Sequence[LabelledTriple], scores: Floats, chosen: Bools) -> HeldOut:
    rows = [row for row, is_chosen in zip(labels, chosen, strict=True) if is_chosen]
    numbers: dict[str, int] = {}
    heads = [numbers.setdefault(phrase_id(row.head), len(numbers)) for row in rows]
    return HeldOut.of(
        scores[chosen],
        np.asarray([row.label.is_accepted for row in rows], dtype=bool),
        np.asarray(heads, dtype=np.int64),
        np.asarray([draw_key(row.triple_id) for row in rows], dtype=np.str_),
    )


def _promise(
    relation: str, rows: HeldOut, *, precision: float, risk: float, prior_labels: float
) -> Promise:
    from scipy.stats import beta

    size = {"relation": relation, "heads": rows.heads, "labels": len(rows.scores)}
    counts = tally(rows)
    cut = find_cut(counts, precision=precision, risk=risk)
    place = GRID.index(cut) if cut < NOTHING else start_places(precision)[-1]
    kept, right = int(counts.kept[place]), int(counts.right[place])
    size |= {
        "kept_heads": kept,
        "right_heads": right,
        "kept_labels": int(counts.kept_rows[place]),
        "right_labels": int(counts.right_rows[place]),
    }
    if cut < NOTHING:
        return Promise(**size, threshold=cut, low=float(beta.ppf(risk, right, kept - right + 1)))
    needed = _heads_needed(rows, counts, precision=precision, risk=risk, prior_labels=prior_labels)
    fewest = least_heads(precision, risk)
    if not rows.heads:
        why = f"it has no held-out label; at least {fewest} heads are needed"
        return Promise(**size, more_heads=fewest, why=why)
    if needed is None:
        found = f"{right} of {kept} heads right" if kept else "nothing kept"
        why = (
            f"{found} at a probability of {GRID[place]:.2f}: at these rates no number of labels "
            "is enough; it needs a better critic or a lower promise"
        )
        return Promise(**size, why=why)
    more = max(needed - rows.heads, 1)
    why = (
        f"{right} of {kept} heads right at a probability of {GRID[place]:.2f} are too few; at "
        f"these rates {needed} labelled heads would do"
    )
    per_head = len(rows.scores) / rows.heads
    return Promise(**size, more_heads=more, more_labels=math.ceil(more * per_head), why=why)


def _heads_needed(
    rows: HeldOut, counts: Tally, *, precision: float, risk: float, prior_labels: float
) -> int | None:
    """Give the fewest labelled heads with which the test could pass at the present rates.

    The rate of right ones is the observed one, with the calibrated probabilities as a few labels
    more: three of three says little.
    """
    begins = start_places(precision)
    heads = np.arange(1, _MOST_HEADS + 1)
    found = []
    for place in set(begins):
        kept = int(counts.kept[place])
        if not kept:
            continue
        expected = float(rows.scores[rows.scores >= _CUTS[place]].mean())
        rate = (counts.right[place] + prior_labels * expected) / (kept + prior_labels)
        allowed = risk * begins.count(place) / len(begins)
        passing = p_values(np.floor(rate * heads).astype(np.int64), heads, precision) <= allowed
        if passing.any():
            needed = int(heads[passing][0])
            found.append(math.ceil(needed * rows.heads / kept))
    return min(found, default=None)
