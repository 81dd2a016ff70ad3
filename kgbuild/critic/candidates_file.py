"""Reading the triples that a user wants judged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kgbuild.core.errors import LabelError, RelationError, did_you_mean
from kgbuild.core.ids import canonical
from kgbuild.core.relations import RelationSet
from kgbuild.critic.candidate import Candidate
from kgbuild.critic.lines import (
    check_phrase,
    parse_header,
    parse_object,
    read_lines,
    split_cells,
)

_COLUMNS = ("head", "relation", "tail")


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
            columns = parse_header(text, _COLUMNS, where=where)
            continue
        else:
            row = split_cells(text, columns, where=where)
        head, relation, tail = (
            check_phrase(row.get(column), column, where=where) for column in _COLUMNS
        )
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
