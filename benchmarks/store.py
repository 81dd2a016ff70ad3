"""Prints how fast a ladybug store loads and answers, beside the engine's own bulk copy.

python benchmarks/store.py [EDGES]
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import ladybug
import numpy as np
import pyarrow as pa

from kgbuild.core.ids import phrase_id, triple_id
from kgbuild.store import cypher
from kgbuild.store.batches import EDGE_SCHEMA, FACETS, phrase_table
from kgbuild.store.ladybug_store import LadybugStore

ROWS = 50_000
RELATION = "xReact"


def make_tables(edges: int) -> Iterator[pa.Table]:
    for start in range(0, edges, ROWS):
        numbers = range(start, min(edges, start + ROWS))
        heads = [f"PersonX does thing {number // 10}" for number in numbers]
        tails = [f"to feel {(number * 7919) % (edges // 2)}" for number in numbers]
        values = {
            "triple_id": [triple_id(h, RELATION, t) for h, t in zip(heads, tails, strict=True)],
            "head_id": [phrase_id(head) for head in heads],
            "tail_id": [phrase_id(tail) for tail in tails],
            "head": heads,
            "tail": tails,
            "relation": [RELATION] * len(heads),
            "kind": ["event"] * len(heads),
            "sentence": [f"{h}. As a result, {t}" for h, t in zip(heads, tails, strict=True)],
        }
        for column in EDGE_SCHEMA:
            if column.name not in values:
                fill = "x" if column.type == pa.string() else 1
                values[column.name] = [fill] * len(heads)
        yield pa.table(values, schema=EDGE_SCHEMA)


def copy_by_engine(path: Path, tables: list[pa.Table]) -> float:
    edges = pa.concat_tables(tables)
    phrases = phrase_table(edges)
    began = time.process_time()
    with ladybug.Database(path) as database, ladybug.Connection(database) as connection:
        connection.execute(cypher.CREATE_PHRASES)
        connection.execute(cypher.create_relation(RELATION))
        connection.execute(cypher.ADD_PHRASES, {"columns": phrases})
        ends = edges.select(["head_id", "tail_id", *FACETS])
        connection.execute(cypher.add_edges(RELATION), {"columns": ends})
    return time.process_time() - began


def main() -> None:
    edges = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    tables = list(make_tables(edges))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "graph.lbug"
        bare = copy_by_engine(Path(folder) / "bare.lbug", tables)
        for name in ("first load", "second load"):
            began, wall = time.process_time(), time.perf_counter()
            with LadybugStore(path, relations=[RELATION]) as store:
                report = store.load_edges(tables)
            cpu = time.process_time() - began
            print(
                f"{name}: {cpu:.1f} s CPU, {time.perf_counter() - wall:.1f} s wall, "
                f"{cpu / bare:.2f}x of COPY FROM ({bare:.1f} s CPU); {report}"
            )
        with LadybugStore(path, is_read_only=True) as store:
            took = []
            for number in range(0, edges // 10, max(1, edges // 2000)):
                began = time.perf_counter()
                store.tails(phrase_id(f"PersonX does thing {number}"), RELATION)
                took.append(1000 * (time.perf_counter() - began))
            print(f"tails: median {np.median(took):.1f} ms, 95 % {np.quantile(took, 0.95):.1f} ms")
            began = time.process_time()
            rows = sum(table.num_rows for table in store.edge_tables())
            print(f"export of {rows:,} edges: {time.process_time() - began:.1f} s CPU")
            began = time.process_time()
            store.edge(tables[0]["triple_id"][5].as_py())
            print(f"edge by id: {1000 * (time.process_time() - began):.0f} ms CPU")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory {peak:.2f} GiB, the columns of this benchmark among it")


if __name__ == "__main__":
    main()
