"""Corpus files: the same rows give the same bytes, a bounded batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow.parquet as pq

from kgbuild.core.errors import ConfigError
from kgbuild.core.files import replacing
from kgbuild.core.records import CorpusRow
from kgbuild.core.shards import arrow_schema, to_table
from kgbuild.corpus.card import CardFacts
from kgbuild.corpus.conceptnet import conceptnet_line
from kgbuild.corpus.formats import find_format
from kgbuild.corpus.hub import write_hub_folder
from kgbuild.corpus.lines import TSV_COLUMNS, json_line, sentence_line, tsv_line
from kgbuild.corpus.sheet import write_sheet

_BATCH_ROWS = 8192


class ParquetRows:
    """An open Parquet file of corpus rows; every batch becomes one row group.

    Compression, level and batch size are fixed and no time is written, so equal rows give equal
    files.
    """

    def __init__(self, path: Path) -> None:
        self._writer = pq.ParquetWriter(
            path, arrow_schema(CorpusRow), compression="zstd", compression_level=3
        )
        self._waiting: list[CorpusRow] = []

    def add(self, row: CorpusRow) -> None:
        """Add one row; a full batch goes to disk."""
        self._waiting.append(row)
        if len(self._waiting) == _BATCH_ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(to_table(self._waiting, CorpusRow))
            self._waiting.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._flush()
        self._writer.close()


def write_corpus(
    rows: Iterable[CorpusRow], *, format: str, out: Path, card: CardFacts | None = None
) -> int:
    """Write rows as one corpus file or folder, whole or not at all, and give their number.

    Args:
        rows: In the order they are to stand; `export_rows` gives it.
        format: One of `formats.FORMATS` that reads rows.
        out: The file, or the folder for `hf`; an earlier corpus there is replaced.
        card: What the data card of an `hf` folder says; of the others only `conceptnet` names
            its licence.

    Raises:
        ConfigError: If there is no such format of rows.
        FileError: If the place cannot be written, or is a folder that holds something else.
    """
    facts = card or CardFacts()
    writers: dict[str, Callable[[Iterable[CorpusRow], Path], int]] = {
        "tsv": lambda rows, out: _write_lines(rows, out, tsv_line, "\t".join(TSV_COLUMNS) + "\n"),
        "jsonl": lambda rows, out: _write_lines(rows, out, json_line),
        "parquet": _write_parquet,
        "hf": lambda rows, out: write_hub_folder(rows, out, card=facts, open_split=ParquetRows),
        "conceptnet": lambda rows, out: _write_lines(
            rows, out, partial(conceptnet_line, licence=facts.licence)
        ),
        "sentences": lambda rows, out: _write_lines(rows, out, sentence_line),
        "review": write_sheet,
    }
    if format not in writers:
        raise ConfigError(
            f"{find_format(format).name} is made of edges, not of corpus rows; export it from a run"
        )
    return writers[format](rows, out)


def _write_lines(
    rows: Iterable[CorpusRow], out: Path, as_line: Callable[[CorpusRow], str], header: str = ""
) -> int:
    count = 0
    with (
        replacing(out) as temporary,
        temporary.open("w", encoding="utf-8", newline="\n") as written,
    ):
        written.write(header)
        for row in rows:
            written.write(as_line(row))
            count += 1
    return count


def _write_parquet(rows: Iterable[CorpusRow], out: Path) -> int:
    count = 0
    with replacing(out) as temporary, ParquetRows(temporary) as written:
        for row in rows:
            written.add(row)
            count += 1
    return count
