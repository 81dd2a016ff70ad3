"""Sequences as a tree: nothing lost, nothing read twice, nobody sees a stranger."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kgbuild.critic.token_tree import TokenTree

SEQUENCES = st.lists(
    st.lists(st.integers(0, 3), min_size=1, max_size=6).map(tuple), min_size=1, max_size=9
)


def way_to(tree: TokenTree, place: int) -> tuple[int, ...]:
    """What a token sees, as the mask has it: those before it that it descends from."""
    return tuple(tree.tokens[other] for other in range(place + 1) if place < tree.until[other])


@given(SEQUENCES)
def test_every_sequence_is_what_its_last_token_sees(sequences: list[tuple[int, ...]]) -> None:
    tree = TokenTree.grow(list(enumerate(sequences)))
    assert sorted(tree.rows) == list(range(len(sequences)))
    for row, end in zip(tree.rows, tree.ends, strict=True):
        assert way_to(tree, end) == sequences[row]
        assert tree.depths[end] == len(sequences[row]) - 1


@given(SEQUENCES)
def test_each_beginning_is_read_once(sequences: list[tuple[int, ...]]) -> None:
    tree = TokenTree.grow(list(enumerate(sequences)))
    ways = [way_to(tree, place) for place in range(tree.width)]
    beginnings = {one[:length] for one in sequences for length in range(1, len(one) + 1)}
    assert len(ways) == len(set(ways))
    assert set(ways) == beginnings
    assert all(depth == len(way) - 1 for depth, way in zip(tree.depths, ways, strict=True))


def test_siblings_share_their_beginning_and_keep_their_order() -> None:
    tree = TokenTree.grow([(7, (1, 2, 5)), (3, (1, 2, 4)), (9, (1, 2)), (4, (1, 2, 4))])
    assert tree.rows == (9, 3, 4, 7)
    assert tree.tokens == (1, 2, 4, 5)
    assert tree.ends == (1, 2, 2, 3)
    assert tree.until == (4, 4, 3, 4)
    assert all(first <= second for first, second in pairwise(tree.ends))
