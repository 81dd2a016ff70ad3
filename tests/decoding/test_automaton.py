from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kgbuild.decoding.automaton import Automaton

WORDS = st.text(alphabet="abc", min_size=1, max_size=5)


@given(patterns=st.lists(WORDS, min_size=1, max_size=6, unique=True), text=st.text("abc"))
def test_it_finds_what_naive_search_finds_after_every_symbol(
    patterns: list[str], text: str
) -> None:
    automaton = Automaton(patterns)
    node = 0
    for place, symbol in enumerate(text):
        node = automaton.step(node, symbol)
        read = text[: place + 1]
        ended = sorted(patterns[index] for index in automaton.endings[node])
        assert ended == sorted(pattern for pattern in patterns if read.endswith(pattern))
        alive = {(patterns[index], depth) for index, depth in automaton.list_alive(node)}
        assert alive == {
            (pattern, depth)
            for pattern in patterns
            for depth in range(1, len(pattern) + 1)
            if read.endswith(pattern[:depth])
        }


def test_a_pattern_that_overlaps_itself_survives_a_mismatch() -> None:
    automaton = Automaton(["ababc"])
    node = 0
    for symbol in "abababc":
        node = automaton.step(node, symbol)
    assert automaton.endings[node] == (0,)
