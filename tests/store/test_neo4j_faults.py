"""A push while its server falls away: nothing lost, nothing doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pyarrow as pa
import pytest

from kgbuild.core.config import StoreConfig
from kgbuild.core.errors import StoreError
from kgbuild.core.ids import phrase_id, triple_id
from kgbuild.core.records import Edge
from kgbuild.core.server_config import Neo4jConfig, ServerConfig
from kgbuild.core.shards import to_table
from kgbuild.store import LoadReport, load_edges, open_store
from kgbuild.store.neo4j_server import Server, start_server, stop_server
from kgbuild.store.neo4j_store import Neo4jStore, find_address

pytestmark = [pytest.mark.neo4j, pytest.mark.slow]
EDGES = 1_200


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, neo4j_config: ServerConfig
) -> Iterator[Server]:
    """A server that these tests may stop."""
    home = tmp_path_factory.mktemp("faults") / "home"
    yield start_server(home, config=neo4j_config)
    stop_server(home)


def make_many(pattern: Edge, name: str) -> list[Edge]:
    edges = []
    for number in range(EDGES):
        head, tail = f"PersonX {name} {number // 4}", f"to feel {name} {number % 300}"
        ids = {"head_id": phrase_id(head), "tail_id": phrase_id(tail)}
        triple = triple_id(head, "xReact", tail)
        texts = {"head": head, "tail": tail, "relation": "xReact"}
        edges.append(pattern.model_copy(update={"triple_id": triple, **ids, **texts}))
    return edges


def open_it(server: Server, *, retry_seconds: int) -> Neo4jStore:
    return Neo4jStore(
        find_address(server.uri, credentials=server.credentials),
        relations=["xReact"],
        config=Neo4jConfig(batch_edges=100, retry_seconds=retry_seconds),
    )


def in_tables(edges: Iterator[Edge]) -> Iterator[pa.Table]:
    """Give small tables, so that the store is at work when the server falls."""
    waiting: list[Edge] = []
    for edge in edges:
        waiting.append(edge)
        if len(waiting) == 50:
            yield to_table(waiting, Edge)
            waiting = []


def kill(server: Server) -> None:
    """Kill the server as a crash of the machine would."""
    process = psutil.Process(server.pid)
    process.kill()
    process.wait(30)


def test_a_server_that_comes_back_finds_the_push_waiting(
    server: Server, neo4j_config: ServerConfig, made_edges: list[Edge]
) -> None:
    edges = make_many(made_edges[0], "waits")
    began: list[Server] = []

    def restart() -> None:
        time.sleep(1)
        began.append(start_server(server.home, config=neo4j_config))

    starting = threading.Thread(target=restart)

    def give() -> Iterator[Edge]:
        for number, edge in enumerate(edges):
            if number == 500:
                kill(start_server(server.home, config=neo4j_config))
                starting.start()
            yield edge

    with open_it(server, retry_seconds=400) as store:
        before = store.counts().edges
        report = store.load_edges(in_tables(give()))
        starting.join()
        assert began
        assert report.added_edges + report.unchanged == EDGES
        assert store.counts().edges == before + EDGES
        assert store.load_edges(edges) == LoadReport(unchanged=EDGES)


def test_a_push_whose_server_stays_away_ends_in_a_paragraph_and_goes_on_later(
    server: Server, neo4j_config: ServerConfig, made_edges: list[Edge]
) -> None:
    running = start_server(server.home, config=neo4j_config)
    edges = make_many(made_edges[0], "gives up")

    def give() -> Iterator[Edge]:
        for number, edge in enumerate(edges):
            if number == 700:
                kill(running)
            yield edge

    with open_it(running, retry_seconds=1) as store:
        before = store.counts().edges
        with pytest.raises(StoreError, match="No Neo4j server answers.*run the same command"):
            store.load_edges(in_tables(give()))
    again = start_server(server.home, config=neo4j_config)
    with open_it(again, retry_seconds=60) as store:
        stored = store.counts().edges - before
        assert 0 < stored < EDGES
        report = store.load_edges(edges)
        assert (report.unchanged, report.added_edges) == (stored, EDGES - stored)
        assert store.counts().edges == before + EDGES


def test_a_killed_push_goes_on(
    server: Server, neo4j_config: ServerConfig, made_edges: list[Edge], tmp_path: Path
) -> None:
    running = start_server(server.home, config=neo4j_config)
    edges = make_many(made_edges[0], "is killed")
    graph = tmp_path / "graph.lbdb"
    with open_store(graph, config=StoreConfig(), relations=["xReact"]) as store:
        load_edges(edges, store=store)
    code = (
        "import sys; from pathlib import Path; from tests.store.test_neo4j_faults import *; "
        "from kgbuild.core.progress import QUIET; from kgbuild.runs.pushing import push_edges; "
        "source = open_store(Path(sys.argv[1]), config=StoreConfig(), is_read_only=True); "
        "target = Neo4jStore(find_address(sys.argv[2], credentials=Path(sys.argv[3])), "
        "relations=['xReact'], config=Neo4jConfig(batch_edges=20)); push_edges(source, target, "
        "progress=QUIET)"
    )
    with open_it(running, retry_seconds=60) as store:
        before = store.counts().edges
        pushing = subprocess.Popen(
            [sys.executable, "-c", code, str(graph), running.uri, str(running.credentials)],
            cwd=Path(__file__).resolve().parents[2],
        )
        while store.counts().edges < before + 40:
            assert pushing.poll() is None
            time.sleep(0.02)
        os.kill(pushing.pid, signal.SIGKILL)
        pushing.wait()
        stored = store.counts().edges - before
        assert 0 < stored < EDGES
        report = store.load_edges(edges)
        assert (report.unchanged, report.added_edges) == (stored, EDGES - stored)
        assert store.counts().edges == before + EDGES
