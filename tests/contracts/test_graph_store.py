"""What every graph store promises; each one runs all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgbuild.core.config import StoreConfig
from kgbuild.core.errors import StoreError
from kgbuild.core.ids import phrase_id, triple_id
from kgbuild.core.records import Edge, HeadKind
from kgbuild.core.shards import to_table
from kgbuild.store import GraphStore, LoadReport, load_edges, open_store
from kgbuild.store.batches import edge_batches
from kgbuild.store.neo4j_server import Server
from kgbuild.store.neo4j_store import Neo4jStore, find_address
from tests.conftest import wipe_neo4j

RELATIONS = ("xReact", "xWant", "xNeed", "order", "IsA")
BAKES = "PersonX bakes a cake"
WINS = "PersonX wins a prize"


def edge(head: str, relation: str, tail: str, **facets: Any) -> Edge:
    values: dict[str, Any] = {
        "kind": HeadKind.EVENT,
        "polarity": "positive",
        "sentence": f"{head}. {tail}",
        "probability": 0.9,
        "threshold": 0.5,
        "cluster_size": 1,
        "source": "teacher",
        "teacher": "tiny",
        "teacher_hash": "00",
        "prompt_id": "p",
        "decoding": "beam",
        "log_probability": -1.5,
        "mean_log_probability": -0.5,
        "prior_log_probability": None,
        "tokens": 3,
        "clauses": 1,
        "clauses_met": 1,
        "rank": 0,
        "critic": "c",
        "run": "r",
        "round": 0,
    }
    return Edge(
        triple_id=triple_id(head, relation, tail),
        head_id=phrase_id(head),
        tail_id=phrase_id(tail),
        head=head,
        relation=relation,
        tail=tail,
        **(values | facets),
    )


GRAPH = [
    edge(BAKES, "xReact", "proud", probability=0.8),
    edge(BAKES, "xReact", "happy", probability=0.95),
    edge(BAKES, "xWant", "to eat the cake"),
    edge(WINS, "xReact", "happy", probability=0.7, prior_log_probability=-9.0),
    edge(WINS, "xNeed", BAKES),
    edge("a cake", "IsA", "a dessert", kind=HeadKind.CONCEPT),
]


@pytest.fixture(params=["memory", "ladybug", pytest.param("neo4j", marks=pytest.mark.neo4j)])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def open_new(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Callable[..., GraphStore]:
    """Open an empty store; a Neo4j server has one graph, so the one before is gone by then."""

    def open_new(
        name: str = "graph.lbug", *, relations: Sequence[str] = RELATIONS, **config: Any
    ) -> GraphStore:
        if kind == "neo4j":
            server: Server = request.getfixturevalue("neo4j_server")
            wipe_neo4j(server)
            address = find_address(server.uri, credentials=server.credentials)
            return Neo4jStore(address, relations=relations, **config)
        settings = StoreConfig(kind=kind, **config)  # type: ignore[arg-type]
        return open_store(tmp_path / name, config=settings, relations=relations)

    return open_new


@pytest.fixture
def store(open_new: Callable[..., GraphStore]) -> Iterator[GraphStore]:
    with open_new() as opened:
        yield opened


@pytest.fixture
def filled(store: GraphStore) -> GraphStore:
    store.load_edges(GRAPH)
    return store


def test_a_load_reports_what_it_added(store: GraphStore) -> None:
    assert load_edges(GRAPH, store=store) == LoadReport(added_nodes=7, added_edges=6)
    counts = store.counts()
    assert (counts.nodes, counts.edges) == (7, 6)
    assert counts.relations == {"IsA": 1, "xNeed": 1, "xReact": 3, "xWant": 1}


def test_a_second_load_changes_nothing_and_says_so(filled: GraphStore) -> None:
    before = list(filled.edges())
    assert filled.load_edges(GRAPH) == LoadReport(unchanged=6)
    assert list(filled.edges()) == before


def test_a_differing_facet_is_updated_and_nothing_else(filled: GraphStore) -> None:
    changed = edge(BAKES, "xReact", "proud", probability=0.6, prior_log_probability=-7.5)
    assert filled.load_edges([*GRAPH[1:], changed]) == LoadReport(unchanged=5, updated=1)
    assert filled.edge(changed.triple_id) == changed
    assert filled.load_edges([GRAPH[0]]) == LoadReport(updated=1)
    assert filled.edge(changed.triple_id) == GRAPH[0], "a facet can become null again"


def test_not_a_number_counts_as_unchanged(store: GraphStore) -> None:
    odd = edge(BAKES, "xReact", "tired", log_probability=float("nan"))
    store.load_edges([odd])
    assert store.load_edges([odd]) == LoadReport(unchanged=1)


def test_of_two_rows_with_one_id_the_last_counts(store: GraphStore) -> None:
    report = store.load_edges([GRAPH[0], edge(BAKES, "xReact", "proud", probability=0.1)])
    assert report.added_edges == 1
    assert [found.probability for found in store.edges()] == [0.1]


def test_arrow_columns_and_records_load_the_same(
    open_new: Callable[..., GraphStore], filled: GraphStore
) -> None:
    table = to_table(GRAPH, Edge)
    edges, phrases = list(filled.edges()), list(filled.phrases())
    with open_new("other.lbug", batch_edges=2) as other:
        assert other.load_edges([table, table.to_batches()[0]]).unchanged == 6
        assert list(other.edges()) == edges
        assert list(other.phrases()) == phrases


def test_a_table_of_something_else_is_refused(store: GraphStore) -> None:
    with pytest.raises(StoreError, match="holds no edges"):
        store.load_edges([pa.table({"head": ["a"]})])


def test_edges_come_in_one_order_whatever_order_they_were_loaded_in(
    open_new: Callable[..., GraphStore], filled: GraphStore
) -> None:
    edges = list(filled.edges())
    keys = [(e.relation, e.head, e.tail, e.triple_id) for e in edges]
    assert keys == sorted(keys)
    assert {e.relation for e in filled.edges(relations=["xReact"])} == {"xReact"}
    with open_new("other.lbug", batch_edges=1) as other:
        other.load_edges(reversed(GRAPH))
        assert list(other.edges()) == edges


def test_a_phrase_is_one_node_with_its_first_spelling(store: GraphStore) -> None:
    store.load_edges([edge(BAKES, "xReact", "happy"), edge(WINS, "xReact", "Happy.")])
    happy = [found for found in store.phrases() if found.id == phrase_id("happy")]
    assert [found.text for found in happy] == ["happy"]
    assert {found.tail for found in store.edges()} == {"happy"}


def test_a_tail_that_becomes_a_head_gets_its_kind(store: GraphStore) -> None:
    store.load_edges([GRAPH[4]])
    assert {p.text: p.kind for p in store.phrases()} == {BAKES: "", WINS: "event"}
    assert store.load_edges([GRAPH[0]]).added_nodes == 1
    assert {p.text: p.kind for p in store.phrases()}[BAKES] == "event"


def test_tails_and_heads_come_best_first(filled: GraphStore) -> None:
    assert [e.tail for e in filled.tails(phrase_id(BAKES), "xReact")] == ["happy", "proud"]
    assert len(filled.tails(phrase_id(BAKES))) == 3
    assert [e.head for e in filled.heads(phrase_id("happy"), "xReact")] == [BAKES, WINS]
    assert filled.tails(phrase_id(BAKES), "order") == []
    assert filled.tails(phrase_id("nobody knows")) == []
    assert filled.heads(phrase_id("happy"), "noSuchRelation") == []


def test_neighbours_come_near_ones_first_and_stop_at_the_limit(filled: GraphStore) -> None:
    near = filled.neighbours(phrase_id("proud"), depth=1)
    assert [e.triple_id for e in near] == [GRAPH[0].triple_id]
    wide = filled.neighbours(phrase_id("proud"), depth=2)
    assert wide[0] == GRAPH[0]
    assert len(wide) == 4
    assert len(filled.neighbours(phrase_id("proud"), depth=3)) == 5
    assert filled.neighbours(phrase_id("proud"), depth=3, limit=2) == wide[:2]
    assert filled.neighbours(phrase_id("nobody knows"), depth=2) == []


def test_paths_come_shortest_first_and_may_meet_at_a_shared_tail(filled: GraphStore) -> None:
    paths = filled.paths(phrase_id(BAKES), phrase_id(WINS), max_length=3)
    assert [[e.relation for e in path] for path in paths] == [["xNeed"], ["xReact", "xReact"]]
    assert filled.paths(phrase_id(BAKES), phrase_id(WINS), limit=1) == paths[:1]
    assert filled.paths(phrase_id(BAKES), phrase_id("a dessert"), max_length=5) == []


def test_directed_paths_follow_edges_from_head_to_tail(filled: GraphStore) -> None:
    forward = filled.paths(phrase_id(WINS), phrase_id("proud"), is_directed=True)
    assert [[e.relation for e in path] for path in forward] == [["xNeed", "xReact"]]
    assert filled.paths(phrase_id("proud"), phrase_id(WINS), is_directed=True) == []


def test_removed_edges_take_lonely_phrases_with_them(filled: GraphStore) -> None:
    gone = [GRAPH[0].triple_id, GRAPH[1].triple_id, "no such triple"]
    assert filled.remove(gone) == 2
    assert filled.edge(gone[0]) is None
    texts = {phrase.text for phrase in filled.phrases()}
    assert "proud" not in texts
    assert "happy" in texts, "another edge still leads there"
    assert filled.load_edges(GRAPH) == LoadReport(added_nodes=1, added_edges=2, unchanged=4)


def test_a_relation_that_no_pack_declares_is_refused_and_nothing_is_stored(
    filled: GraphStore,
) -> None:
    before = filled.counts()
    with pytest.raises(StoreError, match="did you mean xReact"):
        filled.load_edges([edge("new head", "xWant", "new tail"), edge(BAKES, "xReakt", "proud")])
    assert filled.counts() == before


@pytest.mark.parametrize("name", ["", "a b", "x`]->() DETACH DELETE (n", "1st", "x" * 65, "xé"])
def test_a_name_that_is_no_name_never_becomes_a_relationship_type(
    open_new: Callable[..., GraphStore], name: str
) -> None:
    with pytest.raises(StoreError, match="cannot name a relationship type"):
        open_new(relations=[name])


def test_a_word_of_the_query_language_may_name_a_relation(store: GraphStore) -> None:
    store.load_edges([edge("a", "order", "b")])
    assert [e.tail for e in store.tails(phrase_id("a"), "order")] == ["b"]


def test_an_empty_store_answers_everything_with_nothing(store: GraphStore) -> None:
    assert store.load_edges([]) == LoadReport()
    assert list(store.edges()) == []
    assert list(store.phrases()) == []
    assert store.edge("nothing") is None
    assert store.neighbours("nothing") == []
    assert store.paths("one", "other") == []
    assert store.remove(["nothing"]) == 0
    assert store.counts().edges == 0
    assert store.meta()["schema_version"] == "1"


def test_networkx_gets_the_whole_graph(filled: GraphStore) -> None:
    graph = filled.to_networkx()
    assert (len(graph), graph.number_of_edges()) == (7, 6)
    assert graph.nodes[phrase_id(BAKES)]["text"] == BAKES
    facets = graph.edges[phrase_id(BAKES), phrase_id("proud"), "xReact"]
    assert facets["probability"] == 0.8


def test_networkx_gets_some_relations_with_the_phrases_that_they_join(filled: GraphStore) -> None:
    graph = filled.to_networkx(relations=["xWant", "IsA"])
    assert sorted(key for _, _, key in graph.edges) == ["IsA", "xWant"]
    texts = {text for _, text in graph.nodes(data="text")}
    assert texts == {BAKES, "to eat the cake", "a cake", "a dessert"}
    whole = {end for end, _ in filled.to_networkx().nodes(data=True)}
    assert whole > set(graph)


def test_a_phrase_may_lead_to_itself(store: GraphStore) -> None:
    loop = edge(BAKES, "xWant", BAKES)
    store.load_edges([loop])
    assert store.neighbours(loop.head_id) == [loop]
    assert store.remove([loop.triple_id]) == 1
    assert store.counts().nodes == 0


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("cake", ["a cake", "to eat the cake", BAKES]),
        ("CAKE bakes", [BAKES]),
        ("dessert OR cake", []),
        ("cake* AND text:cake", []),
        ('"a cake" && !dessert', []),
        ("cak?", []),
        ("happi~", []),
        ("[a TO z]", []),
        ("happy)", ["happy"]),
        ("\\happy\\", ["happy"]),
    ],
)
def test_words_are_found_and_are_never_a_query(
    filled: GraphStore, text: str, found: list[str]
) -> None:
    assert [phrase.text for phrase in filled.find_phrases(text)] == found
    assert [phrase.text for phrase in filled.find_phrases(text, limit=1)] == found[:1]


def test_words_that_are_none_or_too_many_are_refused(filled: GraphStore) -> None:
    for text in ("", " ?! ", " ".join(map(str, range(65)))):
        with pytest.raises(StoreError, match="words to look for"):
            filled.find_phrases(text)


AWKWARD = [
    'it\'s "quoted" and `ticked`',
    "two\nlines\r\nand a\ttab",
    "back\\slash \\n \\",
    "a cake 🎂 👩‍👩‍👧",
    "שלום עולם",
    "[a list, not one]",
    "{id: 'x'}) DETACH DELETE (n",
    "$columns",
    "",
    "  spaced  ",
]


def test_awkward_phrases_come_back_as_they_were(store: GraphStore) -> None:
    edges = [edge(text, "xWant", text + "!") for text in AWKWARD]
    store.load_edges(edges)
    assert sorted(store.edges(), key=lambda e: e.triple_id) == sorted(
        edges, key=lambda e: e.triple_id
    )
    for wanted in edges:
        assert store.tails(wanted.head_id, "xWant") == [wanted]


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    pairs=st.lists(
        st.tuples(st.text(max_size=30), st.text(max_size=30)),
        min_size=1,
        max_size=8,
        unique_by=(lambda pair: phrase_id(pair[0]), lambda pair: phrase_id(pair[1])),
    )
)
def test_any_text_comes_back_as_it_was(store: GraphStore, pairs: list[tuple[str, str]]) -> None:
    edges = {e.triple_id: e for e in (edge(head, "xWant", tail) for head, tail in pairs)}
    store.remove([e.triple_id for e in store.edges()])
    store.load_edges(edges.values())
    found = {e.triple_id: e for e in store.edges()}
    assert found.keys() == edges.keys()
    spelling = {p.id: p.text for p in store.phrases()}
    for triple, stored in found.items():
        same = {"head": spelling[stored.head_id], "tail": spelling[stored.tail_id]}
        assert stored == edges[triple].model_copy(update=same)
        assert phrase_id(stored.head) == stored.head_id
    assert store.load_edges(edges.values()).unchanged == len(edges)


def test_a_batch_holds_no_more_than_asked() -> None:
    tables = list(edge_batches([to_table(GRAPH, Edge), *GRAPH], 4))
    assert [table.num_rows for table in tables] == [4, 4, 4]
