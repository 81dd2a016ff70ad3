"""The promise holds as often as it says, and a naive choice of thresholds breaks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from scipy.stats import binom

from kgbuild.core.errors import CriticError
from kgbuild.core.records import Label, LabelledTriple
from kgbuild.critic.calibration import fit_calibration
from kgbuild.critic.guarantee import make_guarantee
from kgbuild.critic.sound_cuts import (
    HeldOut,
    Tally,
    find_cut,
    least_heads,
    p_values,
    sound_places,
    start_places,
    tally,
)
from kgbuild.critic.thresholds import GRID, NOTHING
from tests.critic.conftest import make_label

_RESAMPLINGS = 1_000
_POPULATION = 30_000


@dataclass(frozen=True)
class World:
    """A relation from which heads with their triples are drawn.

    Attributes:
        heads: Labelled heads.
        rate: Logit of the mean probability.
        bias: What the critic's logits are too high by where it is sure.
        together: Whether triples of a head stand and fall together, all by one draw.
        spread: How much heads differ in ways that the critic does not see, in nats.
    """

    heads: int
    rate: float = 0.0
    bias: float = 0.0
    together: bool = False
    spread: float = 0.0

    def draw(self, heads: int, generator: np.random.Generator) -> HeldOut:
        sizes = generator.integers(1, 7, size=heads)
        owners = np.repeat(np.arange(heads), sizes)
        rows = len(owners)
        # What a head's triples share of the critic's opinion, and what is their own.
        shown = self.rate + 1.5 * generator.normal(size=heads)[owners]
        shown = shown + generator.normal(size=rows)
        unseen = self.spread * generator.normal(size=heads)[owners]
        chance = 1 / (1 + np.exp(-(shown + unseen - self.bias * (shown > 1.5))))
        luck = generator.random(heads)[owners] if self.together else generator.random(rows)
        scores = 1 / (1 + np.exp(-shown))
        return HeldOut.of(scores, luck < chance, owners, generator.random(rows))


WORLDS = {
    "easy": World(heads=400, rate=1.5),
    "hard": World(heads=400, rate=-2.0, bias=0.5),
    "tiny": World(heads=30, rate=2.0, bias=0.6),
    "clustered": World(heads=150, rate=0.5, together=True, spread=1.0),
    "overconfident": World(heads=400, rate=0.5, bias=1.05),
}

Choose = Callable[..., float]


@cache
def true_precision(name: str) -> dict[float, float]:
    """Of a head that keeps something, the chance that a kept triple of it is right."""
    counts = tally(WORLDS[name].draw(_POPULATION, np.random.default_rng(1)))
    found = counts.right / np.maximum(counts.kept, 1)
    return dict(zip(GRID, found.tolist(), strict=True))


@cache
def resample(name: str) -> list[Tally]:
    generator = np.random.default_rng(2026)
    world = WORLDS[name]
    return [tally(world.draw(world.heads, generator)) for _ in range(_RESAMPLINGS)]


def count_broken(name: str, choose: Choose, *, precision: float) -> tuple[int, int]:
    """Count in how many resamplings the promise is broken, and in how many it is given."""
    truth = true_precision(name)
    cuts = [choose(counts, precision=precision, risk=0.05) for counts in resample(name)]
    given = [cut for cut in cuts if cut < NOTHING]
    return sum(truth[cut] < precision for cut in given), len(given)


def choose_naively(counts: Tally, *, precision: float, risk: float) -> float:
    """Take the lowest threshold that reached the precision on the labels themselves."""
    reached = counts.right_rows >= precision * np.maximum(counts.kept_rows, 1)
    return float(np.asarray(GRID)[reached][-1]) if reached.any() else NOTHING


def choose_by_rows(counts: Tally, *, precision: float, risk: float) -> float:
    """Test as the real choice does, but count rows as if every one were a head."""
    alone = counts._replace(kept=counts.kept_rows, right=counts.right_rows)
    places = sound_places(alone, precision=precision, risk=risk)
    return float(GRID[places[-1]]) if places else NOTHING


# A promise that is broken in exactly 5 of 100 is broken so often in 1,000 resamplings at most,
# save once in ten thousand.
_MOST_BROKEN = int(binom.ppf(0.9999, _RESAMPLINGS, 0.05))


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("precision", [0.8, 0.9])
def test_the_promise_is_broken_no_more_often_than_it_says(name: str, precision: float) -> None:
    assert count_broken(name, find_cut, precision=precision)[0] <= _MOST_BROKEN


def test_the_promise_is_not_kept_by_accepting_nothing() -> None:
    assert count_broken("easy", find_cut, precision=0.9)[1] > 900
    assert count_broken("clustered", find_cut, precision=0.8)[1] > 400


@pytest.mark.parametrize("name", WORLDS)
def test_the_best_threshold_on_the_labels_breaks_the_same_promise(name: str) -> None:
    assert count_broken(name, choose_naively, precision=0.9)[0] > 5 * _MOST_BROKEN / 2


def test_counting_rows_instead_of_heads_breaks_the_promise_where_heads_stand_together() -> None:
    assert count_broken("clustered", choose_by_rows, precision=0.8)[0] > 2 * _MOST_BROKEN


def make_rows(
    relation: str, heads: int, *, right: int, each: int = 1, score: float = 0.97
) -> tuple[list[LabelledTriple], list[float]]:
    """Label heads of which the first ones are right, all with one probability."""
    rows = [
        make_label(
            f"PersonX meets friend {number}",
            f"{relation} {place}",
            Label.LIKELY if number < right else Label.INVALID,
            relation=relation,
        )
        for number in range(heads)
        for place in range(each)
    ]
    return rows, [score] * len(rows)


def test_a_relation_is_promised_at_the_fewest_heads_and_refused_below_with_what_is_missing() -> (
    None
):
    fewest = least_heads(0.9, 0.05)
    rows, scores = make_rows("xReact", fewest, right=fewest, each=3)
    more, others = make_rows("xWant", fewest - 1, right=fewest - 1, each=3)
    given = make_guarantee(
        [*rows, *more],
        [*scores, *others],
        precision=0.9,
        confidence=0.95,
        scope="each",
        relations=["xNeed"],
    )
    assert given.promised() == {"xReact": "0.90@0.95 each"}
    assert given.thresholds().by_relation == {"xReact": 0.96, "xWant": NOTHING}
    assert given.thresholds().get("xNeed") == NOTHING
    refused, unseen = given.of("xWant"), given.of("xNeed")
    assert refused is not None
    assert refused.more_heads is not None
    assert 1 <= refused.more_heads < 30
    assert refused.more_labels == 3 * refused.more_heads
    assert unseen is not None
    assert (unseen.heads, unseen.more_heads) == (0, fewest)
    enough = fewest - 1 + refused.more_heads
    rows, scores = make_rows("xWant", enough, right=enough)
    again = make_guarantee(rows, scores, precision=0.9, confidence=0.95, scope="each")
    assert again.promised()


def test_at_hopeless_rates_more_labels_are_not_asked_for() -> None:
    rows, scores = make_rows("xWant", 200, right=120)
    found = make_guarantee(rows, scores, precision=0.9, confidence=0.95, scope="each").of("xWant")
    assert found is not None
    assert found.more_heads is None
    assert "no number of labels" in found.why
    rows, scores = make_rows("xWant", 200, right=200, score=0.4)
    found = make_guarantee(rows, scores, precision=0.9, confidence=0.95, scope="each").of("xWant")
    assert found is not None
    assert "nothing kept" in found.why


def test_a_promise_for_all_relations_at_once_asks_more_than_one_for_each() -> None:
    rows, scores = [], []
    for relation in ("xReact", "xWant", "xNeed", "oReact"):
        made, given = make_rows(relation, 40, right=40)
        rows += made
        scores += given
    each = make_guarantee(rows, scores, precision=0.9, confidence=0.95, scope="each")
    every = make_guarantee(rows, scores, precision=0.9, confidence=0.95, scope="all")
    assert len(each.promised()) == 4
    assert every.promised() == {}


def test_a_promise_for_the_graph_counts_a_head_once_whatever_its_relations() -> None:
    rows, scores = [], []
    for relation in ("xReact", "xWant"):
        made, given = make_rows(relation, 30, right=30)
        rows += made
        scores += given
    whole = make_guarantee(rows, scores, precision=0.9, confidence=0.95, scope="graph")
    assert [(one.heads, one.labels) for one in whole.promises] == [(30, 60)]
    assert whole.promised() == {}
    assert make_guarantee(
        rows, scores, precision=0.8, confidence=0.95, scope="graph"
    ).promised() == {"xReact": "0.80@0.95 graph", "xWant": "0.80@0.95 graph"}


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 1.5, float("nan")])
def test_a_share_that_is_none_cannot_be_promised(share: float) -> None:
    rows, scores = make_rows("xWant", 3, right=3)
    with pytest.raises(CriticError, match="precision"):
        make_guarantee(rows, scores, precision=share, confidence=0.95, scope="each")
    with pytest.raises(CriticError, match="confidence"):
        make_guarantee(rows, scores, precision=0.9, confidence=share, scope="each")


def test_scores_that_are_no_numbers_or_too_few_are_refused() -> None:
    rows, scores = make_rows("xWant", 3, right=3)
    with pytest.raises(CriticError, match="no number"):
        make_guarantee(
            rows, [*scores[:2], float("nan")], precision=0.9, confidence=0.95, scope="each"
        )
    with pytest.raises(CriticError, match="score every label"):
        make_guarantee(rows, scores[:2], precision=0.9, confidence=0.95, scope="each")


def test_p_values_are_those_of_the_binomial_distribution() -> None:
    kept = np.arange(1, 60)
    right = kept - kept % 4
    expected = binom.sf(right - 1, kept, 0.85)
    assert p_values(right, kept, 0.85) == pytest.approx(expected, rel=1e-9)


def test_one_triple_is_drawn_of_each_head_that_keeps_something() -> None:
    rows = HeldOut.of(
        np.asarray([0.95, 0.5, 0.95, 0.2, 0.95]),
        np.asarray([True, True, False, True, True]),
        np.asarray([7, 7, 3, 3, 7]),
        np.asarray([2, 0, 1, 0, 1]),
    )
    counts = tally(rows)
    high, middle, low = (GRID.index(cut) for cut in (0.9, 0.5, 0.2))
    assert counts.kept[[high, middle, low]].tolist() == [2, 2, 2]
    # Of head 3 the refused triple is drawn until the one with the lower lot is kept too.
    assert counts.right[[high, middle, low]].tolist() == [1, 1, 2]
    assert counts.kept_rows[[high, middle, low]].tolist() == [3, 4, 5]
    assert rows.heads == 2


def test_tests_begin_where_probabilities_promise_enough_and_stop_at_the_first_failure() -> None:
    assert [GRID[place] for place in start_places(0.9)] == [0.96, 0.9]
    assert [GRID[place] for place in start_places(0.999)] == [0.98, 0.98]
    many = np.full(len(GRID), 200)
    bad = many.copy()
    bad[GRID.index(0.8)] = 100
    counts = Tally(kept=many, right=bad, kept_rows=many, right_rows=bad)
    passed = sound_places(counts, precision=0.9, risk=0.05)
    assert [GRID[place] for place in passed] == [0.96, 0.94, 0.92, 0.9, 0.88, 0.86, 0.84, 0.82]


def test_a_calibration_fitted_on_the_same_labels_does_not_break_the_promise() -> None:
    """Three numbers, one of which moves the order of candidates, are fitted and then tested on."""
    generator = np.random.default_rng(77)

    def draw(heads: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        owners = np.repeat(np.arange(heads), 4)
        logits = generator.normal(size=heads)[owners] + 1.5 * generator.normal(size=4 * heads)
        votes = generator.normal(size=4 * heads)
        chance = 1 / (1 + np.exp(-(0.8 * logits + 0.6 * votes + 0.5)))
        truth = generator.random(4 * heads) < chance
        return logits, votes, truth, owners, generator.random(4 * heads)

    population = draw(_POPULATION // 3)
    broken = 0
    for _ in range(300):
        logits, votes, truth, owners, lots = draw(120)
        fitted = fit_calibration(logits.tolist(), truth.tolist(), precedents=votes.tolist())
        rows = HeldOut.of(fitted.apply(logits, votes), truth, owners, lots)
        cut = find_cut(tally(rows), precision=0.85, risk=0.05)
        if cut < NOTHING:
            kept = fitted.apply(population[0], population[1]) >= cut
            # One of each head: heads are in order, and the rows of a head are exchangeable.
            first = np.unique(population[3][kept], return_index=True)[1]
            broken += bool(population[2][kept][first].mean() < 0.85)
    assert broken <= binom.ppf(0.9999, 300, 0.05)
