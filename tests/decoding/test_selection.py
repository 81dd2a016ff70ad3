from __future__ import annotations

import math

import pytest

from kgbuild.decoding.hypotheses import Hypothesis, rank_hypotheses
from kgbuild.decoding.selection import Candidate, choose_beams, draw_ranks


def candidate(rank: float, met: int, token: int = 0) -> Candidate:
    return Candidate(rank, 0, token, rank, 0, met)


def test_every_number_of_met_clauses_keeps_its_best() -> None:
    likely = [candidate(-1.0 - place, 1 << place, place) for place in range(4)]
    most = candidate(-50.0, 0b11, 9)
    assert most in choose_beams([*likely, most], beams=2, tolerance=2)
    assert choose_beams([*likely, most], beams=9, tolerance=0) == [most]


def test_groups_take_turns() -> None:
    first = [candidate(-1.0 - place / 10, 0b01, place) for place in range(3)]
    second = [candidate(-5.0 - place / 10, 0b10, 5 + place) for place in range(3)]
    chosen = choose_beams([*first, *second], beams=4, tolerance=2)
    assert [one.token for one in chosen] == [0, 5, 1, 6]


def test_one_beginning_leaves_room_for_others() -> None:
    texts = {0: "play ball", 1: "play games", 2: "play cards", 3: "to rest", 4: "eat"}
    candidates = [candidate(-float(token), 0, token) for token in texts]
    chosen = choose_beams(candidates, beams=4, tolerance=0, read_text=lambda one: texts[one.token])
    assert [one.token for one in chosen] == [0, 3, 4, 1]


def test_lists_prefer_met_then_ended_then_new_beginnings() -> None:
    def make(text: str, score: float, met: int = 1, is_ended: bool = True) -> Hypothesis:
        return Hypothesis(text, (1, 2), score, score / 2, (0,) * met, (), is_ended)

    given = [
        make("go home", -1.0),
        make("Go  home", -2.0),
        make("home again", -3.0),
        make("sleep", -4.0),
        make("rest", -0.1, is_ended=False),
        make("work", -0.1, met=0),
    ]
    plain = rank_hypotheses(given, returned=9, length_penalty=0.6)
    assert [h.text for h in plain] == ["go home", "home again", "sleep", "rest", "work"]
    diverse = rank_hypotheses(given, returned=9, length_penalty=0.6, is_diverse=True)
    assert [h.text for h in diverse] == ["go home", "sleep", "home again", "rest", "work"]


def test_a_group_is_drawn_from_in_proportion_and_repeats_by_seed() -> None:
    ranks = (math.log(0.7), math.log(0.2), math.log(0.1))
    candidates = [Candidate(rank, 0, token, rank, token, 0) for token, rank in enumerate(ranks)]
    counts = [0, 0, 0]
    draw = draw_ranks(1.0, seed=1)
    for _ in range(2000):
        counts[choose_beams(candidates, beams=1, tolerance=0, draw=draw)[0].token] += 1
    assert [count / 2000 for count in counts] == pytest.approx([0.7, 0.2, 0.1], abs=0.04)
    hot = draw_ranks(1e7, seed=1)
    firsts = [choose_beams(candidates, beams=1, tolerance=0, draw=hot)[0].token for _ in range(900)]
    assert min(map(firsts.count, range(3))) > 200
    again = draw_ranks(1e7, seed=1)
    assert firsts[:50] == [
        choose_beams(candidates, beams=1, tolerance=0, draw=again)[0].token for _ in range(50)
    ]
