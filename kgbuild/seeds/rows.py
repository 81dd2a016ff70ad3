"""Seed files as rows: which format a file has, and its cells with their line numbers."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kgbuild.core.errors import FileError, SeedError, did_you_mean
from kgbuild.core.files import read_text

COLUMNS = ("head", "kind", "relations")
_EXTENSIONS = {".tsv": "tsv", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_EXTENSIONS |= {".json": "jsonl"}
_WAY_OUT = "name the column with the heads 'head', or put one head a line into a .txt file"


@dataclass(frozen=True)
class SeedRow:
    """One row of a seed file as it stands there, not yet checked as a head."""

    source: str
    head: str
    kind: str = ""
    relations: tuple[str, ...] = ()


def read_rows(path: Path) -> Iterator[SeedRow]:
    """Read the rows of one seed file in its own format.

    The extension decides the format; any other extension is sniffed from the first line, so a
    table pasted into `seeds.txt` is still read as a table.

    Raises:
        SeedError: If the file cannot be read, has no `head` column or holds a broken row.
    """
    try:
        text = read_text(path)
    except FileError as error:
        raise SeedError(f"Seed file: {error}") from error
    kind = _EXTENSIONS.get(path.suffix.casefold()) or _sniff_format(text)
    if kind == "jsonl":
        yield from _read_json_lines(text, path)
    elif kind == "lines":
        yield from _read_plain_lines(text, path)
    else:
        yield from _read_table(_cells(text, path, kind), path)


def _sniff_format(text: str) -> str:
    first = next((line for line in text.split("\n") if line.strip()), "")
    # A list of objects is no JSON Lines, and still less a head; the reader says so.
    if first.lstrip().startswith(("{", "[{")):
        return "jsonl"
    for name, separator in (("tsv", "\t"), ("csv", ",")):
        if "head" in (cell.strip().strip('"').casefold() for cell in first.split(separator)):
            return name
    return "lines"


def _read_plain_lines(text: str, path: Path) -> Iterator[SeedRow]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield SeedRow(source=f"{path}:{number}", head=line)


def _cells(text: str, path: Path, kind: str) -> Iterator[tuple[int, list[str]]]:
    if kind == "tsv":
        # A quotation mark is an ordinary character in TSV, so no csv dialect is at work here.
        for number, line in enumerate(text.split("\n"), start=1):
            yield number, line.rstrip("\r").split("\t")
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise SeedError(
            f"{path}:{reader.line_num} is not CSV: {error}; close every quotation mark and double "
            "those inside a cell"
        ) from error


def _read_table(rows: Iterator[tuple[int, list[str]]], path: Path) -> Iterator[SeedRow]:
    places: dict[str, int] | None = None
    width = 0
    for number, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        source = f"{path}:{number}"
        if places is None:
            names = [cell.strip().casefold() for cell in cells]
            _check_columns(names, source)
            places, width = (
                {name: names.index(name) for name in COLUMNS if name in names},
                len(names),
            )
            continue
        if len(cells) > width:
            raise SeedError(
                f"{source} has {len(cells)} cells but the header names {width}; remove the extra "
                "separator or quote the cell"
            )
        values = {name: cells[at].strip() for name, at in places.items() if at < len(cells)}
        yield SeedRow(
            source=source,
            head=values.get("head", ""),
            kind=values.get("kind", ""),
            relations=_split_relations(values.get("relations", "")),
        )


def _read_json_lines(text: str, path: Path) -> Iterator[SeedRow]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        source = f"{path}:{number}"
        try:
            value = json.loads(line)
        except json.JSONDecodeError as error:
            raise SeedError(
                f"{source} is not JSON: {error.msg} at column {error.colno}; write one object a "
                'line, such as {"head": "PersonX bakes a cake"}'
            ) from error
        except ValueError as error:
            raise SeedError(f"{source} holds a number too long to read; quote the head") from error
        except RecursionError as error:
            raise SeedError(f"{source} nests too deeply; write one flat object a line") from error
        yield _row_of_object(value, source)


def _row_of_object(value: Any, source: str) -> SeedRow:
    if not isinstance(value, dict):
        raise SeedError(
            f'{source} holds {_json_type(value)}, not an object; write {{"head": "umbrella"}}'
        )
    names = [name.strip().casefold() for name in value]
    _check_columns(names, source)
    value = dict(zip(names, value.values(), strict=True))
    head, kind, relations = (value.get(name) for name in COLUMNS)
    if not isinstance(head, str):
        raise SeedError(f"{source}: head is {_json_type(head)}, not a string; quote the head")
    if kind is not None and not isinstance(kind, str):
        raise SeedError(f"{source}: kind is {_json_type(kind)}; write 'event' or 'concept'")
    if isinstance(relations, list) and all(isinstance(name, str) for name in relations):
        relations = ",".join(relations)
    if relations is not None and not isinstance(relations, str):
        raise SeedError(
            f"{source}: relations is {_json_type(relations)}; write a list of names or one string "
            "with commas"
        )
    return SeedRow(
        source=source, head=head, kind=kind or "", relations=_split_relations(relations or "")
    )


def _check_columns(names: list[str], source: str) -> None:
    if "head" not in names:
        found = ", ".join(repr(name[:40]) for name in names[:10])
        raise SeedError(
            f"{source} names the columns {found} but 'head' is needed "
            f"(kind and relations are optional){did_you_mean_column(names)}; {_WAY_OUT}"
        )
    for name in names:
        near = did_you_mean(name, COLUMNS)
        if name not in COLUMNS and near:
            raise SeedError(f"{source}: column {name!r} is not known{near} Rename the column.")
        if names.count(name) > 1 and name in COLUMNS:
            raise SeedError(f"{source} names the column {name!r} twice; keep one of them")


def did_you_mean_column(names: list[str]) -> str:
    """Give a hint for the first column name that nearly says 'head'.

    >>> did_you_mean_column(["topic", "heads"])
    " ('heads' looks like it)"
    """
    near = [name for name in names if did_you_mean(name, ["head"])]
    return f" ({near[0]!r} looks like it)" if near else ""


def _split_relations(text: str) -> tuple[str, ...]:
    # dict.fromkeys keeps the order and drops a name given twice.
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _json_type(value: Any) -> str:
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string"}
    names |= {list: "a list", dict: "an object", type(None): "missing"}
    return names[type(value)]
