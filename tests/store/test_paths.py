"""Paths are compared with networkx, which walks every simple path."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import networkx
import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given
from hypothesis import strategies as st

from kgbuild.store.paths import Direction, find_paths

PHRASES = "abcdef"


@given(
    ends=st.lists(st.tuples(st.sampled_from(PHRASES), st.sampled_from(PHRASES)), max_size=14),
    max_length=st.integers(1, 5),
    is_directed=st.booleans(),
)
def test_every_simple_path_is_found_once_and_in_order(
    ends: list[tuple[str, str]], max_length: int, is_directed: bool
) -> None:
    triples = [f"t{number:02}" for number in range(len(ends))]
    table = pa.table(
        {
            "triple_id": pa.array(triples, pa.string()),
            "head_id": pa.array([head for head, _ in ends], pa.string()),
            "tail_id": pa.array([tail for _, tail in ends], pa.string()),
        }
    )

    def incident(phrases: Sequence[str], direction: Direction) -> pa.Table:
        wanted = pa.array(phrases, pa.string())
        leaves = pc.is_in(table["head_id"], value_set=wanted)
        enters = pc.is_in(table["tail_id"], value_set=wanted)
        chosen = {"out": leaves, "in": enters, "both": pc.or_(leaves, enters)}
        return table.filter(chosen[direction])

    found = list(find_paths(incident, "a", "b", max_length=max_length, is_directed=is_directed))

    graph = networkx.MultiDiGraph() if is_directed else networkx.MultiGraph()
    graph.add_nodes_from(PHRASES)
    for triple, (head, tail) in zip(triples, ends, strict=True):
        graph.add_edge(head, tail, key=triple)
    expected = {
        tuple(key for _, _, key in path)
        for path in networkx.all_simple_edge_paths(graph, "a", "b", cutoff=max_length)
    }
    assert sorted(found) == sorted(expected)
    keys = [(len(path), path) for path in found]
    assert all(first < second for first, second in pairwise(keys))
