"""Prints how fast each export is written, and its peak memory, each in a process of its own.

python benchmarks/exports.py [EDGES] [FORMAT...]
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from kgbuild.core.config import BuildConfig, plain
from kgbuild.core.ids import phrase_id, triple_id
from kgbuild.core.manifest import Manifest, StageEntry, write_manifest
from kgbuild.core.records import CorpusRow, Edge
from kgbuild.core.relations import load_relations, verbalise
from kgbuild.core.shards import arrow_schema
from kgbuild.corpus import FORMATS, assign_split
from kgbuild.runs.exporting import export_run

ROWS = 50_000
TAILS = 10
RELATIONS = ("xEffect", "xReact", "xWant")


def make_run(folder: Path, edges: int) -> None:
    """Write the two stages of a run that exports read, a batch at a time."""
    packs = load_relations(["atomic2020.en"])
    paths = {name: folder / "stages" / name / "key" for name in ("edges", "corpus")}
    for path in paths.values():
        path.mkdir(parents=True)
    schemas = {"edges": arrow_schema(Edge), "corpus": arrow_schema(CorpusRow)}
    writers = {
        name: pq.ParquetWriter(paths[name] / "part-00000.parquet", schema, compression="zstd")
        for name, schema in schemas.items()
    }
    for start in range(0, edges, ROWS):
        numbers = range(start, min(edges, start + ROWS))
        columns = edge_columns(numbers, edges, packs)
        table = pa.table(columns, schema=schemas["edges"])
        writers["edges"].write_table(table)
        splits = [str(assign_split(head)) for head in columns["head"]]
        rows = table.append_column("split", pa.array(splits)).select(schemas["corpus"].names)
        writers["corpus"].write_table(rows.cast(schemas["corpus"]))
    for writer in writers.values():
        writer.close()
    stages = {
        name: StageEntry(key="key", folder=str(path.relative_to(folder)))
        for name, path in paths.items()
    }
    manifest = Manifest(
        run_id="bench", version="0", config=dict(plain(BuildConfig())), stages=stages, folder=folder
    )
    write_manifest(manifest)


def edge_columns(numbers: range, edges: int, packs: object) -> dict[str, list[object]]:
    size = -(-edges // len(RELATIONS))
    relations = [RELATIONS[number // size] for number in numbers]
    heads = [f"PersonX does thing {number % size // TAILS} with PersonY" for number in numbers]
    tails = [f"to feel {(number * 7919) % (edges // 2)} at last" for number in numbers]
    triples = list(zip(heads, relations, tails, strict=True))
    sentences = {name: packs.get(name) for name in RELATIONS}  # type: ignore[attr-defined]
    columns: dict[str, list[object]] = {
        "triple_id": [triple_id(*triple) for triple in triples],
        "head_id": [phrase_id(head) for head in heads],
        "tail_id": [phrase_id(tail) for tail in tails],
        "head": list(heads),
        "relation": list(relations),
        "tail": list(tails),
        "kind": ["event"] * len(heads),
        "polarity": ["positive"] * len(heads),
        "sentence": [verbalise(sentences[name], head, tail) for head, name, tail in triples],
        "teacher_hash": ["ab" * 32] * len(heads),
        "prompt_id": [phrase_id(head) for head in heads],
        "probability": [0.5 + number % 1000 / 2000 for number in numbers],
        "log_probability": [-number % 97 / 7 for number in numbers],
    }
    for field in arrow_schema(Edge):
        if field.name not in columns:
            fill = "smollm2-135m" if field.type == pa.string() else 0.75
            columns[field.name] = [1 if field.type == pa.int64() else fill] * len(heads)
    return columns


def export_once(run: Path, format: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        wall, cpu = time.perf_counter(), time.process_time()
        count = export_run(run, format=format, out=out)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        files = [out] if out.is_file() else [path for path in out.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files) / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"| {format} | {count / wall:,.0f} | {count / cpu:,.0f} | {wall:.1f} | {size:,.0f} | "
        f"{peak:.2f} |",
        flush=True,
    )


def main() -> None:
    if sys.argv[1:2] == ["--once"]:
        export_once(Path(sys.argv[2]), sys.argv[3])
        return
    edges = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    chosen = sys.argv[2:] or list(FORMATS)
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        make_run(run, edges)
        print(f"{edges:,} edges, load {os.getloadavg()[0]:.1f}\n")
        print("| format | edges/s | edges/s of CPU | wall s | MiB written | peak GiB |")
        print("|---|---:|---:|---:|---:|---:|", flush=True)
        for format in chosen:
            subprocess.run([sys.executable, __file__, "--once", str(run), format], check=True)


if __name__ == "__main__":
    main()
