"""A corpus as a sheet that people review: CSV that no spreadsheet takes for a program.

A cell that begins with `=`, `+`, `-`, `@`, a tab or a line end could be run as a formula when the
file is opened, and a model's text may begin with anything. Such a cell gets an apostrophe in
front, and reading takes exactly that one away again.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from pathlib import Path

from kgbuild.core.files import replacing
from kgbuild.core.records import CorpusRow
from kgbuild.corpus.lines import TSV_COLUMNS, escape

ACCEPT, COMMENT = "accept", "comment"
SHEET_COLUMNS = (
    ACCEPT,
    COMMENT,
    "head",
    "relation",
    "tail",
    "sentence",
    *(name for name in TSV_COLUMNS if name not in ("head", "relation", "tail", "sentence")),
)
# Full-width forms are formulas to spreadsheets of some languages.
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_GUARDED = re.compile("'+[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def guard(text: str) -> str:
    """Give a cell that a spreadsheet shows and does not run.

    >>> guard("=1+1"), guard("'tis"), unguard(guard("'=1"))
    ("'=1+1", "'tis", "'=1")
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unguard(text: str) -> str:
    """Undo `guard`; other apostrophes stay."""
    return text[1:] if _GUARDED.match(text) else text


def write_sheet(rows: Iterable[CorpusRow], out: Path) -> int:
    """Write the sheet, whole or not at all; a byte order mark tells spreadsheets of UTF-8."""
    count = 0
    with (
        replacing(out) as temporary,
        temporary.open("w", encoding="utf-8-sig", newline="") as written,
    ):
        sheet = csv.writer(written, lineterminator="\r\n")
        sheet.writerow(SHEET_COLUMNS)
        for row in rows:
            values = row.model_dump(mode="json")
            cells = (values[name] for name in SHEET_COLUMNS[2:])
            shown = (guard(escape(cell)) if isinstance(cell, str) else repr(cell) for cell in cells)
            sheet.writerow(["", "", *shown])
            count += 1
    return count
