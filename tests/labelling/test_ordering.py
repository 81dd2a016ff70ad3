from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from kgbuild.core.labelling_config import LabellingConfig
from kgbuild.labelling.ordering import Scored, Vectors, find_doubt, order_questions, spread
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
    # A quarter is near the threshold; the choice prefers those.
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
    assert np.mean(picked) > 0.6


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


def test_uncertain_questions_are_drawn_in_proportion_to_the_doubt() -> None:
    """The first of a session, over many seeds, against what the doubts promise."""
    pool = [Scored(make_question(place), (0.7, 0.3, 0.98)[place % 3], 0.7) for place in range(30)]
    doubts = [find_doubt(one.probability or 0, 0.7) for one in pool]
    assert doubts[:3] == [1.0, pytest.approx(0.524, abs=1e-3), pytest.approx(0.174, abs=1e-3)]
    kinds = {one.question.triple_id: place % 3 for place, one in enumerate(pool)}
    counts = [0, 0, 0]
    for seed in range(3000):
        config = LabellingConfig(random_share=0, seed=seed)
        counts[kinds[order_questions(pool, config=config).questions[0].triple_id]] += 1
    for count, doubt in zip(counts, doubts, strict=False):
        share = doubt / sum(doubts[:3])
        assert count / 3000 == pytest.approx(share, abs=4 * (share * (1 - share) / 3000) ** 0.5)


def test_what_is_certain_comes_up_too_but_late() -> None:
    pool = [Scored(make_question(place), 0.7 if place < 20 else 0.02, 0.7) for place in range(220)]
    doubtful = {one.question.triple_id for one in pool[:20]}
    early = 0
    for seed in range(50):
        config = LabellingConfig(random_share=0, seed=seed)
        order = order_questions(pool, config=config).questions
        assert len(order) == 220
        early += sum(one.triple_id in doubtful for one in order[:20])
    assert 10 < early / 50 < 18, "most of the first, and not all of them"


def test_diverse_and_uncertain_picks_worked_by_hand() -> None:
    # Four directions in a plane, in the order in which they were drawn.
    angles = np.radians([0, 5, 90, 180])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    none = np.empty((0, 2), dtype=np.float32)
    # uncertain: row 0 is next. diverse: row 3 (distance 2). uncertain: row 1 is next.
    picks = list(spread(vectors, centres=none))
    assert picks == [(0, "uncertain"), (3, "diverse"), (1, "uncertain"), (2, "diverse")]
    # What was chosen earlier pushes its like away: row 3 is taken, so row 2 is the farthest.
    assert [place for place, _ in spread(vectors, centres=vectors[3:])] == [0, 2, 1, 3]


def test_a_diverse_pick_is_the_farthest_from_all_before_it() -> None:
    vectors = encode([str(number) for number in range(14)])
    centres = encode(["an earlier one"])
    before = [*centres]
    left = set(range(14))
    for place, why in spread(vectors, centres=centres):
        gaps = {row: min(1 - vectors[row] @ one for one in before) for row in left}
        if why == "diverse":
            assert gaps[place] == pytest.approx(max(gaps.values()), abs=1e-5)
        else:
            assert place == min(left)
        before.append(vectors[place])
        left.remove(place)
    assert not left


def test_only_those_drawn_first_are_compared_by_meaning() -> None:
    asked: list[str] = []

    def remember(sentences: Sequence[str]) -> Vectors:
        asked.extend(sentences)
        return encode(sentences)

    config = LabellingConfig(shortlist=10, random_share=0)
    pool = make_pool(100)
    drawn = order_questions(pool, config=config).questions
    order = order_questions(pool, centres=["An old one."], encode=remember, config=config)
    assert {*asked} == {*(one.sentence for one in drawn[:10]), "An old one."}
    assert [q.chosen_by for q in order.questions[:3]] == ["uncertain", "diverse", "uncertain"]
    assert {q.triple_id for q in order.questions[:10]} == {q.triple_id for q in drawn[:10]}
    assert [q.triple_id for q in order.questions[10:]] == [q.triple_id for q in drawn[10:]]
    assert {q.chosen_by for q in order.questions[10:]} == {"uncertain"}


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
    doubts = [find_doubt(number / 10, 1.0) for number in range(11)]
    assert doubts == sorted(doubts)
    assert 0 < doubts[0] < doubts[10] == 1
    pool = [Scored(make_question(number), number / 10, 1.0) for number in range(11)]
    assert len(order_questions(pool, config=LabellingConfig(random_share=0)).questions) == 11


def test_an_empty_pool_asks_nothing() -> None:
    assert order_questions([], encode=encode, config=LabellingConfig()).questions == []
