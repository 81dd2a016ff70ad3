"""Graphs and shards from before edges bore a promise are opened as they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from kgbuild.core.errors import FileError, StoreError
from kgbuild.core.records import Edge
from kgbuild.core.shards import read_shard, to_table, write_shard
from kgbuild.store import cypher
from kgbuild.store.batches import FACETS, LATER
from kgbuild.store.engine import Engine
from kgbuild.store.ladybug_store import LadybugStore

MakeEdge = Callable[..., Edge]
RELATIONS = ("xReact", "xWant")


@pytest.fixture
def earlier(tmp_path: Path, make_edge: MakeEdge) -> Path:
    """A store of the first version: its tables and its meta lack what came later."""
    path = tmp_path / "graph.lbdb"
    with LadybugStore(path, relations=RELATIONS) as store:
        store.load_edges([make_edge(number) for number in range(12)])
    engine = Engine(path, is_read_only=False)
    with engine.writing():
        for relation in RELATIONS:
            for facet in LATER:
                engine.run(f"ALTER TABLE {cypher.quote(relation)} DROP `{facet}`")
        held = " ".join(facet for facet in FACETS if facet not in LATER)
        engine.run(cypher.SET_META, key="facets", value=held)
    engine.close()
    return path


def test_a_reader_finds_every_edge_without_a_promise_and_changes_no_byte(
    earlier: Path, make_edge: MakeEdge
) -> None:
    before = earlier.read_bytes()
    edge = make_edge(1)
    with LadybugStore(earlier, is_read_only=True) as store:
        assert len(list(store.edges())) == 12
        assert store.edge(edge.triple_id) == edge
        assert edge in store.tails(edge.head_id)
        assert [found.promise for found in store.heads(edge.tail_id)] == [""]
    assert earlier.read_bytes() == before


def test_a_writer_makes_it_a_store_of_this_version(earlier: Path, make_edge: MakeEdge) -> None:
    promised = make_edge(1).model_copy(update={"promise": "0.90@0.95 each"})
    with LadybugStore(earlier, relations=RELATIONS) as store:
        assert store.load_edges([make_edge(0), promised]).updated == 1
    with LadybugStore(earlier, is_read_only=True) as store:
        assert store.meta()["facets"] == " ".join(FACETS)
        assert store.edge(promised.triple_id) == promised
        assert len(list(store.edges())) == 12
        rows = store.cypher("MATCH ()-[r:xWant]->() WHERE r.promise <> '' RETURN r.promise AS p")
        assert rows == [{"p": "0.90@0.95 each"}]


def test_a_store_with_other_facets_is_refused(earlier: Path) -> None:
    engine = Engine(earlier, is_read_only=False)
    with engine.writing():
        engine.run(cypher.SET_META, key="facets", value="triple_id kind")
    engine.close()
    with pytest.raises(StoreError, match="another version"):
        LadybugStore(earlier, is_read_only=True)


def test_a_shard_of_the_first_version_is_read_and_one_that_lacks_more_is_refused(
    tmp_path: Path, make_edge: MakeEdge
) -> None:
    edges = [make_edge(number) for number in range(3)]
    path = tmp_path / "part-00000.parquet"
    write_shard(path, edges, Edge)
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(list(LATER)), path)
    assert list(read_shard(path, Edge)) == edges
    pq.write_table(table.drop_columns(["sentence"]), path)
    with pytest.raises(FileError, match="this version"):
        list(read_shard(path, Edge))


def test_columns_of_the_first_version_are_loaded(tmp_path: Path, make_edge: MakeEdge) -> None:
    table = to_table([make_edge(0)], Edge).drop_columns(list(LATER))
    with LadybugStore(tmp_path / "graph.lbdb", relations=RELATIONS) as store:
        store.load_edges([table])
        assert list(store.edges()) == [make_edge(0)]
