"""The bundle is what `neo4j-admin` imports, and what comes out is the graph that went in."""

from __future__ import annotations

import csv
import os
import subprocess
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from kgbuild.core.errors import FileError, StoreError
from kgbuild.core.records import Edge
from kgbuild.core.server_config import ServerConfig
from kgbuild.core.shards import to_table
from kgbuild.store import write_admin_bundle
from kgbuild.store.batches import EDGE_SCHEMA, FACETS
from kgbuild.store.neo4j_server import (
    Server,
    ServerHome,
    fetch_jars,
    find_java,
    start_server,
    stop_server,
)
from kgbuild.store.neo4j_store import Neo4jStore, find_address
from tests.conftest import make_edges
from tests.corpus.conftest import HOSTILE, make_edge

Ask = Callable[..., list[dict[str, Any]]]


def order(edge: Edge) -> tuple[str, str, str]:
    return edge.relation, edge.head, edge.tail


@pytest.fixture(scope="module")
def edges() -> list[Edge]:
    """Ordinary edges and hostile ones, with and without a prior, in the graph's order."""
    made = [make_edge(f"PersonX types {text}", "xWant", text) for text in HOSTILE]
    made += [make_edge("PersonX types", "xReact", text) for text in HOSTILE]
    # A tail that is a head elsewhere is one node, of the head's kind.
    made += [make_edge("PersonX sings", "xEffect", "PersonX types")]
    return sorted([*made, *make_edges()], key=order)


def read_rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}-header.csv").open(encoding="utf-8", newline="") as opened:
        [header] = csv.reader(opened)
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as opened:
        return [dict(zip(header, row, strict=True)) for row in csv.reader(opened, strict=True)]


def test_the_files_are_rfc_4180_and_hold_every_text(edges: list[Edge], tmp_path: Path) -> None:
    assert write_admin_bundle([to_table(edges, Edge)], tmp_path / "b") == len(edges)
    phrases = {row["id:ID(Phrase)"]: row["text"] for row in read_rows(tmp_path / "b", "phrases")}
    expected = {edge.head_id: edge.head for edge in edges} | {
        edge.tail_id: edge.tail for edge in edges
    }
    assert phrases == expected
    rows = read_rows(tmp_path / "b", "relationships")
    assert [row["triple_id"] for row in rows] == [edge.triple_id for edge in edges]
    assert [row["sentence"] for row in rows] == [edge.sentence for edge in edges]
    assert {row[":TYPE"] for row in rows} == {edge.relation for edge in edges}
    # An absent number is an empty field; an empty text would be "".
    [absent, *_] = [row for row in rows if row["kind"] == "event" and row["run"] == "r"]
    assert absent["prior_log_probability:double"] == ""
    content = (tmp_path / "b" / "phrases.csv").read_text(encoding="utf-8")
    assert '"proud","",\n' in content


def test_a_phrase_is_one_node_of_its_heads_kind(edges: list[Edge], tmp_path: Path) -> None:
    write_admin_bundle([to_table(edges, Edge)], tmp_path / "b")
    nodes = read_rows(tmp_path / "b", "phrases")
    assert [node["kind"] for node in nodes if node["text"] == "PersonX types"] == ["event"]
    assert [node["kind"] for node in nodes if node["text"] == "proud"] == [""]


def test_tables_of_any_size_give_the_same_bytes(edges: list[Edge], tmp_path: Path) -> None:
    table = to_table(edges, Edge)
    written = []
    for size in (1, 7, len(edges)):
        parts = [table.slice(start, size) for start in range(0, len(edges), size)]
        write_admin_bundle(parts, tmp_path / "b")
        written.append({path.name: path.read_bytes() for path in (tmp_path / "b").iterdir()})
    assert written[0] == written[1] == written[2]
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_memory_does_not_grow_with_the_graph(edges: list[Edge], tmp_path: Path) -> None:
    table = to_table(edges, Edge)

    def peak(count: int) -> tuple[int, int]:
        pa.default_memory_pool().release_unused()
        before = pa.total_allocated_bytes()
        highest = 0

        def tables() -> Iterator[pa.Table]:
            nonlocal highest
            for _ in range(count):
                highest = max(highest, pa.total_allocated_bytes() - before)
                yield table

        tracemalloc.start()
        try:
            write_admin_bundle(tables(), tmp_path / "b")
            return tracemalloc.get_traced_memory()[1], highest
        finally:
            tracemalloc.stop()

    peak(5)
    (small, small_arrow), (large, large_arrow) = peak(20), peak(200)
    assert large < small * 1.3 + 100_000
    assert large_arrow < small_arrow * 1.3 + 100_000


def test_other_content_and_bad_values_are_refused(edges: list[Edge], tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "thesis.md").write_text("x")
    with pytest.raises(FileError, match=r"thesis\.md"):
        write_admin_bundle([to_table(edges, Edge)], tmp_path / "b")
    broken = edges[0].model_copy(update={"log_probability": float("nan")})
    with pytest.raises(StoreError, match="log_probability=nan"):
        write_admin_bundle([to_table([broken], Edge)], tmp_path / "c")
    injected = edges[0].model_copy(update={"relation": "x`)-[]-() DETACH DELETE n //"})
    with pytest.raises(StoreError, match="cannot name a relationship type"):
        write_admin_bundle([to_table([injected], Edge)], tmp_path / "c")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b"]


@pytest.fixture(scope="module")
def imported(
    edges: list[Edge], tmp_path_factory: pytest.TempPathFactory, neo4j_config: ServerConfig
) -> Iterator[ServerHome]:
    """A running server whose database came out of a bundle by its own script."""
    # A comma, a space and a quote in the path must not reach neo4j-admin's lists.
    folder = tmp_path_factory.mktemp("it's a, bundle") / "bundle"
    write_admin_bundle([to_table(edges, Edge)], folder)
    home = ServerHome(tmp_path_factory.mktemp("imported") / "home")
    home.make()
    admin = folder.parent / "neo4j-admin"
    admin.write_text(
        f'#!/bin/sh\nexec "{find_java()}" -Xmx512m --add-opens=java.base/java.nio=ALL-UNNAMED '
        f"-cp '{fetch_jars()}/*' org.neo4j.cli.AdminTool \"$@\"\n"
    )
    admin.chmod(0o755)
    done = subprocess.run(
        [str(folder / "import-5.sh"), "neo4j", "--verbose"],
        env={
            **os.environ,
            "NEO4J_ADMIN": str(admin),
            "NEO4J_HOME": str(home.path),
            "NEO4J_CONF": str(home.conf),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    start_server(home.path, config=neo4j_config)
    yield home
    stop_server(home.path)


@contextmanager
def asking(home: ServerHome) -> Iterator[Ask]:
    """Run Cypher on a server by the bare driver."""
    import neo4j

    uri = f"bolt://127.0.0.1:{home.read_state()['bolt']}"
    with neo4j.GraphDatabase.driver(uri, auth=("neo4j", home.read_password())) as driver:
        yield lambda text, **params: [
            record.data() for record in driver.execute_query(text, params).records
        ]


@pytest.fixture(scope="module")
def ask(imported: ServerHome) -> Iterator[Ask]:
    """Run Cypher on the imported database."""
    with asking(imported) as run:
        yield run


def open_server(home: Path, *, relations: Iterable[str]) -> Neo4jStore:
    """Open the graph of a server as `kgbuild push` does."""
    place = ServerHome(home)
    address = find_address(
        f"bolt://127.0.0.1:{place.read_state()['bolt']}", credentials=place.credentials
    )
    return Neo4jStore(address, relations=relations)


@pytest.mark.neo4j
def test_neo4j_admin_imports_every_node_and_relationship(edges: list[Edge], ask: Ask) -> None:
    phrases = {end for edge in edges for end in (edge.head_id, edge.tail_id)}
    assert ask("MATCH (p:Phrase) RETURN count(*) AS count") == [{"count": len(phrases)}]
    counted = ask("MATCH (:Phrase)-[r]->(:Phrase) RETURN type(r) AS name, count(*) AS count")
    assert {row["name"]: row["count"] for row in counted} == {
        relation: sum(edge.relation == relation for edge in edges)
        for relation in {edge.relation for edge in edges}
    }


@pytest.mark.neo4j
def test_every_imported_value_is_the_one_that_was_exported(edges: list[Edge], ask: Ask) -> None:
    rows = ask(
        "MATCH (h:Phrase)-[r]->(t:Phrase) RETURN h.id AS head_id, h.text AS head, "
        "type(r) AS relation, t.id AS tail_id, t.text AS tail, properties(r) AS facets"
    )
    found = [
        Edge.model_validate(
            dict.fromkeys(FACETS) | row["facets"] | {k: v for k, v in row.items() if k != "facets"}
        )
        for row in rows
    ]
    assert sorted(found, key=order) == edges
    # No property without a value, none that an edge does not have.
    assert all(set(row["facets"]) <= set(FACETS) for row in rows)
    assert EDGE_SCHEMA.names[:2] == ["triple_id", "head_id"]


def schema_of(ask: Ask) -> list[tuple[Any, ...]]:
    """Every constraint and index, as a server lists them."""
    constraints = ask(
        "SHOW CONSTRAINTS YIELD name, type, labelsOrTypes, properties "
        "RETURN name, type, labelsOrTypes, properties"
    )
    indexes = ask(
        "SHOW INDEXES YIELD name, type, state, labelsOrTypes, properties "
        "RETURN name, type, state, labelsOrTypes, properties"
    )
    return sorted(str(row) for row in [*constraints, *indexes])


@pytest.mark.neo4j
def test_an_imported_graph_is_the_one_that_is_pushed(
    edges: list[Edge],
    imported: ServerHome,
    ask: Ask,
    clean_neo4j: Server,
    tmp_path: Path,
) -> None:
    """Same nodes with the same labels, same relationships, same constraints and indexes."""
    write_admin_bundle([to_table(edges, Edge)], tmp_path / "b")
    script = (tmp_path / "b" / "constraints-5.cypher").read_text(encoding="utf-8")
    for statement in script.split(";\n"):
        if statement:
            ask(statement)
    ask("CALL db.awaitIndexes(120)")
    names = {edge.relation for edge in edges}
    with open_server(clean_neo4j.home, relations=names) as pushed:
        pushed.load_edges(edges)
    with asking(ServerHome(clean_neo4j.home)) as ask_pushed:
        for what in (
            "MATCH (p:Phrase) RETURN labels(p) AS labels, properties(p) AS held ORDER BY p.id",
            "MATCH (:Phrase)-[r]->(:Phrase) RETURN type(r) AS type, properties(r) AS held, "
            "startNode(r).id AS head, endNode(r).id AS tail ORDER BY r.triple_id",
            "MATCH (m:KgbuildMeta) WHERE m.value IS NOT NULL "
            "RETURN m.key AS key, m.value AS value ORDER BY key",
        ):
            assert ask(what) == ask_pushed(what)
        assert schema_of(ask) == schema_of(ask_pushed)


@pytest.mark.neo4j
def test_an_imported_graph_is_queried_and_pushed_to(
    edges: list[Edge], imported: ServerHome
) -> None:
    with open_server(imported.path, relations={edge.relation for edge in edges}) as store:
        assert list(store.edges()) == edges
        tails = store.tails(edges[0].head_id, edges[0].relation)
        assert edges[0] in tails
        # A push of the same edges finds them all.
        report = store.load_edges(edges)
        assert (report.unchanged, report.added_edges, report.updated) == (len(edges), 0, 0)
        assert report.added_nodes == 0
