"""Lines and cells of a file that may be anything."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from kgbuild.core.errors import LabelError, did_you_mean
from kgbuild.corpus.lines import unescape
from kgbuild.corpus.sheet import ACCEPT, COMMENT, unguard

Cells = dict[str, Any]
FileFormat = Literal["tsv", "jsonl", "conceptnet", "csv"]
_LINE_BYTES = 2**20
_ATOMIC = ("head", "relation", "tail")
# Spreadsheets of some countries write semicolons.
_DELIMITERS = (",", ";", "\t")
_ESCAPED = ("head", "tail", "teacher")


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Give the lines of a text file with their numbers and ends, one in memory at a time.

    Raises:
        LabelError: With file and line, if the file is missing, not UTF-8, holds NUL or a line of
            more than 1 MiB.
    """
    number = 0
    try:
        with path.open("rb") as opened:
            # readline with a limit: a file without line ends must not fill the memory.
            while raw := opened.readline(_LINE_BYTES + 1):
                number += 1
                if len(raw) > _LINE_BYTES:
                    raise LabelError(f"{path}:{number} is longer than 1 MiB; it is no triple")
                if b"\x00" in raw:
                    raise LabelError(
                        f"{path}:{number} holds a NUL character; save the file as plain UTF-8 text"
                    )
                yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except FileNotFoundError as error:
        raise LabelError(f"{path} does not exist; check the path") from error
    except UnicodeDecodeError as error:
        raise LabelError(f"{path}:{number} is not UTF-8; save the file as UTF-8") from error
    except OSError as error:
        raise LabelError(f"{path} cannot be read: {error.strerror or error}") from error


def detect_format(path: Path) -> FileFormat:
    """Tell the format of a file from its first line, and its name where that does not tell.

    Raises:
        LabelError: If the file cannot be read.
    """
    first = next((line for _, line in read_lines(path) if line.strip()), "")
    if first.lstrip().startswith("{"):
        return "jsonl"
    if first.startswith("/a/[") and first.count("\t") == 4:
        return "conceptnet"
    return "csv" if path.suffix == ".csv" else "tsv"


def read_cells(path: Path, *, format: str, known: Sequence[str]) -> Iterator[tuple[int, Cells]]:
    """Give the rows of a table by column, with the number of the line on which each ends.

    A TSV file without a header is ATOMIC's: head, relation, tail. One with a header has the
    escapes of `lines.escape`; a CSV sheet also has the apostrophes of `sheet.guard`.

    Raises:
        LabelError: With file and line, if the columns are wrong.
    """
    columns: list[str] = []
    is_plain = False
    for number, cells in _tsv(path) if format == "tsv" else _csv(path):
        where = f"{path}:{number}"
        if not columns:
            header = [cell.strip().casefold() for cell in cells]
            # Two of the names make a header, perhaps a wrong one; "head" alone is a concept too.
            is_header = format == "csv" or len(set(_ATOMIC) & set(header)) > 1
            is_plain = not is_header and len(cells) == len(_ATOMIC)
            columns = list(_ATOMIC) if is_plain else _check_header(header, where=where, known=known)
            if not is_plain:
                continue
        if len(cells) != len(columns):
            between = "tabs" if format == "tsv" else "delimiters, and quote those inside a cell"
            raise LabelError(
                f"{where} has {len(cells)} cells where {len(columns)} belong "
                f"({', '.join(columns)}); separate them by single {between}"
            )
        row = dict(zip(columns, cells, strict=True))
        yield number, row if is_plain else _restore(row, where, is_sheet=format == "csv")


def _restore(row: Cells, where: str, *, is_sheet: bool) -> Cells:
    for name in _ESCAPED:
        if name not in row:
            continue
        text = unguard(row[name]) if is_sheet else row[name]
        try:
            row[name] = unescape(text)
        except ValueError as error:
            if not is_sheet:
                raise LabelError(f"{where}: {name}: {error}") from error
            # In a sheet a person typed a backslash and meant it.
            row[name] = text
    return row


def _check_header(header: list[str], *, where: str, known: Sequence[str]) -> list[str]:
    missing = [name for name in _ATOMIC if name not in header]
    if missing:
        raise LabelError(
            f"{where} has the columns {', '.join(header)[:120] or 'none'}; the first line must "
            f"name {', '.join(_ATOMIC)}, and may name {ACCEPT} and {COMMENT}"
        )
    for name in header:
        if name not in known:
            raise LabelError(
                f"{where} has the unknown column {name[:80]!r}{did_you_mean(name, known)}; known "
                f"are {', '.join(known)}"
            )
        if header.count(name) > 1:
            raise LabelError(f"{where} has the column {name} twice; keep one of them")
    return header


def _tsv(path: Path) -> Iterator[tuple[int, list[str]]]:
    for number, line in read_lines(path):
        if line.strip():
            yield number, line.rstrip("\r\n").split("\t")


def _csv(path: Path) -> Iterator[tuple[int, list[str]]]:
    lines = (line for _, line in read_lines(path))
    first = next(lines, "")
    delimiter = max(_DELIMITERS, key=first.count)

    def from_the_start() -> Iterator[str]:
        yield first
        yield from lines

    rows = csv.reader(from_the_start(), delimiter=delimiter, strict=True)
    try:
        for cells in rows:
            if any(cells):
                yield rows.line_num, cells
    except csv.Error as error:
        raise LabelError(f"{path}:{rows.line_num} is no row of a CSV sheet: {error}") from error
