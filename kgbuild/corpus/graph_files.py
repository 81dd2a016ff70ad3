"""Graph files out of edges: two passes, a bounded table at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from kgbuild.core.errors import ConfigError
from kgbuild.core.files import replacing
from kgbuild.core.finite import check_finite
from kgbuild.core.phrases import PhraseSpill
from kgbuild.corpus.formats import find_format
from kgbuild.corpus.graphml import graphml_lines
from kgbuild.corpus.nquads import nquads_lines

# Gives the edges from the beginning each time it is called.
EdgeSource = Callable[[], Iterable[pa.Table]]
Lines = Callable[[Iterator[dict[str, Any]], Iterator[dict[str, Any]]], Iterator[str]]
_ROWS_AT_ONCE = 4096
_WRITERS: dict[str, Lines] = {"graphml": graphml_lines, "nquads": nquads_lines}


def write_graph_file(edges: EdgeSource, *, format: str, out: Path) -> int:
    """Write edges as one GraphML or N-Quads file, whole or not at all, and give their number.

    Raises:
        ConfigError: If the format is another one.
        FileError: If the file cannot be written.
        StoreError: If an edge carries a number that is not finite.
    """
    if format not in _WRITERS:
        raise ConfigError(f"{find_format(format).name} is no single graph file; see export --list")
    count = 0

    def edge_rows() -> Iterator[dict[str, Any]]:
        nonlocal count
        for table in edges():
            check_finite(table)
            count += table.num_rows
            yield from _rows(table)

    with (
        PhraseSpill() as spill,
        replacing(out) as temporary,
        temporary.open("w", encoding="utf-8", newline="\n") as written,
    ):
        for table in edges():
            spill.add(table)
        phrases = (row for table in spill.tables() for row in _rows(table))
        written.writelines(_WRITERS[format](phrases, edge_rows()))
    return count


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in table.to_batches(max_chunksize=_ROWS_AT_ONCE):
        yield from batch.to_pylist()
