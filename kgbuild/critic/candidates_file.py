"""A user's own triples to score: TSV or JSON Lines with head, relation, tail."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

from kgbuild.core.errors import FileError, LabelError, RelationError
from kgbuild.core.files import read_text
from kgbuild.core.ids import canonical
from kgbuild.core.relations import RelationSet
from kgbuild.critic.candidate import Candidate

_FIELDS = ("head", "relation", "tail")


def read_candidates(
    path: Path, *, relations: RelationSet, skip_unknown: bool = False
) -> Iterator[Candidate | None]:
    """Give the candidates of a file in its order; None stands for a row that is left out.

    Raises:
        LabelError: If a row is not head, relation and tail, or its relation is unknown and
            `skip_unknown` is not set; the message names the line.
    """
    try:
        text = read_text(path, limit_bytes=2**31)
    except FileError as error:
        raise LabelError(str(error)) from error
    lines = text.splitlines()
    is_json = path.suffix in (".jsonl", ".json") or text.lstrip().startswith("{")
    rows = _read_json(path, lines) if is_json else _read_tsv(path, lines)
    for number, row in rows:
        for field in _FIELDS:
            value = row.get(field)
            if not isinstance(value, str) or not value.strip():
                raise LabelError(
                    f"{path}:{number} has no {field}; every row needs {', '.join(_FIELDS)}"
                )
        if row["relation"] not in relations:
            if skip_unknown:
                yield None
                continue
            try:
                relations.get(row["relation"])
            except RelationError as error:
                raise LabelError(
                    f"{path}:{number}: {error}; --skip-unknown leaves such rows out"
                ) from error
        yield Candidate(canonical(row["head"]), row["relation"], canonical(row["tail"]))


def _read_json(path: Path, lines: list[str]) -> Iterator[tuple[int, dict[str, str]]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise LabelError(f"{path}:{number} is not a JSON line: {error.msg}") from error
        if not isinstance(row, dict):
            raise LabelError(f"{path}:{number} is no JSON object with {', '.join(_FIELDS)}")
        yield number, row


def _read_tsv(path: Path, lines: list[str]) -> Iterator[tuple[int, dict[str, str]]]:
    rows = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    header = [name.strip() for name in next(rows, [])]
    if not set(_FIELDS) <= set(header):
        raise LabelError(
            f"{path}:1 has the columns {', '.join(header) or 'none'}; needed are "
            f"{', '.join(_FIELDS)}, separated by tabs"
        )
    for number, row in enumerate(rows, start=2):
        if row:
            yield number, dict(zip(header, row, strict=False))
