from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from kgbuild.core.labelling_config import LabellingConfig
from kgbuild.labelling.ordering import Scored, Vectors, find_margin, order_questions, spread
from tests.labelling.conftest import make_question


def make_pool(count: int, *, seed: int = 3) -> list[Scored]:
    draw = random.Random(seed)
    return [Scored(make_question(number), draw.random(), 0.7) for number in range(count)]


def encode(sentences: Sequence[str]) -> Vectors:
    """Vectors that follow from the sentence: equal sentences are equal."""
    rows = [np.random.default_rng(list(text.encode())).normal(size=8) for text in sentences]
    return np.array([row / np.linalg.norm(row) for row in rows], dtype=np.float32)


def test_any_beginning_holds_the_random_share() -> None:
    order = order_questions(make_pool(400), encode=encode, config=LabellingConfig())
    kinds = [question.chosen_by for question in order.questions]
    assert (len(kinds), order.is_random, order.left_out) == (400, False, 0)
    for length in range(10, 301, 10):
        assert kinds[:length].count("random") == pytest.approx(0.3 * length, abs=1)
    for length in range(10, 181, 10):  # then the shortlist is used up
        counts = [kinds[:length].count(kind) for kind in ("uncertain", "diverse")]
        assert abs(counts[0] - counts[1]) <= 1
    assert len({question.triple_id for question in order.questions}) == 400


def test_many_short_sessions_keep_the_random_share() -> None:
    config = LabellingConfig(random_share=0.3)
    pool = make_pool(200)
    kinds = []
    for asked in range(50):
        first = order_questions(pool, asked=asked, config=config).questions[0]
        kinds.append(first.chosen_by)
        pool = [entry for entry in pool if entry.question.triple_id != first.triple_id]
    assert kinds.count("random") == 15


def test_random_questions_are_a_fair_sample_whatever_the_critic_says() -> None:
    """The mean score of the first random questions is that of the pool, over many seeds.

    The chosen ones are far from it, so the test would see a random part that is drawn from what
    the choice has left.
    """
    # A quarter is near the threshold; the choice takes those.
    pool = [
        Scored(make_question(number), 0.7 if number % 4 == 0 else 0.05, 0.7)
        for number in range(200)
    ]
    near = {entry.question.triple_id for entry in pool if entry.probability == 0.7}
    sampled, picked = [], []
    for seed in range(300):
        order = order_questions(pool, config=LabellingConfig(seed=seed))
        first = order.questions[:60]
        sampled += [one.triple_id in near for one in first if one.chosen_by == "random"]
        picked += [one.triple_id in near for one in first if one.chosen_by != "random"]
    # 300 x 18 draws without replacement: three standard errors are under 0.018.
    assert np.mean(sampled) == pytest.approx(0.25, abs=0.018)
    assert np.mean(picked) > 0.8


def test_the_random_order_stays_when_the_pool_grows_or_scores_change() -> None:
    config = LabellingConfig()

    def sample(pool: list[Scored]) -> list[str]:
        found = order_questions(pool, config=config).questions
        return [question.triple_id for question in found if question.chosen_by == "random"]

    small = sample(make_pool(100))
    assert sample(make_pool(100, seed=4)) == small
    large = sample(make_pool(300))
    assert [name for name in large if name in small] == small


def test_without_scores_all_is_random_and_said() -> None:
    pool = [*make_pool(50), Scored(make_question(50))]
    order = order_questions(pool, encode=encode, config=LabellingConfig())
    assert order.is_random
    assert {question.chosen_by for question in order.questions} == {"random"}
    assert len(order.questions) == 51
    again = order_questions(list(reversed(pool)), config=LabellingConfig())
    assert again.questions == order.questions
    other = order_questions(pool, config=LabellingConfig(seed=1))
    assert other.questions != order.questions


def test_uncertain_questions_come_nearest_the_threshold_first() -> None:
    config = LabellingConfig(random_share=0)
    pool = make_pool(40)
    margins = {one.question.triple_id: find_margin(one.probability or 0, 0.7) for one in pool}
    asked = [margins[q.triple_id] for q in order_questions(pool, config=config).questions]
    assert asked == sorted(asked)
    assert asked[0] < 0.3 < 2 < asked[-1]


def test_diverse_and_uncertain_picks_worked_by_hand() -> None:
    # Four directions in a plane and their margins. By uncertainty alone row 1, which nearly
    # repeats row 0, would be second.
    angles = np.radians([0, 5, 90, 180])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    margins = np.array([0.0, 0.1, 0.5, 2.0])
    none = np.empty((0, 2), dtype=np.float32)
    picks = list(spread(vectors, margins, centres=none))
    # uncertain: row 0 (2 * 1). diverse: row 3 (distance 2). uncertain: row 2, 1 * e^-0.5, against
    # row 1, 0.004 * e^-0.1. Then what is left.
    assert picks == [(0, "uncertain"), (3, "diverse"), (2, "uncertain"), (1, "diverse")]
    # What was chosen earlier pushes its like to the end: row 0 is at distance 0 now.
    centre = vectors[:1]
    assert [place for place, _ in spread(vectors, margins, centres=centre)] == [2, 3, 1, 0]


def test_greedy_k_center_covers_within_twice_the_optimum() -> None:
    """Gonzalez (1985), compared with brute force over all triples of centres."""
    from itertools import combinations

    vectors = encode([str(number) for number in range(14)])
    gaps = 1 - vectors @ vectors.T
    chosen = [
        place
        for place, _ in spread(vectors, np.zeros(14), centres=np.empty((0, 8), dtype=np.float32))
    ][:3]
    # On the unit sphere the root of 1 - cosine is a metric.
    radius = np.sqrt(np.maximum(gaps, 0))
    covered = radius[:, chosen].min(axis=1).max()
    best = min(radius[:, list(some)].min(axis=1).max() for some in combinations(range(14), 3))
    assert covered <= 2 * best + 1e-6


def test_only_the_least_certain_are_compared_by_meaning() -> None:
    asked: list[str] = []

    def remember(sentences: Sequence[str]) -> Vectors:
        asked.extend(sentences)
        return encode(sentences)

    config = LabellingConfig(shortlist=10, random_share=0)
    pool = make_pool(100)
    order = order_questions(pool, centres=["An old one."], encode=remember, config=config)
    near = sorted(pool, key=lambda one: find_margin(one.probability or 0, 0.7))[:10]
    assert {*asked} == {*(one.question.sentence for one in near), "An old one."}
    assert [q.chosen_by for q in order.questions[:3]] == ["uncertain", "diverse", "uncertain"]
    assert {q.chosen_by for q in order.questions[10:]} == {"uncertain"}
    assert len(order.questions) == 100


def test_judged_triples_and_copies_are_not_asked() -> None:
    pool = make_pool(30)
    judged = {entry.question.triple_id for entry in pool[:10]}
    order = order_questions([*pool, *pool], judged=judged, encode=encode, config=LabellingConfig())
    assert {q.triple_id for q in order.questions} == {e.question.triple_id for e in pool[10:]}
    assert len(order.questions) == 20


def test_a_large_pool_is_read_once_and_kept_in_part() -> None:
    kept = LabellingConfig(capacity=50, random_share=0.5)

    def stream() -> Iterator[Scored]:
        yield from make_pool(1_000)

    order = order_questions(stream(), config=kept)
    assert (len(order.questions), order.candidates, order.left_out) == (100, 1_000, 900)
    whole = order_questions(stream(), config=LabellingConfig(random_share=0.5))
    drawn = [q for q in whole.questions if q.chosen_by == "random"][:50]
    assert [q for q in order.questions if q.chosen_by == "random"] == drawn


def test_a_threshold_that_accepts_nothing_is_a_threshold_all_the_same() -> None:
    pool = [Scored(make_question(number), number / 10, 1.0) for number in range(11)]
    config = LabellingConfig(random_share=0)
    asked = order_questions(pool, config=config).questions
    assert asked[0] == pool[10].question.model_copy(update={"chosen_by": "uncertain"})


def test_an_empty_pool_asks_nothing() -> None:
    assert order_questions([], encode=encode, config=LabellingConfig()).questions == []
