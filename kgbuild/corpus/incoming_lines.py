"""Lines and cells of a file that may be anything, plain or gzip."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from kgbuild.core.errors import LabelError, did_you_mean
from kgbuild.core.relations import RelationSet
from kgbuild.corpus.lines import unescape
from kgbuild.corpus.sheet import ACCEPT, COMMENT, unguard

Cells = dict[str, Any]
FileFormat = Literal["tsv", "jsonl", "conceptnet", "cn100k", "csv"]
WEIGHT = "weight"
_LINE_BYTES = 2**20
_GZIP = b"\x1f\x8b"
_ATOMIC = ("head", "relation", "tail")
# ConceptNet as it is cut for knowledge-base completion (Li et al. 2016) begins with the relation.
_CN100K = ("relation", "head", "tail", WEIGHT)
_LOOKED_AT = 200
# Spreadsheets of some countries write semicolons.
_DELIMITERS = (",", ";", "\t")
_ESCAPED = ("head", "tail", "teacher")


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Give the lines of a text file with their numbers and ends, one in memory at a time.

    A gzip file is known by its first bytes, whatever its name.

    Raises:
        LabelError: With file and line, if the file is missing, not UTF-8, a broken gzip, holds NUL
            or a line of more than 1 MiB.
    """
    number = 0
    try:
        with path.open("rb") as opened:
            # readline with a limit: a file without line ends must not fill the memory.
            is_packed = opened.peek(len(_GZIP)).startswith(_GZIP)
            stream = gzip.GzipFile(fileobj=opened) if is_packed else opened
            while raw := stream.readline(_LINE_BYTES + 1):
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
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise LabelError(
            f"{path}:{number + 1} is a broken or cut-off gzip file; copy it again"
        ) from error
    except OSError as error:
        raise LabelError(f"{path} cannot be read: {error.strerror or error}") from error


def detect_format(path: Path, *, relations: RelationSet) -> FileFormat:
    """Tell the format of a file from its first lines, and its name where they do not tell.

    Raises:
        LabelError: If the file cannot be read.
    """
    lines = (line for _, line in read_lines(path) if line.strip())
    first = next(lines, "")
    if first.lstrip().startswith("{"):
        return "jsonl"
    if first.startswith("/a/[") and first.count("\t") == 4:
        return "conceptnet"
    if path.name.removesuffix(".gz").endswith(".csv"):
        return "csv"
    # Four cells may be either order. One line cannot tell: its relation may be an unknown one.
    cells = [line.rstrip("\r\n").split("\t") for line in (first, *islice(lines, _LOOKED_AT))]
    rows = [row for row in cells if len(row) == len(_CN100K)]
    leading, middle = (sum(row[place].strip() in relations for row in rows) for place in (0, 1))
    return "cn100k" if leading > middle else "tsv"


def read_cells(
    path: Path, *, format: str, known: Sequence[str]
) -> Iterator[tuple[int, Cells | LabelError]]:
    """Give the rows of a table by column, with the number of the line on which each ends.

    A TSV file without a header is ATOMIC's or ASER's: head, relation, tail, and perhaps a weight;
    CN-100k's begins with the relation. One with a header has the escapes of `lines.escape`; a CSV
    sheet also has the apostrophes of `sheet.guard`. A broken row is the error that says so.

    Raises:
        LabelError: With file and line, if the columns are wrong.
    """
    columns: Sequence[str] = ()
    is_plain = False
    for number, cells in _csv(path) if format == "csv" else _tsv(path):
        where = f"{path}:{number}"
        if not columns:
            plain = _plain_columns(cells, format=format)
            is_plain = bool(plain)
            header = [cell.strip().casefold() for cell in cells]
            columns = plain or _check_header(header, where=where, known=known)
            if not is_plain:
                continue
        if len(cells) != len(columns):
            between = "delimiters, and quote those inside a cell" if format == "csv" else "tabs"
            yield (
                number,
                LabelError(
                    f"{where} has {len(cells)} cells where {len(columns)} belong "
                    f"({', '.join(columns)}); separate them by single {between}"
                ),
            )
            continue
        row = dict(zip(columns, cells, strict=True))
        yield number, row if is_plain else _restore(row, where, is_sheet=format == "csv")


def _plain_columns(cells: Sequence[str], *, format: str) -> Sequence[str]:
    """Give the columns of a table that does not name them, or none if its first row is names."""
    named = {cell.strip().casefold() for cell in cells}
    # Two of the names make a header, perhaps a wrong one; "head" alone is a concept too.
    if format == "csv" or len(named & set(_ATOMIC)) > 1:
        return ()
    columns = _CN100K if format == "cn100k" else (*_ATOMIC, WEIGHT)
    if len(cells) == len(_ATOMIC):
        return columns[:-1]
    if len(cells) == len(columns) and _is_number(cells[-1]):
        return columns
    return ()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _restore(row: Cells, where: str, *, is_sheet: bool) -> Cells | LabelError:
    for name in _ESCAPED:
        if name not in row:
            continue
        text = unguard(row[name]) if is_sheet else row[name]
        try:
            row[name] = unescape(text)
        except ValueError as error:
            if not is_sheet:
                return LabelError(f"{where}: {name}: {error}")
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
