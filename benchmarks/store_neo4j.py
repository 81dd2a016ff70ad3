"""Prints how fast a push fills a real Neo4j server, beside a bare UNWIND loop on the same rows.

python benchmarks/store_neo4j.py [--edges N] [--rounds N]

Starts a server of its own in a temporary folder; bare loop and push take turns, each in an empty
database, so that neither gets the warmer server.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

import neo4j
import numpy as np
import pyarrow as pa
from store import RELATION, make_tables

from kgbuild.core.ids import phrase_id
from kgbuild.store.batches import FACETS
from kgbuild.store.neo4j_server import ServerHome, start_server, stop_server
from kgbuild.store.neo4j_store import Neo4jStore, find_address

BATCH = 10_000
WARM_EDGES = 20_000
BARE = f"""
UNWIND $rows AS row
MERGE (h:Phrase {{id: row.head_id}}) ON CREATE SET h.text = row.head, h.kind = row.kind
MERGE (t:Phrase {{id: row.tail_id}}) ON CREATE SET t.text = row.tail, t.kind = ''
MERGE (h)-[r:{RELATION} {{triple_id: row.triple_id}}]->(t)
SET r += row.facets
"""
WIPE = "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS"


def empty(driver: neo4j.Driver) -> None:
    with driver.session() as session:
        session.run(WIPE).consume()
        for kind, shown in (("CONSTRAINT", "SHOW CONSTRAINTS"), ("INDEX", "SHOW INDEXES")):
            for row in session.run(f"{shown} YIELD name, type WHERE type <> 'LOOKUP'").data():
                session.run(f"DROP {kind} `{row['name']}`").consume()


def load_bare(driver: neo4j.Driver, tables: list[pa.Table]) -> float:
    empty(driver)
    began = time.perf_counter()
    for number, statement in enumerate(
        (
            "FOR (p:Phrase) REQUIRE p.id IS UNIQUE",
            f"FOR ()-[r:{RELATION}]-() REQUIRE r.triple_id IS UNIQUE",
        )
    ):
        driver.execute_query(f"CREATE CONSTRAINT bare_{number} {statement}")
    with driver.session() as session:
        for table in tables:
            for start in range(0, table.num_rows, BATCH):
                part = table.slice(start, BATCH)
                rows = part.select(["head_id", "tail_id", "head", "tail", "kind"]).to_pylist()
                for row, facets in zip(rows, part.select(FACETS).to_pylist(), strict=True):
                    row["triple_id"], row["facets"] = facets["triple_id"], facets
                session.execute_write(lambda tx, rows=rows: tx.run(BARE, rows=rows).consume())
    return time.perf_counter() - began


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--edges", type=int, default=50_000)
    asked.add_argument("--rounds", type=int, default=2)
    words = asked.parse_args()
    tables = list(make_tables(words.edges))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "server"
        server = start_server(home)
        address = find_address(server.uri, credentials=server.credentials)
        auth = ("neo4j", ServerHome(home).read_password())
        try:
            with neo4j.GraphDatabase.driver(server.uri, auth=auth) as driver:
                measure(driver, address, tables, words)
        finally:
            stop_server(home)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    load = os.getloadavg()[0]
    print(f"peak memory {peak:.2f} GiB, columns of the benchmark among it; load {load:.1f}")


def measure(driver, address, tables, words) -> None:  # type: ignore[no-untyped-def]
    load_bare(driver, list(make_tables(WARM_EDGES)))
    bare, pushed = [], []
    for number in range(words.rounds):
        bare.append(load_bare(driver, tables))
        empty(driver)
        began = time.perf_counter()
        with Neo4jStore(address, relations=[RELATION]) as store:
            report = store.load_edges(tables)
        pushed.append(time.perf_counter() - began)
        print(f"round {number + 1}: bare loop {bare[-1]:.1f} s, push {pushed[-1]:.1f} s; {report}")
    print(f"push / bare loop: {sum(pushed) / sum(bare):.2f}")
    began = time.perf_counter()
    with Neo4jStore(address, relations=[RELATION]) as store:
        report = store.load_edges(tables)
        print(f"push again: {time.perf_counter() - began:.1f} s; {report}")
    with Neo4jStore(address, is_read_only=True) as store:
        took = []
        for number in range(0, words.edges // 10, max(1, words.edges // 5000)):
            began = time.perf_counter()
            store.tails(phrase_id(f"PersonX does thing {number}"), RELATION)
            took.append(1000 * (time.perf_counter() - began))
        warm = took[len(took) // 5 :]
        print(f"tails: median {np.median(warm):.1f} ms, 95 % {np.quantile(warm, 0.95):.1f} ms")


if __name__ == "__main__":
    main()
