"""The phrases of more edges than fit into memory, each once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kgbuild.core.files import write_error

PHRASE_COLUMNS = ("id", "text", "kind")
ENDS = ("head_id", "head", "kind", "tail_id", "tail")
_SCHEMA: pa.Schema = pa.schema([(name, pa.string()) for name in PHRASE_COLUMNS])
# The first letters of an id; ids are hashes in hexadecimal, so the parts are of one size.
_PREFIX = 2


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
        order = (
            np.arange(2 * edges.num_rows).reshape(2, -1).T.ravel()
        )  # head 0, tail 0, head 1, ...
        both = pa.table(
            {
                "id": pa.concat_arrays([columns["head_id"], columns["tail_id"]]),
                "text": pa.concat_arrays([columns["head"], columns["tail"]]),
                "kind": pa.concat_arrays([columns["kind"], none]),
            },
            schema=_SCHEMA,
        ).take(order)
        prefixes = pc.utf8_slice_codeunits(both["id"], 0, _PREFIX).combine_chunks()
        encoded = prefixes.dictionary_encode()
        parts = encoded.indices.to_numpy()
        both = both.take(np.argsort(parts, kind="stable"))
        starts = np.concatenate([[0], np.cumsum(np.bincount(parts))])
        try:
            for place, prefix in enumerate(encoded.dictionary.to_pylist()):
                rows = both.slice(starts[place], starts[place + 1] - starts[place])
                self._writer(prefix).write_table(rows)
        except OSError as error:
            raise write_error(self._folder, error) from error

    def _writer(self, prefix: str) -> pa.ipc.RecordBatchStreamWriter:
        if prefix not in self._writers:
            path = self._folder / prefix.encode().hex()
            self._writers[prefix] = pa.ipc.new_stream(str(path), _SCHEMA)
            self._stack.callback(self._writers[prefix].close)
        return self._writers[prefix]

    def tables(self) -> Iterator[pa.Table]:
        """Give every phrase once, as tables with `PHRASE_COLUMNS`, ordered by id."""
        for writer in self._writers.values():
            writer.close()
        for prefix in sorted(self._writers):
            with pa.ipc.open_stream(str(self._folder / prefix.encode().hex())) as waiting:
                rows = waiting.read_all()
            once = rows.group_by("id", use_threads=False).aggregate(
                [("text", "first"), ("kind", "max")]
            )
            columns = [once[name] for name in ("id", "text_first", "kind_max")]
            yield pa.table(columns, schema=_SCHEMA).sort_by("id")
