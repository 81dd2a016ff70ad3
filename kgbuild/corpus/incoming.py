"""Triples from elsewhere: ATOMIC's, ASER's and CN-100k's TSV, JSON Lines, ConceptNet, sheets.

A file may come from anybody. A row that breaks a rule stops the reading with the file's name and
line, if it is not to be left out; rows that are left out on purpose are given as rejections.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import Field

from kgbuild.core.errors import LabelError, RelationError, did_you_mean
from kgbuild.core.ids import canonical
from kgbuild.core.records import Label, Record, Rejection
from kgbuild.core.relations import RelationSet
from kgbuild.corpus.conceptnet import parse_conceptnet
from kgbuild.corpus.incoming_lines import (
    WEIGHT,
    Cells,
    FileFormat,
    detect_format,
    read_cells,
    read_lines,
)
from kgbuild.corpus.lines import TSV_COLUMNS
from kgbuild.corpus.sheet import ACCEPT, COMMENT

_MOST_CHARACTERS = 1_000
_MOST_COMMENT = 10_000
_KNOWN = (*TSV_COLUMNS, WEIGHT, ACCEPT, COMMENT)
_ANSWERS = {
    **dict.fromkeys(("yes", "y", "true", "1", "x", "accept", "accepted"), Label.LIKELY),
    **dict.fromkeys(("no", "n", "false", "0", "reject", "rejected"), Label.INVALID),
    "?": Label.UNSURE,
    **{label.value: label for label in Label},
}


class IncomingRow(Record):
    """One triple of a file, and what the file says of it."""

    where: str = Field(description="File and line")
    head: str
    relation: str
    tail: str
    triple_id: str = Field(default="", description="Id of the exported triple that the row was")
    probability: float | None = None
    weight: float | None = Field(default=None, description="What the file counts the row for")
    teacher: str = ""
    accept: Label | None = Field(default=None, description="A person's answer, if one was given")
    comment: str = ""
    is_reviewed: bool = Field(default=False, description="Whether the file asks for answers")


def read_incoming(
    path: Path,
    *,
    relations: RelationSet,
    format: str | None = None,
    skip_unknown: bool = False,
    skip_broken: bool = False,
    stage: str = "import",
) -> Iterator[IncomingRow | Rejection]:
    """Give the triples of a file, a line at a time.

    Args:
        path: The file.
        relations: What a row may speak of.
        format: tsv, jsonl, conceptnet, cn100k or csv; without it the file's first lines tell.
        skip_unknown: Leave out rows of an unknown relation.
        skip_broken: Leave out rows that break a rule instead of stopping there. What breaks the
            file as a whole (a wrong header, another encoding) still stops it.
        stage: Who reads, for the rejections.

    Raises:
        LabelError: With file and line, if the file or a row breaks a rule.
        RelationError: With file and line, if a relation is unknown.
    """
    known = get_args(FileFormat)
    if format is not None and format not in known:
        raise LabelError(
            f"--format {format!r} is not one of {', '.join(known)}{did_you_mean(format, known)}"
        )
    is_empty = True
    for where, cells in _read(path, format or detect_format(path, relations=relations)):
        is_empty = False
        if cells is None:
            yield Rejection(stage=stage, reason="other_language", detail=where)
            continue
        try:
            if isinstance(cells, LabelError):
                raise cells
            relation = cells.get("relation")
            if isinstance(relation, str) and relation.strip() not in relations and skip_unknown:
                yield _reject(cells, "unknown_relation", where, stage=stage)
                continue
            row = _row(cells, where, relations)
        except LabelError as error:
            if not skip_broken:
                raise
            told = {} if isinstance(cells, LabelError) else cells
            yield _reject(told, "broken_row", str(error), stage=stage)
            continue
        if row.tail == "none" and not row.is_reviewed:
            # ATOMIC's way to say that nothing follows.
            yield Rejection(
                stage=stage,
                reason="none_tail",
                detail=where,
                head=row.head,
                relation=row.relation,
            )
            continue
        yield row
    if is_empty:
        raise LabelError(
            f"{path} holds no triple; give a line with head, relation and tail for each"
        )


def _reject(cells: Cells, reason: str, detail: str, *, stage: str) -> Rejection:
    """Give what can be told of a row that is left out; its cells may be anything."""
    head, relation, tail = (
        canonical(text[:_MOST_CHARACTERS]).encode("utf-8", "replace").decode()
        if isinstance(text := cells.get(name), str)
        else ""
        for name in ("head", "relation", "tail")
    )
    return Rejection(
        stage=stage, reason=reason, detail=detail, head=head, relation=relation, text=tail
    )


def _read(path: Path, format: str) -> Iterator[tuple[str, Cells | LabelError | None]]:
    if format in ("tsv", "cn100k", "csv"):
        for number, cells in read_cells(path, format=format, known=_KNOWN):
            yield f"{path}:{number}", cells
        return
    for number, line in read_lines(path):
        text, where = line.rstrip("\r\n"), f"{path}:{number}"
        if not text.strip():
            continue
        try:
            yield where, parse_conceptnet(text) if format == "conceptnet" else _json_cells(text)
        except (ValueError, RecursionError) as error:
            broken = LabelError(f"{where} is no triple: {error}")
            broken.__cause__ = error
            yield where, broken


def _json_cells(text: str) -> Cells:
    cells = json.loads(text)
    if not isinstance(cells, dict):
        raise ValueError("it is not a JSON object; one object a line is expected")
    for name in cells:
        if name not in _KNOWN:
            raise ValueError(
                f"it has the unknown key {name[:80]!r}{did_you_mean(name, _KNOWN)}; known are "
                f"{', '.join(_KNOWN)}"
            )
    return cells


def _row(cells: Cells, where: str, relations: RelationSet) -> IncomingRow:
    head, relation, tail = (_phrase(cells, name, where) for name in ("head", "relation", "tail"))
    if relation not in relations:
        names = [known.name for known in relations]
        raise RelationError(
            f"{where}: relation {relation[:80]!r} is in none of the run's packs"
            f"{did_you_mean(relation, names)}; --skip-unknown leaves such rows out"
        )
    return IncomingRow(
        where=where,
        head=canonical(head),
        relation=relation,
        tail=canonical(tail),
        triple_id=_text(cells, "triple_id", where),
        probability=_probability(cells, where),
        weight=_weight(cells, where),
        teacher=_text(cells, "teacher", where),
        accept=_answer(cells.get(ACCEPT), where),
        comment=_text(cells, COMMENT, where, most=_MOST_COMMENT),
        is_reviewed=ACCEPT in cells,
    )


def _phrase(cells: Cells, name: str, where: str) -> str:
    text = canonical(_text(cells, name, where))
    if not text:
        raise LabelError(f"{where} has no {name}; head, relation and tail are text")
    if not text.isprintable() and any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise LabelError(f"{where}: {name} holds a control character; remove it")
    return text


def _text(cells: Cells, name: str, where: str, *, most: int = _MOST_CHARACTERS) -> str:
    value = cells.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise LabelError(f"{where}: {name} is {str(value)[:80]!r}, which is no text")
    if len(value) > most:
        raise LabelError(
            f"{where}: {name} has {len(value):,} characters; at most {most:,} are read"
        )
    # A lone surrogate comes out of JSON escapes and has no UTF-8 form.
    if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise LabelError(f"{where}: {name} holds a character that is no text; remove it")
    return value.strip()


def _probability(cells: Cells, where: str) -> float | None:
    value: Any = cells.get("probability")
    if value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = -1.0
    if isinstance(value, bool) or not 0 <= number <= 1:
        raise LabelError(f"{where}: probability {str(value)[:80]!r} is no number from 0 to 1")
    return number


def _weight(cells: Cells, where: str) -> float | None:
    value: Any = cells.get(WEIGHT)
    if value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if isinstance(value, bool) or not math.isfinite(number):
        raise LabelError(f"{where}: weight {str(value)[:80]!r} is no number")
    return number


def _answer(value: Any, where: str) -> Label | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    word = str(value).strip().casefold()
    if word not in _ANSWERS:
        raise LabelError(
            f"{where}: accept is {str(value)[:80]!r}{did_you_mean(word, _ANSWERS)}; write yes, no "
            f"or ?, or one of {', '.join(Label)}"
        )
    return _ANSWERS[word]
