"""The phrases of more edges than fit into memory, each once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kgbuild.core.files import write_error

PHRASE_COLUMNS = ("id", "text", "kind")
ENDS = ("head_id", "head", "kind", "tail_id", "tail")
PHRASE_SCHEMA: pa.Schema = pa.schema([(name, pa.string()) for name in PHRASE_COLUMNS])
# The first letters of an id; ids are hashes in hexadecimal, so the parts are of one size.
_PREFIX = 2
_ROWS_AT_ONCE = 100_000


class PhraseSpill:
    """Takes edges, a table at a time, and gives their phrases in tables, ordered by id.

    The phrases wait on disk in 256 parts by the beginning of their ids. One part is in memory at
    a time when they are read. As in a graph store the spelling is that of the first edge, head
    before tail, and a phrase that heads no edge has an empty kind.

    A context manager: leaving the block deletes what waits.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._folder = Path()
        self._writers: dict[str, pa.ipc.RecordBatchStreamWriter] = {}

    def __enter__(self) -> Self:
        self._folder = Path(
            self._stack.enter_context(tempfile.TemporaryDirectory(prefix="kgbuild-phrases-"))
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def add(self, edges: pa.Table) -> None:
        """Take the heads and tails of some edges; the columns of `ENDS` are enough.

        Raises:
            FileError: If the disk for temporary files is full.
        """
        if not edges.num_rows:
            return
        columns = {name: edges[name].combine_chunks() for name in ENDS}
        none = pa.repeat("", edges.num_rows)
        ids = pa.concat_arrays([columns["head_id"], columns["tail_id"]])
        encoded = pc.utf8_slice_codeunits(ids, 0, _PREFIX).dictionary_encode()
        # head 0, tail 0, head 1, ...; a head that follows itself is told once.
        order = np.arange(2 * edges.num_rows).reshape(2, -1).T.ravel()
        order = order[~_repeats(columns["head_id"], columns["kind"])[order]]
        parts = encoded.indices.to_numpy()[order].astype(np.uint32)
        places = np.argsort(parts, kind="stable")
        parts, order = parts[places], order[places]
        both = pa.table(
            {
                "id": ids,
                "text": pa.concat_arrays([columns["head"], columns["tail"]]),
                "kind": pa.concat_arrays([columns["kind"], none]),
            },
            schema=PHRASE_SCHEMA,
        ).take(order)
        starts = np.concatenate(
            [[0], np.cumsum(np.bincount(parts, minlength=len(encoded.dictionary)))]
        )
        try:
            for place, prefix in enumerate(encoded.dictionary.to_pylist()):
                rows = both.slice(starts[place], starts[place + 1] - starts[place])
                self._writer(prefix).write_table(rows)
        except OSError as error:
            raise write_error(self._folder, error) from error

    def _writer(self, prefix: str) -> pa.ipc.RecordBatchStreamWriter:
        if prefix not in self._writers:
            path = self._folder / prefix.encode().hex()
            self._writers[prefix] = pa.ipc.new_stream(str(path), PHRASE_SCHEMA)
            self._stack.callback(self._writers[prefix].close)
        return self._writers[prefix]

    def tables(self) -> Iterator[pa.Table]:
        """Give every phrase once, as tables with `PHRASE_COLUMNS`, ordered by id."""
        for writer in self._writers.values():
            writer.close()
        parts: list[pa.Table] = []
        for prefix in sorted(self._writers):
            with pa.ipc.open_stream(str(self._folder / prefix.encode().hex())) as waiting:
                parts.append(waiting.read_all())
            # Small parts together: each grouping has its price.
            if sum(part.num_rows for part in parts) > _ROWS_AT_ONCE:
                yield keep_once(pa.concat_tables(parts))
                parts = []
        if parts:
            yield keep_once(pa.concat_tables(parts))


def _repeats(heads: pa.Array, kinds: pa.Array) -> npt.NDArray[np.bool_]:
    """Mark, of heads and then tails, the heads that are the head of the edge before."""
    is_repeated = np.zeros(2 * len(heads), dtype=bool)
    before = len(heads) - 1
    same = pc.and_(
        pc.equal(heads.slice(1), heads.slice(0, before)),
        pc.equal(kinds.slice(1), kinds.slice(0, before)),
    )
    is_repeated[1 : len(heads)] = same.to_numpy(zero_copy_only=False)
    return is_repeated


def keep_once(rows: pa.Table) -> pa.Table:
    """Give each phrase once, ordered by id: its first spelling, and of its kinds the last one."""
    # One thread: the first spelling is the first in order.
    grouped = rows.group_by("id", use_threads=False).aggregate([("text", "first"), ("kind", "max")])
    columns = [grouped[name] for name in ("id", "text_first", "kind_max")]
    return pa.table(columns, schema=PHRASE_SCHEMA).sort_by("id")
