from __future__ import annotations

from pathlib import Path

import pytest

from kgbuild.core.errors import CriticError, KgbuildError, RelationError, StoreError
from kgbuild.core.records import Edge
from kgbuild.query import Graph, open_graph
from kgbuild.store.memory import MemoryStore

BAKES, MISSES = "PersonX bakes a cake", "PersonX misses the bus"


def test_tails_come_most_probable_first(graph: Graph) -> None:
    assert [edge.tail for edge in graph.tails(BAKES, "xReact")] == ["proud", "tired"]
    assert [edge.tail for edge in graph.tails(BAKES, limit=1)] == ["proud"]


def test_a_head_is_found_under_every_spelling_of_it(graph: Graph) -> None:
    assert graph.tails(" personx  bakes a cake.", "xWant")[0].head == BAKES


def test_heads_are_those_that_lead_to_the_tail(graph: Graph) -> None:
    assert [edge.head for edge in graph.heads("tired", "xReact")] == [MISSES, BAKES]
    assert [edge.head for edge in graph.heads("kitchen")] == ["cake"]


def test_a_known_head_without_such_tails_gives_none(graph: Graph) -> None:
    assert graph.tails("cake", "UsedFor") == []


def test_an_unknown_head_is_refused_with_the_nearest_head(graph: Graph) -> None:
    with pytest.raises(KgbuildError, match="'PersonX bake a cake' is not a head.*'PersonX bakes a"):
        graph.tails("PersonX bake a cake", "xReact")


def test_a_tail_is_not_taken_for_a_head(graph: Graph) -> None:
    """'proud' is in the graph, so it has no tails rather than being unknown."""
    assert graph.tails("proud", "xReact") == []


def test_an_unknown_relation_is_refused_with_the_nearest_one(graph: Graph) -> None:
    with pytest.raises(RelationError, match="did you mean xReact"):
        graph.tails(BAKES, "xReactt")
    with pytest.raises(RelationError, match="did you mean xWant"):
        graph.why(BAKES, "xWnat", "to eat the cake")


@pytest.mark.parametrize("text", ["", " . ", "x" * 10_000, "a\x00b", "a\udc80b"])
def test_a_text_that_can_be_no_phrase_is_refused(graph: Graph, text: str) -> None:
    with pytest.raises(KgbuildError):
        graph.tails(text, "xReact")


def test_neighbours_widen_with_depth(graph: Graph) -> None:
    near = graph.neighbours("proud")
    wide = graph.neighbours("proud", depth=3)
    assert [edge.tail for edge in near] == ["proud"]
    assert {edge.head for edge in wide} == {BAKES, MISSES}
    assert wide[0] == near[0]
    with pytest.raises(KgbuildError, match="depth is 0"):
        graph.neighbours("proud", depth=0)


def test_two_events_are_joined_by_the_tail_they_share(graph: Graph) -> None:
    [path] = graph.paths(BAKES, MISSES)
    assert path.phrases == (BAKES, "tired", MISSES)
    assert path.probability == pytest.approx(0.7 * 0.8)
    assert graph.paths(BAKES, MISSES, is_directed=True) == []
    with pytest.raises(KgbuildError, match="is not a phrase of the graph"):
        graph.paths(BAKES, "PersonX misses a bus")


def test_the_whole_graph_goes_to_networkx(graph: Graph) -> None:
    network = graph.to_networkx()
    assert network.number_of_edges() == graph.counts().edges == 6
    assert {text for _, text in network.nodes(data="text")} >= {BAKES, "proud", "cake"}


def test_cypher_takes_values_as_parameters(made_run: Path) -> None:
    with open_graph(made_run) as graph:
        rows = graph.cypher(
            "MATCH (h:Phrase {text: $text})-[r:xReact]->(t) RETURN t.text AS tail ORDER BY tail",
            text=BAKES,
        )
        assert rows == [{"tail": "proud"}, {"tail": "tired"}]
        with pytest.raises(StoreError):
            graph.cypher("MATCH (n) DETACH DELETE n")


def test_a_closed_graph_says_so(made_run: Path) -> None:
    graph = open_graph(made_run)
    graph.close()
    graph.close()
    with pytest.raises(StoreError, match="closed"):
        graph.tails(BAKES)


def test_a_bare_graph_has_no_critic(made_edges: list[Edge]) -> None:
    store = MemoryStore(relations={edge.relation for edge in made_edges})
    store.load_edges(made_edges)
    with pytest.raises(CriticError, match="no critic to ask"):
        Graph(store).score(BAKES, "xReact", "proud")
