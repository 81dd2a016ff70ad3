"""Lines of a text file that may come from anybody, plain or gzip."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kgbuild.core.errors import LabelError

_MAX_BYTES = 2**30
_MAX_LINE = 100_000
_MAX_PHRASE = 1_000


def find_files(places: Sequence[Path], suffixes: tuple[str, ...]) -> list[Path]:
    """List the files of files and folders, sorted by name within a folder.

    Raises:
        LabelError: If a place does not exist, or a folder holds no such file.
    """
    found: list[Path] = []
    for place in places:
        if place.is_dir():
            inside = sorted(path for path in place.iterdir() if path.name.endswith(suffixes))
            if not inside:
                raise LabelError(f"{place} holds no {' or '.join(suffixes)} file")
            found += inside
        elif place.is_file():
            found.append(place)
        else:
            raise LabelError(f"{place} does not exist; check the path")
    return found


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Read lines that hold something, each with its number, a bounded part at a time.

    Raises:
        LabelError: If the file is missing, not UTF-8, a broken or over-large gzip, or holds NUL.
    """
    total = 0
    number = 0
    try:
        with gzip.open(path) if path.name.endswith(".gz") else path.open("rb") as stream:
            while line := stream.readline(_MAX_LINE):
                number += 1
                total += len(line)
                if len(line) == _MAX_LINE or total > _MAX_BYTES:
                    raise LabelError(
                        f"{path}:{number} is longer than {_MAX_LINE:,} bytes, or the file than "
                        f"{_MAX_BYTES:,}; split it"
                    )
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
                if "\x00" in text:
                    raise LabelError(f"{path}:{number} holds a NUL character; save it as text")
                if text.strip():
                    yield number, text
    except FileNotFoundError as error:
        raise LabelError(f"{path} does not exist; check the path") from error
    except UnicodeDecodeError as error:
        raise LabelError(f"{path}:{number} is not UTF-8; save the file as UTF-8") from error
    except (EOFError, zlib.error) as error:
        raise LabelError(f"{path}:{number + 1} is a cut-off gzip file; copy it again") from error
    except OSError as error:
        raise LabelError(f"{path} cannot be read: {error.strerror or error}") from error


def parse_object(text: str, *, where: str) -> dict[str, Any]:
    """Read one JSON object.

    Raises:
        LabelError: If the line is anything else.
    """
    try:
        value = json.loads(text)
    # Brackets nested a thousand deep exhaust the parser before they are found to be malformed, and
    # a number of thousands of digits is an error of its own.
    except (ValueError, RecursionError) as error:
        raise LabelError(f"{where} is not JSON: {error}; one object a line is expected") from error
    if not isinstance(value, dict):
        raise LabelError(f"{where} is not a JSON object; one object a line is expected")
    return value


def parse_header(text: str, needed: Sequence[str], *, where: str) -> list[str]:
    """Read the first line of a table; the case of its names does not count.

    Raises:
        LabelError: If a needed column is not there, or a column is there twice.
    """
    columns = [cell.strip().casefold() for cell in text.split("\t")]
    missing = [column for column in needed if column not in columns]
    if missing or len(set(columns)) < len(columns):
        raise LabelError(
            f"{where} is no header with {', '.join(needed)} once each; found {text[:80]!r}. Write "
            f"the {len(needed)} names, separated by tabs, as the first line"
        )
    return columns


def split_cells(text: str, columns: Sequence[str], *, where: str) -> dict[str, str]:
    """Read a line of a table by its header.

    Raises:
        LabelError: If it has more or fewer cells.
    """
    cells = text.split("\t")
    if len(cells) != len(columns):
        raise LabelError(f"{where} has {len(cells)} cells where the header has {len(columns)}")
    return dict(zip(columns, cells, strict=True))


def check_phrase(value: object, column: str, *, where: str) -> str:
    """Give a phrase that a file holds, if it is text of a bearable length.

    Raises:
        LabelError: If it is empty, no text, too long, or holds a control character.
    """
    if not isinstance(value, str) or not value.strip():
        raise LabelError(f"{where} has no {column}; it is text and not empty")
    if len(value) > _MAX_PHRASE:
        raise LabelError(
            f"{where}: {column} has {len(value):,} characters; at most {_MAX_PHRASE:,} are read"
        )
    # A lone surrogate comes out of JSON escapes and has no UTF-8 form.
    if any(ord(letter) < 32 or 0xD800 <= ord(letter) < 0xE000 for letter in value):
        raise LabelError(f"{where}: {column} holds a control character; remove it")
    return value.strip()
