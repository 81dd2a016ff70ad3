"""Edges of a first load, laid down in Parquet so that an engine can copy them in one go."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kgbuild.core.phrases import PHRASE_SCHEMA, PhraseSpill
from kgbuild.store.batches import EDGE_SCHEMA, STORED

# The engine copies a file in its pool of 1 GiB, which a million edges of one relation nearly fill.
_FILE_BYTES = 192 * 2**20
_SCHEMA = pa.schema([EDGE_SCHEMA.field(name) for name in STORED])


class Spill:
    """Files of one load: phrases, and the edges of every relation.

    In memory are one batch and the ids of all edges, and nothing once all is written.

    Args:
        folder: An empty folder, which the caller takes away.

    Attributes:
        phrases: The file of the phrases.
        relations: Every file of edges with their relation; a relation may have several.
        nodes: How many phrases there are.
        edges: How many edges.
        rows: How many edges were given, repeats among them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.phrases = folder / "phrases.parquet"
        self.relations: list[tuple[str, Path]] = []
        self.nodes = self.edges = self.rows = 0

    def write(self, batches: Iterable[pa.Table]) -> None:
        """Lay down all batches; of rows with one `triple_id` the last one stays."""
        ids: dict[str, list[pa.ChunkedArray]] = {}
        with PhraseSpill() as phrases:
            with ExitStack() as stack:
                writers: dict[str, pq.ParquetWriter] = {}
                size: dict[str, int] = {}
                for batch in batches:
                    self.rows += batch.num_rows
                    phrases.add(batch)
                    for name in batch["relation"].unique().to_pylist():
                        part = batch.filter(pc.equal(batch["relation"], name)).select(STORED)
                        size[name] = size.get(name, _FILE_BYTES) + part.nbytes
                        if size[name] > _FILE_BYTES:
                            if name in writers:
                                writers[name].close()
                            path = self._folder / f"edges-{len(self.relations)}.parquet"
                            self.relations.append((name, path))
                            writers[name] = stack.enter_context(_open(path, _SCHEMA))
                            size[name] = part.nbytes
                        writers[name].write_table(part)
                        ids.setdefault(name, []).append(part["triple_id"])
            with _open(self.phrases, PHRASE_SCHEMA) as writer:
                for table in phrases.tables():
                    writer.write_table(table)
                    self.nodes += table.num_rows
        for name in sorted(ids):
            files = [path for owner, path in self.relations if owner == name]
            chunks = (part for chunk in ids.pop(name) for part in chunk.chunks)
            self.edges += _drop_repeats(files, pa.chunked_array(list(chunks)))
        pa.default_memory_pool().release_unused()


def _drop_repeats(files: Iterable[Path], ids: pa.ChunkedArray) -> int:
    """Leave the last of the rows with one id in a relation's files; give how many rows stay."""
    if pc.count_distinct(ids).as_py() == len(ids):
        return len(ids)
    places = pa.table({"id": ids, "place": np.arange(len(ids))})
    last = places.group_by("id").aggregate([("place", "max")])["place_max"].to_numpy()
    is_kept = np.zeros(len(ids), dtype=bool)
    is_kept[last] = True
    start = 0
    for path in files:
        cleaned = path.with_suffix(".kept")
        with _open(cleaned, _SCHEMA) as writer, pq.ParquetFile(path) as file:
            for batch in file.iter_batches():
                stop = start + batch.num_rows
                writer.write_batch(batch.filter(pa.array(is_kept[start:stop])))
                start = stop
        cleaned.replace(path)
    return len(last)


def _open(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    # Read once and thrown away, so that what is quick to write is best.
    return pq.ParquetWriter(path, schema, compression="lz4", write_statistics=False)
