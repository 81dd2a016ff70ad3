"""Time how fast stores are filled and asked, beside what their engines do on the same rows.

Ladybug is compared with its own `COPY FROM` of Parquet files that hold the same phrases and edges;
a Neo4j server, started here in a temporary folder, with a bare `UNWIND` loop. The contestants take
turns, each in a process of its own, so that peak memory is theirs alone.

    python benchmarks/store.py ladybug [--edges 1000000] [--rounds 2]
    python benchmarks/store.py neo4j [--edges 100000] [--rounds 2]
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import ladybug
import neo4j
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kgbuild.core.ids import phrase_id, triple_id
from kgbuild.core.phrases import PhraseSpill
from kgbuild.store import cypher
from kgbuild.store.batches import EDGE_SCHEMA, FACETS, STORED
from kgbuild.store.ladybug_store import LadybugStore
from kgbuild.store.neo4j_server import ServerHome, start_server, stop_server
from kgbuild.store.neo4j_store import Neo4jStore, find_address

ROWS = 50_000
RELATIONS = "xReact xWant xNeed xAttr xEffect xIntent oReact oWant UsedFor AtLocation".split()
UNWIND_ROWS = 10_000
WARM_EDGES = 20_000
BARE = """
UNWIND $rows AS row
MERGE (h:Phrase {id: row.head_id}) ON CREATE SET h.text = row.head, h.kind = row.kind
MERGE (t:Phrase {id: row.tail_id}) ON CREATE SET t.text = row.tail, t.kind = ''
MERGE (h)-[r:%s {triple_id: row.triple_id}]->(t)
SET r += row.facets
"""
WIPE = "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS"


def make_tables(edges: int) -> Iterator[pa.Table]:
    """Ten edges a head, all of one relation; every tail is that of about two."""
    for start in range(0, edges, ROWS):
        numbers = range(start, min(edges, start + ROWS))
        heads = [f"PersonX does thing {number // 10}" for number in numbers]
        relations = [RELATIONS[number // 10 % len(RELATIONS)] for number in numbers]
        tails = [f"to feel {(number * 7919) % (edges // 2)}" for number in numbers]
        values = {
            "triple_id": list(map(triple_id, heads, relations, tails)),
            "head_id": [phrase_id(head) for head in heads],
            "tail_id": [phrase_id(tail) for tail in tails],
            "head": heads,
            "tail": tails,
            "relation": relations,
            "kind": ["event"] * len(heads),
            "sentence": [f"{h}. As a result, {t}" for h, t in zip(heads, tails, strict=True)],
        }
        for column in EDGE_SCHEMA:
            if column.name not in values:
                fill = "x" if column.type == pa.string() else 1
                values[column.name] = [fill] * len(heads)
        yield pa.table(values, schema=EDGE_SCHEMA)


def write_rows(folder: Path, edges: int) -> None:
    """Lay the rows down: as a stream of edges, and cut up as the engine's own copy wants them."""
    cut = pa.schema([EDGE_SCHEMA.field(name) for name in STORED])
    with ExitStack() as stack:
        phrases = stack.enter_context(PhraseSpill())
        rows = stack.enter_context(pq.ParquetWriter(folder / "rows.parquet", EDGE_SCHEMA))
        parts = {
            name: stack.enter_context(pq.ParquetWriter(folder / f"{name}.parquet", cut))
            for name in RELATIONS
        }
        for table in make_tables(edges):
            rows.write_table(table)
            for name, part in parts.items():
                part.write_table(table.filter(pc.equal(table["relation"], name)).select(STORED))
            phrases.add(table)
        pq.write_table(pa.concat_tables(phrases.tables()), folder / "phrases.parquet")


def read_rows(folder: Path) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(folder / "rows.parquet") as file:
        yield from file.iter_batches(batch_size=ROWS)


def measured(work: Callable[[], Any]) -> dict[str, Any]:
    """Run something; give CPU and wall seconds, peak memory in GiB, and its answer."""
    cpu, wall = time.process_time(), time.perf_counter()
    answer = work()
    return {
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - wall,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "answer": answer,
    }


def copy_by_engine(folder: Path, path: Path) -> dict[str, Any]:
    def work() -> None:
        with ladybug.Database(path) as database, ladybug.Connection(database) as connection:
            connection.execute(cypher.CREATE_PHRASES)
            connection.execute(cypher.copy_phrases(folder / "phrases.parquet"))
            for name in RELATIONS:
                connection.execute(cypher.create_relation(name))
                connection.execute(cypher.copy_edges(name, folder / f"{name}.parquet"))

    return measured(work)


def load_ladybug(folder: Path, path: Path) -> dict[str, Any]:
    def work() -> str:
        with LadybugStore(path, relations=RELATIONS) as store:
            return str(store.load_edges(read_rows(folder)))

    return measured(work)


def ask_ladybug(path: Path, edges: int) -> dict[str, Any]:
    def work() -> dict[str, float]:
        with LadybugStore(path, is_read_only=True) as store:
            answers = ask_tails(store, edges)
            began = time.process_time()
            sum(table.num_rows for table in store.edge_tables())
            return answers | {"export s": time.process_time() - began}

    return measured(work)


def ask_tails(store: Any, edges: int, *, questions: int = 1000) -> dict[str, float]:
    took = []
    for number in range(0, edges // 10, max(1, edges // 10 // questions)):
        began = time.perf_counter()
        head = phrase_id(f"PersonX does thing {number}")
        found = store.tails(head, RELATIONS[number % len(RELATIONS)])
        took.append(1000 * (time.perf_counter() - began))
        assert len(found) == 10
    warm = took[len(took) // 5 :]
    return {"median ms": float(np.median(warm)), "95 % ms": float(np.quantile(warm, 0.95))}


def alone(work: Callable[..., dict[str, Any]], *given: Any) -> dict[str, Any]:
    """Run a contestant in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *given).result()


def show(name: str, found: dict[str, Any]) -> None:
    print(
        f"| {name} | {found['cpu']:.1f} | {found['wall']:.1f} | {found['peak']:.2f} "
        f"| {found['answer'] or ''} |",
        flush=True,
    )


def compare_ladybug(edges: int, rounds: int) -> None:
    least: dict[str, float] = {}
    print("| ladybug | CPU s | wall s | peak GiB | |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_rows(folder, edges)
        for number in range(rounds):
            paths = [folder / f"{kind}-{number}.lbug" for kind in ("bare", "store")]
            for kind, work, path in zip(
                ("COPY FROM", "load_edges"), (copy_by_engine, load_ladybug), paths, strict=True
            ):
                found = alone(work, folder, path)
                show(kind, found)
                for clock in ("cpu", "wall"):
                    key = f"{kind} {clock}"
                    least[key] = min(found[clock], least.get(key, found[clock]))
            paths[0].unlink()
        show("load_edges again", alone(load_ladybug, folder, paths[1]))
        show("1,000 x tails, export", alone(ask_ladybug, paths[1], edges))
    for clock in ("cpu", "wall"):
        ratio = least[f"load_edges {clock}"] / least[f"COPY FROM {clock}"]
        print(f"load_edges / COPY FROM of {edges:,} edges, least of {rounds}, {clock}: {ratio:.2f}")


def empty(driver: neo4j.Driver) -> None:
    with driver.session() as session:
        session.run(WIPE).consume()
        for kind, shown in (("CONSTRAINT", "SHOW CONSTRAINTS"), ("INDEX", "SHOW INDEXES")):
            for row in session.run(f"{shown} YIELD name, type WHERE type <> 'LOOKUP'").data():
                session.run(f"DROP {kind} `{row['name']}`").consume()


def load_bare(uri: str, auth: tuple[str, str], folder: Path) -> dict[str, Any]:
    def work() -> None:
        with neo4j.GraphDatabase.driver(uri, auth=auth) as driver:
            unique = ["FOR (p:Phrase) REQUIRE p.id IS UNIQUE"]
            unique += [f"FOR ()-[r:{name}]-() REQUIRE r.triple_id IS UNIQUE" for name in RELATIONS]
            for number, statement in enumerate(unique):
                driver.execute_query(f"CREATE CONSTRAINT bare_{number} {statement}")
            with driver.session() as session:
                for table in read_rows(folder):
                    for start in range(0, table.num_rows, UNWIND_ROWS):
                        rows = list(cut_rows(table.slice(start, UNWIND_ROWS)))
                        session.execute_write(write_bare, rows)

    return measured(work)


def cut_rows(table: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    rows = table.select(["relation", "head_id", "tail_id", "head", "tail", "kind"]).to_pylist()
    for row, facets in zip(rows, table.select(list(FACETS)).to_pylist(), strict=True):
        yield {**row, "triple_id": facets["triple_id"], "facets": facets}


def write_bare(transaction: neo4j.ManagedTransaction, rows: list[dict[str, Any]]) -> None:
    for name in RELATIONS:
        part = [row for row in rows if row["relation"] == name]
        transaction.run(BARE % name, rows=part).consume()


def push_neo4j(address: Any, folder: Path) -> dict[str, Any]:
    def work() -> str:
        with Neo4jStore(address, relations=RELATIONS) as store:
            return str(store.load_edges(read_rows(folder)))

    return measured(work)


def ask_neo4j(address: Any, edges: int) -> dict[str, Any]:
    def work() -> dict[str, float]:
        with Neo4jStore(address, is_read_only=True) as store:
            return ask_tails(store, edges)

    return measured(work)


def compare_neo4j(edges: int, rounds: int) -> None:
    total = {"bare loop": 0.0, "push": 0.0}
    print("| Neo4j | client's CPU s | wall s | peak GiB | |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder, warm = Path(name) / "rows", Path(name) / "warm"
        for rows, count in ((folder, edges), (warm, WARM_EDGES)):
            rows.mkdir()
            write_rows(rows, count)
        home = Path(name) / "server"
        server = start_server(home)
        address = find_address(server.uri, credentials=server.credentials)
        auth = ("neo4j", ServerHome(home).read_password())
        try:
            with neo4j.GraphDatabase.driver(server.uri, auth=auth) as driver:
                alone(load_bare, server.uri, auth, warm)
                for _ in range(rounds):
                    for kind, work, given in (
                        ("bare loop", load_bare, (server.uri, auth)),
                        ("push", push_neo4j, (address,)),
                    ):
                        empty(driver)
                        found = alone(work, *given, folder)
                        total[kind] += found["wall"]
                        show(kind, found)
                show("push again", alone(push_neo4j, address, folder))
                show("1,000 x tails", alone(ask_neo4j, address, edges))
        finally:
            stop_server(home)
    ratio = total["push"] / total["bare loop"]
    print(f"push / bare loop of {edges:,} edges, {rounds} rounds, wall: {ratio:.2f}")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("store", choices=["ladybug", "neo4j"])
    asked.add_argument("--edges", type=int, default=200_000)
    asked.add_argument("--rounds", type=int, default=2)
    words = asked.parse_args()
    compare = compare_ladybug if words.store == "ladybug" else compare_neo4j
    compare(words.edges, words.rounds)
    print(f"load of the machine: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
