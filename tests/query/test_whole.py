"""The whole graph as tables and networks of other libraries."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas
import polars
import pyarrow as pa
import pytest

from kgbuild.core.config import StoreConfig
from kgbuild.core.errors import ExtraError, RelationError
from kgbuild.core.ids import phrase_id, triple_id
from kgbuild.core.records import Edge
from kgbuild.core.shards import arrow_schema
from kgbuild.query import Graph
from kgbuild.store import open_store

MANY = 20_000


@pytest.fixture(scope="module")
def many_edges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    """A ladybug store with as many edges as several batches hold, of two relations."""
    heads = [f"PersonX does thing {number % 500}" for number in range(MANY)]
    tails = [f"tail {number}" for number in range(MANY)]
    names = ["xReact" if number % 2 else "xWant" for number in range(MANY)]
    given = {
        "triple_id": [triple_id(*parts) for parts in zip(heads, names, tails, strict=True)],
        "head_id": [phrase_id(head) for head in heads],
        "tail_id": [phrase_id(tail) for tail in tails],
        "head": heads,
        "relation": names,
        "tail": tails,
        "kind": ["event"] * MANY,
        "probability": np.linspace(0, 1, MANY),
    }
    schema = arrow_schema(Edge)
    for field in schema:
        blank = {pa.string(): "same", pa.int64(): 1, pa.float64(): -1.0}[field.type]
        given.setdefault(field.name, [blank] * MANY)
    path = tmp_path_factory.mktemp("many") / "graph.lbdb"
    with open_store(path, config=StoreConfig(), relations=["xReact", "xWant"]) as store:
        store.load_edges([pa.table(given, schema=schema)])
        yield Graph(store)


def test_arrow_gets_every_edge_by_relation_head_and_tail(
    graph: Graph, made_edges: list[Edge]
) -> None:
    table = graph.to_arrow()
    assert table.schema == arrow_schema(Edge)
    ordered = sorted(made_edges, key=lambda edge: (edge.relation, edge.head, edge.tail))
    assert [Edge.model_validate(row) for row in table.to_pylist()] == ordered


def test_a_relation_gives_its_own_edges_and_one_without_edges_an_empty_table(graph: Graph) -> None:
    assert set(graph.to_arrow("xWant", "AtLocation")["relation"].to_pylist()) == {
        "xWant",
        "AtLocation",
    }
    empty = graph.to_arrow("UsedFor")
    assert (empty.num_rows, empty.schema) == (0, arrow_schema(Edge))


def test_pandas_and_polars_hold_the_same_rows_as_arrow(graph: Graph) -> None:
    rows = graph.to_arrow("xReact").to_pylist()
    frame = graph.to_pandas("xReact")
    assert isinstance(frame, pandas.DataFrame)
    assert frame.to_dict("records") == rows
    assert frame["probability"].dtype == "float64"
    other = graph.to_polars("xReact")
    assert isinstance(other, polars.DataFrame)
    assert other.to_dicts() == rows
    assert graph.to_pandas("UsedFor").empty
    assert graph.to_polars("UsedFor").is_empty()


def test_networkx_gets_some_relations_only(graph: Graph) -> None:
    network = graph.to_networkx("AtLocation")
    assert dict(network.nodes(data="kind")) == {
        phrase_id("cake"): "concept",
        phrase_id("kitchen"): "",
    }
    assert network.edges[phrase_id("cake"), phrase_id("kitchen"), "AtLocation"]["head"] == "cake"


@pytest.mark.parametrize(
    "form", ["edge_tables", "to_arrow", "to_pandas", "to_polars", "to_networkx"]
)
def test_an_unknown_relation_is_refused_by_every_form(graph: Graph, form: str) -> None:
    with pytest.raises(RelationError, match="did you mean xReact"):
        getattr(graph, form)("xWant", "xReactt")


@pytest.mark.parametrize(
    ("form", "module", "extra"),
    [("to_pandas", "pandas", "pandas"), ("to_polars", "polars", "polars")],
)
def test_a_missing_library_is_named_with_the_extra_that_brings_it(
    graph: Graph, monkeypatch: pytest.MonkeyPatch, form: str, module: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # How Python marks what cannot be imported.
    with pytest.raises(ExtraError, match=rf"{module} is not installed.*kgbuild\[{extra}\]"):
        getattr(graph, form)()
    assert graph.to_arrow().num_rows == 6


def test_importing_kgbuild_imports_no_optional_library(made_run: Path) -> None:
    import subprocess

    code = (
        f"import sys, kgbuild; graph = kgbuild.open({str(made_run)!r}); graph.to_arrow()\n"
        "assert not {'polars', 'neo4j_viz', 'IPython'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_a_large_graph_comes_in_batches(many_edges: Graph) -> None:
    sizes = [table.num_rows for table in many_edges.edge_tables("xReact", "xWant")]
    assert sum(sizes) == MANY
    assert max(sizes) < MANY


def test_no_edge_becomes_a_python_object_on_its_way(many_edges: Graph) -> None:
    """A record of an edge takes two kilobytes; the columns of one take none of Python's memory."""
    tracemalloc.start()
    try:
        assert many_edges.to_arrow().num_rows == MANY
        _, arrow_peak = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        assert many_edges.to_polars().height == MANY
        _, polars_peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert max(arrow_peak, polars_peak) / MANY < 200
