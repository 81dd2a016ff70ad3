"""Edges are sorted on disk as they would be in memory."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from kgbuild.core.ids import triple_id
from kgbuild.core.records import Edge, Merge
from kgbuild.core.shards import count_rows, read_shard, write_shard, write_tables
from kgbuild.runs import edge_tables
from kgbuild.runs.clusters import ClusterSizes
from kgbuild.runs.edge_tables import EdgeTables, sort_edges
from tests.conftest import make_edges


def many_edges(count: int) -> list[Edge]:
    """Edges in no order; among them signs beyond the basic plane, and the same tail twice."""
    chance = random.Random(2)
    first = make_edges()[0]
    edges = []
    for place in range(count):
        head, tail = (chance.choice("aeé🦉﹏Zz") * chance.randint(1, 3) for _ in range(2))
        relation = chance.choice(["xWant", "xNeed", "IsA"])
        changed = {"head": head, "tail": tail, "relation": relation}
        identity = triple_id(head, relation, f"{tail}{place}")
        edges.append(first.model_copy(update={**changed, "triple_id": identity}))
    return edges


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 100])
def test_edges_come_in_the_order_of_python_whatever_is_in_memory(
    count: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(edge_tables, "_RECORDS_AT_ONCE", 8)
    monkeypatch.setattr(edge_tables, "_ROWS_AT_ONCE", 16)
    edges = many_edges(count)
    tables = list(sort_edges(iter(edges)))
    assert all(table.num_rows <= 16 for table in tables)
    assert len(tables) >= count / 16
    target = tmp_path / "part-00000.parquet"
    assert write_tables(target, tables, Edge) == count_rows(target) == count
    expected = sorted(edges, key=lambda one: (one.relation, one.head, one.tail, one.triple_id))
    assert list(read_shard(target, Edge)) == expected
    stored = EdgeTables(tmp_path)
    read = list(stored())
    assert len(read) == len(stored)
    assert [name for table in read for name in table["triple_id"].to_pylist()] == [
        edge.triple_id for edge in expected
    ]


def test_each_cluster_is_given_once_with_all_of_its_rows(tmp_path: Path) -> None:
    one, two, near, held = (triple_id("a", "r", name) for name in ("1", "2", "3", "4"))
    rows = [
        (one, one, "representative"),
        (one, one, "exact"),
        (near, one, "semantic"),
        (held, held, "in_graph"),
        (two, two, "representative"),
    ]
    merges = [
        Merge(triple_id=name, cluster_id=owner, similarity=1.0, reason=reason)
        for name, owner, reason in rows
    ]
    write_shard(tmp_path / "part-00000.parquet", merges, Merge)
    sizes = ClusterSizes(tmp_path)
    assert (one in sizes, near in sizes, held in sizes) == (True, False, False)
    assert sizes.take([near, one, held, one]) == [0, 3, 0, 0]
    assert sizes.take([two, one]) == [1, 0]


def test_no_clusters_hold_nothing(tmp_path: Path) -> None:
    write_shard(tmp_path / "part-00000.parquet", [], Merge)
    sizes = ClusterSizes(tmp_path)
    assert sizes.take([triple_id("a", "r", "1")]) == [0]
