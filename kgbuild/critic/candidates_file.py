"""Reading the triples that a user wants judged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kgbuild.core.errors import LabelError, RelationError, did_you_mean
from kgbuild.core.ids import canonical
from kgbuild.core.relations import RelationSet
from kgbuild.critic.candidate import Candidate
from kgbuild.critic.lines import parse_object, read_lines

_COLUMNS = ("head", "relation", "tail")
_MAX_PHRASE = 1_000


def read_candidates(
    path: Path, *, relations: RelationSet, skip_unknown: bool = False
) -> Iterator[Candidate | None]:
    """Read head, relation and tail of TSV (with a header) or JSON Lines, a line at a time.

    Args:
        path: A first line that begins with a brace makes it JSON Lines, whatever its name.
        relations: What a row may speak of.
        skip_unknown: Give None for a row of an unknown relation instead of an error.

    Raises:
        LabelError: With file and line, if the file or a row breaks a rule.
        RelationError: With file and line, if a relation is unknown.
    """
    is_json = False
    columns: list[str] | None = None
    number = 0
    for number, text in read_lines(path):
        where = f"{path}:{number}"
        if columns is None and not is_json:
            is_json = text.lstrip().startswith("{")
        row: dict[str, Any]
        if is_json:
            row = _lower_keys(parse_object(text, where=where), where=where)
        elif columns is None:
            columns = _header(text, where=where)
            continue
        else:
            row = _cells(text, columns, where=where)
        head, relation, tail = (_phrase(row, column, where=where) for column in _COLUMNS)
        if relation in relations:
            yield Candidate(canonical(head), relation, canonical(tail))
        elif skip_unknown:
            yield None
        else:
            names = [known.name for known in relations]
            raise RelationError(
                f"{where}: relation {relation[:80]!r} is not one that the critic knows"
                f"{did_you_mean(relation, names) or '.'} --skip-unknown leaves such rows out."
            )
    if not number:
        raise LabelError(f"{path} is empty; give a line with head, relation and tail for each")


def _lower_keys(row: dict[str, Any], *, where: str) -> dict[str, Any]:
    lowered = {name.strip().casefold(): value for name, value in row.items()}
    if len(lowered) < len(row):
        raise LabelError(f"{where} gives a key twice, in capitals and without; keep one")
    return lowered


def _header(text: str, *, where: str) -> list[str]:
    columns = [cell.strip().casefold() for cell in text.split("\t")]
    missing = [column for column in _COLUMNS if column not in columns]
    if missing or len(set(columns)) < len(columns):
        raise LabelError(
            f"{where} is no header with {', '.join(_COLUMNS)} once each; found "
            f"{text[:80]!r}. Write the three names, separated by tabs, as the first line"
        )
    return columns


def _cells(text: str, columns: list[str], *, where: str) -> dict[str, str]:
    cells = text.split("\t")
    if len(cells) != len(columns):
        raise LabelError(f"{where} has {len(cells)} cells where the header has {len(columns)}")
    return dict(zip(columns, cells, strict=True))


def _phrase(row: dict[str, Any], column: str, *, where: str) -> str:
    value = row.get(column)
    if not isinstance(value, str) or not value.strip():
        raise LabelError(f"{where} has no {column}; head, relation and tail are text")
    if len(value) > _MAX_PHRASE:
        raise LabelError(
            f"{where}: {column} has {len(value):,} characters; at most {_MAX_PHRASE:,} are read"
        )
    # A lone surrogate comes out of JSON escapes and has no UTF-8 form.
    if any(ord(letter) < 32 or 0xD800 <= ord(letter) < 0xE000 for letter in value):
        raise LabelError(f"{where}: {column} holds a control character; remove it")
    return value.strip()
