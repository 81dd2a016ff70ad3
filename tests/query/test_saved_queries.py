"""Every saved query on a real graph in a real server, and on ladybug where it can be asked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from kgbuild.core.errors import FileError, StoreError
from kgbuild.core.records import Edge
from kgbuild.query import Graph
from kgbuild.query.saved_queries import QueryParameter, SavedQuery, load_queries
from tests.label_graph import NAMES

QUERIES = load_queries()
# They ask for what only a server has.
SERVER_ONLY = {"rejected", "search_words"}
TABLES = {"relation_counts", "how_it_was_made"}
MOST_ROWS = 60
HOSTILE = "a \"quoted\" 'text' \\ with `ticks`, \n lines, 🎂, مرحبا // [ {$x}) RETURN 1 ;"


def read_edges(rows: list[dict[str, Any]]) -> set[str]:
    """Give the ids of the edges on the paths of an answer."""
    paths = [value for row in rows for value in row.values() if isinstance(value, dict)]
    return {edge["triple_id"] for path in paths for edge in path["_RELS"]}


@pytest.mark.neo4j
@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_a_saved_query_gives_rows_on_the_server(query: SavedQuery, in_neo4j: Graph) -> None:
    rows = in_neo4j.cypher(query.statement, **query.examples)
    assert 0 < len(rows) <= MOST_ROWS
    assert bool(read_edges(rows)) is (query.name not in TABLES)
    assert in_neo4j.cypher(query.browser_script()) == rows


@pytest.mark.neo4j
@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_a_saved_query_means_the_same_on_ladybug(
    query: SavedQuery, in_neo4j: Graph, in_ladybug: Graph
) -> None:
    if query.name in SERVER_ONLY:
        with pytest.raises(StoreError):
            in_ladybug.cypher(query.statement, **query.examples)
        return
    here = in_ladybug.cypher(query.statement, **query.examples)
    there = in_neo4j.cypher(query.statement, **query.examples)
    if query.name in TABLES:
        assert len(here) == len(there)
        for ours, theirs in zip(here, there, strict=True):
            assert ours == pytest.approx(theirs)
    else:
        assert read_edges(here) == read_edges(there)


# The words of a full-text search are in the index's own language; `kgbuild query find` takes any.
@pytest.mark.neo4j
@pytest.mark.parametrize(
    "query",
    [query for query in QUERIES if query.name != "search_words"],
    ids=lambda query: query.name,
)
def test_no_phrase_changes_what_a_query_asks(query: SavedQuery, in_neo4j: Graph) -> None:
    hostile = dict.fromkeys(query.examples, HOSTILE)
    rows = in_neo4j.cypher(query.statement, **hostile)
    assert (rows == []) is bool(query.parameters)


@pytest.mark.neo4j
def test_a_phrase_written_into_a_script_stays_the_same_phrase(in_neo4j: Graph) -> None:
    query = SavedQuery(
        name="echo",
        title="Echo",
        answers="what it is given",
        parameters=(QueryParameter(name="x", meaning="any text", example=HOSTILE),),
        statement="RETURN $x AS x",
    )
    assert in_neo4j.cypher(query.browser_script()) == [{"x": HOSTILE}]


@pytest.mark.neo4j
def test_only_the_audit_shows_rejected_triples(in_neo4j: Graph, real_edges: list[Edge]) -> None:
    held = {edge.triple_id for edge in real_edges}
    for query in QUERIES:
        shown = read_edges(in_neo4j.cypher(query.statement, **query.examples))
        assert shown.isdisjoint(held) if query.name == "rejected" else shown <= held


def test_there_are_queries_for_what_people_ask() -> None:
    assert len(QUERIES) >= 12
    assert len({query.title for query in QUERIES}) == len(QUERIES)
    for query in QUERIES:
        assert set(query.relations) <= {*NAMES, "REJECTED"}, query.name
        assert re.search(r"\bLIMIT \d+$", query.statement) or query.name in TABLES
        # What a limit leaves out is the query's choice, never the server's.
        for cut in re.finditer(r"\bLIMIT \d+", query.statement):
            above = query.statement[: cut.start()].rstrip().rpartition("\n")[2]
            assert re.match(r"ORDER BY .*\b(triple_id|text)$", above), query.name
        assert len(query.title) < 40, "longer titles are cut in Browser's list"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("MATCH (n) RETURN n", "does not begin with the lines"),
        ("// Title\n// Answers: all\n", "does not begin with the lines"),
        ("// Title\n// Answers: all\n// Parameter x: y\nRETURN $x", "is not `Parameter name"),
        ("// Title\n// Answers: all\nRETURN $x", "x is in the header or in the query"),
        (
            '// Title\n// Answers: all\n// Parameter x: y, such as "z"\nRETURN 1',
            "x is in the header or in the query",
        ),
    ],
)
def test_a_file_without_a_whole_header_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "odd.cypher").write_text(text)
    with pytest.raises(FileError, match=message):
        load_queries(tmp_path)


def test_a_folder_without_queries_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"holds no \.cypher files"):
        load_queries(tmp_path)
