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

import numpy as np

from kgbuild.core.errors import CriticError
from kgbuild.core.ids import content_key, phrase_id
from kgbuild.core.records import LabelledTriple
from kgbuild.critic.promise import WHOLE, Guarantee, Promise, Scope
from kgbuild.critic.sound_cuts import (
    CUTS,
    Bools,
    Floats,
    HeldOut,
    Tally,
    find_cut,
    least_heads,
    p_values,
    start_places,
    tally,
)
from kgbuild.critic.thresholds import GRID, NOTHING

# Where more labels than this would be needed, the number says nothing any more.
_MOST_HEADS = 20_000


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
    check_shares(precision=precision, confidence=confidence)
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


def check_shares(*, precision: float, confidence: float) -> None:
    """Refuse what nobody can promise.

    Raises:
        CriticError: If precision or confidence is not between 0 and 1.
    """
    for name, value in (("precision", precision), ("confidence", confidence)):
        if not 0 < value < 1:
            raise CriticError(
                f"{name} {value} cannot be promised; give a number between 0 and 1, such as 0.9"
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
        expected = float(rows.scores[rows.scores >= CUTS[place]].mean())
        rate = (counts.right[place] + prior_labels * expected) / (kept + prior_labels)
        allowed = risk * begins.count(place) / len(begins)
        passing = p_values(np.floor(rate * heads).astype(np.int64), heads, precision) <= allowed
        if passing.any():
            needed = int(heads[passing][0])
            found.append(math.ceil(needed * rows.heads / kept))
    return min(found, default=None)
