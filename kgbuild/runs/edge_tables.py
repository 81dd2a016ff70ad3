"""The edges of a run as tables: read in bounded parts, and brought into the graph's order."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kgbuild.core.files import write_error
from kgbuild.core.records import Edge
from kgbuild.core.shards import arrow_schema, count_rows, read_tables, to_table

_ROWS_AT_ONCE = 32_768
_RECORDS_AT_ONCE = 8_192
_SCHEMA = arrow_schema(Edge)
_ORDER = ("relation", "head", "tail", "triple_id")


class EdgeTables:
    """The edges of a run as Arrow tables in the graph's order, from the beginning at each call.

    Args:
        folder: Of the edges stage.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __len__(self) -> int:
        """The number of tables."""
        rows = (count_rows(path) for path in self._folder.glob("part-*.parquet"))
        return sum(-(-count // _ROWS_AT_ONCE) for count in rows)

    def __call__(self) -> Iterator[pa.Table]:
        """Give the tables, each of a bounded number of rows.

        Raises:
            FileError: If a shard cannot be read or is not of this version.
        """
        for path in sorted(self._folder.glob("part-*.parquet")):
            yield from read_tables(path, Edge, rows_at_once=_ROWS_AT_ONCE)


def sort_edges(edges: Iterable[Edge]) -> Iterator[pa.Table]:
    """Give edges as tables in the graph's order, of which only the ordering columns are in memory.

    The edges wait in a temporary file. Once all are known, so is the place of each: they are
    dealt out to files of neighbours, and each file is sorted alone.

    Raises:
        FileError: If the disk for temporary files is full.
    """
    stream = iter(edges)
    first = to_table(list(islice(stream, _RECORDS_AT_ONCE)), Edge)
    if first.num_rows < _RECORDS_AT_ONCE:
        yield first.take(_find_order(first))
        return
    with tempfile.TemporaryDirectory(prefix="kgbuild-edges-") as folder:
        try:
            keys = _spill(Path(folder) / "all", first, stream)
            parts = _deal(Path(folder), keys)
        except OSError as error:
            raise write_error(Path(folder), error) from error
        for part in parts:
            with pa.ipc.open_stream(str(part)) as waiting:
                table = waiting.read_all()
            part.unlink()
            yield table.take(_find_order(table))


def _find_order(table: pa.Table) -> pa.Array:
    return pc.sort_indices(table, [(name, "ascending") for name in _ORDER])


def _spill(path: Path, first: pa.Table, edges: Iterator[Edge]) -> pa.Table:
    keys = []
    table = first
    with pa.ipc.new_stream(str(path), _SCHEMA) as writer:
        while table.num_rows:
            writer.write_table(table)
            keys.append(table.select(_ORDER))
            table = to_table(list(islice(edges, _RECORDS_AT_ONCE)), Edge)
    return pa.concat_tables(keys)


def _deal(folder: Path, keys: pa.Table) -> list[Path]:
    ranks = np.empty(keys.num_rows, dtype=np.int64)
    ranks[_find_order(keys).to_numpy()] = np.arange(keys.num_rows)
    owners = ranks // _ROWS_AT_ONCE
    paths = [folder / str(number) for number in range(int(owners.max()) + 1)]
    with ExitStack() as stack:
        writers = [stack.enter_context(pa.ipc.new_stream(str(path), _SCHEMA)) for path in paths]
        start = 0
        with pa.ipc.open_stream(str(folder / "all")) as waiting:
            for batch in waiting:
                owner = owners[start : start + batch.num_rows]
                for number in np.unique(owner):
                    writers[number].write_batch(batch.filter(pa.array(owner == number)))
                start += batch.num_rows
    (folder / "all").unlink()
    return paths
