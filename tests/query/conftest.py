"""An encoder without weights, the made run as an open graph, and a real graph in two stores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from kgbuild.core.config import StoreConfig
from kgbuild.core.ids import triple_id
from kgbuild.core.records import Edge
from kgbuild.query import Graph, open_graph
from kgbuild.query.saved_queries import load_queries
from kgbuild.store import open_store
from kgbuild.store.memory import MemoryStore
from kgbuild.store.neo4j_server import Server
from kgbuild.store.neo4j_store import Neo4jStore, find_address
from tests.conftest import wipe_neo4j
from tests.label_graph import NAMES, accepted_near, rejected_near

_WORDS = ("bake", "cake", "bus", "miss", "proud", "tired", "kitchen", "eat", "run")


class WordEncoder:
    """Puts a text where its known words are, and counts the texts."""

    key = "words"

    def __init__(self) -> None:
        self.encoded = 0

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.encoded += len(texts)
        rows = [[1.0 if word[:3] in text else 0.01 for word in _WORDS] for text in texts]
        vectors = np.array(rows, dtype=np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def encoder() -> WordEncoder:
    return WordEncoder()


@pytest.fixture(params=["run", "memory"])
def graph(
    request: pytest.FixtureRequest, made_run: Path, made_edges: list[Edge]
) -> Iterator[Graph]:
    """Every promise holds for a run in ladybug and for a bare store in memory."""
    if request.param == "run":
        with open_graph(made_run) as opened:
            yield opened
        return
    store = MemoryStore(relations={edge.relation for edge in made_edges})
    store.load_edges(made_edges)
    with Graph(store) as opened:
        yield opened


@pytest.fixture(scope="module")
def real_edges() -> list[Edge]:
    phrases = {text for query in load_queries() for text in query.examples.values()}
    edges = accepted_near([*phrases, "thermometer"])
    # Readers accept no contradiction, so that one is made.
    denial = next(edge for edge in edges if edge.relation == "NotDesires")
    claim = {"relation": "Desires", "polarity": "positive"}
    claim["triple_id"] = triple_id(denial.head, "Desires", denial.tail)
    return [*edges, denial.model_copy(update=claim)]


@pytest.fixture(scope="module")
def in_ladybug(real_edges: list[Edge], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    path = tmp_path_factory.mktemp("queries") / "graph.lbdb"
    with open_store(path, config=StoreConfig(), relations=NAMES) as store:
        store.load_edges(real_edges)
    with open_graph(path) as graph:
        yield graph


@pytest.fixture(scope="module")
def in_neo4j(real_edges: list[Edge], neo4j_server: Server) -> Iterator[Graph]:
    wipe_neo4j(neo4j_server)
    address = find_address(neo4j_server.uri, credentials=neo4j_server.credentials)
    with Neo4jStore(address, relations=NAMES) as store:
        store.load_edges(real_edges)
        store.load_rejected([rejected_near({edge.head for edge in real_edges[:50]})])
    with open_graph(neo4j_server.uri, credentials=neo4j_server.credentials) as graph:
        yield graph
    wipe_neo4j(neo4j_server)
