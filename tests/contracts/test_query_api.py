"""Every query of the query API, on every store, with the same rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kgbuild.core.config import StoreConfig
from kgbuild.core.errors import KgbuildError
from kgbuild.core.ids import phrase_id, triple_id
from kgbuild.core.records import Edge, Record
from kgbuild.query import Graph
from kgbuild.store import GraphStore, load_edges, open_store
from kgbuild.store.neo4j_server import Server
from kgbuild.store.neo4j_store import Neo4jStore, find_address
from tests.conftest import BAKES, CAKE, MISSES, make_edges, wipe_neo4j
from tests.query.conftest import WordEncoder

RELATIONS = ("xReact", "xWant", "xNeed", "AtLocation", "Causes")
Question = Callable[[Graph], Any]


def more_edges() -> list[Edge]:
    """The made graph, with a loop, a cycle and words that are hard on a server."""
    edges = make_edges()
    pattern = edges[0]
    hard = ('says "hi"\nto you', "\\ back 🎂", "שלום [עולם]", "[a TO z]")
    links = [(MISSES, "xNeed", BAKES), (BAKES, "Causes", MISSES), (BAKES, "xWant", BAKES)]
    links += [(CAKE, "Causes", text) for text in hard]
    links += [(text, "xNeed", CAKE) for text in hard]
    for place, (head, relation, tail) in enumerate(links):
        edges.append(
            pattern.model_copy(
                update={
                    "triple_id": triple_id(head, relation, tail),
                    "head_id": phrase_id(head),
                    "tail_id": phrase_id(tail),
                    "head": head,
                    "relation": relation,
                    "tail": tail,
                    "probability": 0.5 + place / 100,
                    "prior_log_probability": None if place % 2 else -4.5,
                    "round": place % 3,
                }
            )
        )
    return edges


@pytest.fixture(scope="module")
def memory() -> Iterator[Graph]:
    """The store that is a plain dictionary says what is right."""
    with open_store(None, config=StoreConfig(kind="memory"), relations=RELATIONS) as store:
        load_edges(more_edges(), store=store)
        yield Graph(store, encoder=WordEncoder())


@pytest.fixture(scope="module", params=["ladybug", pytest.param("neo4j", marks=pytest.mark.neo4j)])
def graph(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Graph]:
    folder = tmp_path_factory.mktemp("graphs")
    store: GraphStore
    if request.param == "ladybug":
        store = open_store(folder / "g.lbug", config=StoreConfig(), relations=RELATIONS)
    else:
        server: Server = request.getfixturevalue("neo4j_server")
        wipe_neo4j(server)
        address = find_address(server.uri, credentials=server.credentials)
        store = Neo4jStore(address, relations=RELATIONS)
    with store:
        load_edges(more_edges(), store=store)
        if isinstance(store, Neo4jStore):
            encoder = WordEncoder()
            list(store.add_vectors(encoder.encode, encoder=encoder.key, dimensions=9))
        yield Graph(store, encoder=WordEncoder(), folder=folder)


QUESTIONS: dict[str, Question] = {
    "tails": lambda graph: graph.tails(BAKES),
    "tails of one relation": lambda graph: graph.tails(BAKES, "xReact"),
    "tails of a relation that the head lacks": lambda graph: graph.tails(CAKE, "xReact"),
    "tails in another spelling": lambda graph: graph.tails("personx  BAKES a cake", limit=2),
    "tails of quotes and line ends": lambda graph: graph.tails('says "hi"\nto you'),
    "tails right to left": lambda graph: graph.tails("שלום [עולם]"),
    "heads": lambda graph: graph.heads("tired"),
    "heads of one relation": lambda graph: graph.heads(CAKE, "xNeed"),
    "heads of a backslash and a picture": lambda graph: graph.heads("\\ back 🎂"),
    "neighbours": lambda graph: graph.neighbours("proud", depth=3),
    "neighbours, cut": lambda graph: graph.neighbours(BAKES, depth=2, limit=4),
    "paths": lambda graph: graph.paths(BAKES, "tired", max_length=3),
    "paths by a shared tail": lambda graph: graph.paths(MISSES, "proud", max_length=4),
    "directed paths": lambda graph: graph.paths(MISSES, "proud", is_directed=True),
    "no path": lambda graph: graph.paths("kitchen", "proud"),
    "words": lambda graph: graph.find("cake"),
    "words of a query language": lambda graph: graph.find("[a TO z]"),
    "hebrew words": lambda graph: graph.find("עולם"),
    "why": lambda graph: graph.why(BAKES, "xReact", "proud"),
    "counts": lambda graph: graph.counts(),
    "arrow": lambda graph: graph.to_arrow().to_pylist(),
    "arrow of two relations": lambda graph: graph.to_arrow("xReact", "xNeed").to_pylist(),
    "batches": lambda graph: [
        row for table in graph.edge_tables("xWant") for row in table.to_pylist()
    ],
    "pandas": lambda graph: graph.to_pandas("Causes").to_json(orient="records"),
    "networkx": lambda graph: sorted(graph.to_networkx().edges(keys=True, data=True), key=str),
    "networkx nodes": lambda graph: sorted(graph.to_networkx().nodes(data=True)),
}


def plain(answer: Any) -> Any:
    if isinstance(answer, Record):
        return answer.model_dump(mode="json")
    return [plain(entry) for entry in answer] if isinstance(answer, list) else answer


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_store_gives_the_same_rows(graph: Graph, memory: Graph, name: str) -> None:
    wanted = plain(QUESTIONS[name](memory))
    assert plain(QUESTIONS[name](graph)) == wanted
    assert wanted or name in ("tails of a relation that the head lacks", "no path")


@pytest.mark.parametrize("kind", [None, "event", "concept"])
def test_every_store_finds_the_same_phrases_by_meaning(
    graph: Graph, memory: Graph, kind: str | None, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KGBUILD_CACHE", str(tmp_path))
    wanted = {hit.text: hit.similarity for hit in memory.search("a cake", kind=kind, limit=20)}
    found = {hit.text: hit.similarity for hit in graph.search("a cake", kind=kind, limit=20)}
    assert found == pytest.approx(wanted, abs=2e-3)


@pytest.mark.parametrize(
    "ask",
    [
        lambda graph: graph.tails("PersonX bakes a cakes"),
        lambda graph: graph.heads("prowd"),
        lambda graph: graph.tails(BAKES, "xReakt"),
        lambda graph: graph.neighbours("nobody knows this"),
        lambda graph: graph.paths(BAKES, "kitchens"),
        lambda graph: graph.find("?!"),
        lambda graph: graph.why(BAKES, "xReact", "blue"),
        lambda graph: graph.to_arrow("xReakt"),
    ],
)
def test_every_store_refuses_with_the_same_words(
    graph: Graph, memory: Graph, ask: Question
) -> None:
    with pytest.raises(KgbuildError) as wanted:
        ask(memory)
    with pytest.raises(KgbuildError) as found:
        ask(graph)
    assert str(found.value) == str(wanted.value)


CYPHER = {
    "MATCH (h:Phrase)-[r:xReact]->(t:Phrase) RETURN h.text AS head, t.text AS tail, "
    "r.probability AS probability ORDER BY probability DESC, head, tail": {},
    "MATCH (p:Phrase) WHERE p.text = $text RETURN p.kind AS kind": {"text": BAKES},
    "MATCH (p:Phrase) WHERE p.text STARTS WITH $start RETURN p.text AS text ORDER BY text": {
        "start": "["
    },
    "MATCH (:Phrase)-[r:xNeed|Causes]->(:Phrase) WHERE r.round = $round AND r.probability >= 0.5 "
    "RETURN count(*) AS edges": {"round": 1},
    "MATCH (:Phrase)-[r:Causes]->(t:Phrase) WHERE r.prior_log_probability IS NULL "
    "RETURN t.text AS text ORDER BY text": {},
    "MATCH (a:Phrase)-[:xReact]->(m:Phrase)<-[:xReact]-(b:Phrase) WHERE a.text < b.text "
    "RETURN a.text AS one, m.text AS shared, b.text AS other": {},
    "MATCH (h:Phrase)-[r:xReact]->(:Phrase) WHERE r.teacher = $teacher AND r.source = 'teacher' "
    "AND r.polarity = 'positive' AND r.run = 'run1' AND r.cluster_size > 1 "
    "AND r.probability > r.threshold RETURN h.text AS head, r.critic AS critic": {
        "teacher": "tiny"
    },
    "UNWIND [3, 1, 2] AS n RETURN n ORDER BY n": {},
}


@pytest.mark.neo4j
@pytest.mark.parametrize("text", CYPHER)
def test_one_cypher_gives_the_same_rows_on_two_servers(
    neo4j_server: Server, tmp_path: Any, text: str
) -> None:
    address = find_address(neo4j_server.uri, credentials=neo4j_server.credentials)
    with (
        open_store(tmp_path / "g.lbug", config=StoreConfig(), relations=RELATIONS) as embedded,
        Neo4jStore(address, relations=RELATIONS) as server,
    ):
        for store in (embedded, server):
            store.load_edges(more_edges())
        wanted = embedded.cypher(text, **CYPHER[text])
        assert wanted
        assert server.cypher(text, **CYPHER[text]) == wanted
