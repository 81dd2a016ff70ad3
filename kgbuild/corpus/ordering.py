"""Sorting more rows than fit into memory."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import TextIO

from kgbuild.core.files import write_error
from kgbuild.core.records import CorpusRow


def row_key(row: CorpusRow) -> tuple[str, str, str, str]:
    """Give the place of a row in a corpus: a head's rows stand together, by relation."""
    return row.head, row.relation, row.tail, row.triple_id


def sort_rows(rows: Iterable[CorpusRow], *, chunk_rows: int = 100_000) -> Iterator[CorpusRow]:
    """Give the rows in the order of `row_key`, with at most one chunk of them in memory.

    A corpus that fits into one chunk is sorted in memory. A larger one is sorted in chunks that
    wait in temporary files and are merged, so ten million rows need the memory of one chunk.
    """
    stream = iter(rows)
    chunk = sorted(islice(stream, chunk_rows), key=row_key)
    first = next(stream, None)
    if first is None:
        yield from chunk
        return
    with tempfile.TemporaryDirectory(prefix="kgbuild-corpus-") as folder, ExitStack() as stack:
        paths = [_spill(Path(folder) / "0.jsonl", chunk)]
        chunk = [first, *islice(stream, chunk_rows - 1)]
        while chunk:
            chunk.sort(key=row_key)
            paths.append(_spill(Path(folder) / f"{len(paths)}.jsonl", chunk))
            chunk = list(islice(stream, chunk_rows))
        opened = [stack.enter_context(path.open(encoding="utf-8", newline="\n")) for path in paths]
        yield from heapq.merge(*(_read(lines) for lines in opened), key=row_key)


def _spill(path: Path, rows: list[CorpusRow]) -> Path:
    try:
        with path.open("w", encoding="utf-8", newline="\n") as written:
            written.writelines(row.model_dump_json() + "\n" for row in rows)
    except OSError as error:
        raise write_error(path, error) from error
    return path


def _read(lines: TextIO) -> Iterator[CorpusRow]:
    for line in lines:
        yield CorpusRow.model_validate_json(line)
