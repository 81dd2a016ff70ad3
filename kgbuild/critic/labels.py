"""Reading judged triples and a judge's soft verdicts, row by row, with the place of every fault."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from kgbuild.core.errors import LabelError
from kgbuild.core.records import Label, LabelledTriple, Record, SilverTriple

R = TypeVar("R", bound=Record)
_SUFFIXES = (".jsonl", ".jsonl.gz")
_LIMIT_CHARACTERS = 20_000


def read_labels(paths: Iterable[Path]) -> Iterator[LabelledTriple]:
    """Give every judgement of files and folders, in the order of their names.

    Raises:
        LabelError: If a file is missing or a row breaks a rule; the message names file and line.
    """
    return _read(paths, LabelledTriple)


def read_silver(paths: Iterable[Path]) -> Iterator[SilverTriple]:
    """Give every soft verdict of files and folders, in the order of their names.

    Raises:
        LabelError: If a file is missing or a row breaks a rule; the message names file and line.
    """
    return _read(paths, SilverTriple)


def settle_labels(labels: Iterable[LabelledTriple]) -> list[LabelledTriple]:
    """Give one judgement a triple: the last one written. Those left unsure are taken out."""
    latest: dict[str, LabelledTriple] = {}
    for label in labels:
        latest[label.triple_id] = label
    return [label for label in latest.values() if label.label is not Label.UNSURE]


def measure_agreement(labels: Sequence[LabelledTriple]) -> tuple[int, float]:
    """Give how many triples were judged twice and Cohen's kappa of accepting them.

    Without any the kappa is not a number.
    """
    from sklearn.metrics import cohen_kappa_score

    first: dict[str, LabelledTriple] = {}
    pairs: list[tuple[bool, bool]] = []
    for label in labels:
        if label.triple_id not in first:
            first[label.triple_id] = label
        elif Label.UNSURE not in (label.label, first[label.triple_id].label):
            pairs.append((first[label.triple_id].label.is_accepted, label.label.is_accepted))
    if len(set(pairs)) < 2:
        return len(pairs), float("nan")
    one, two = zip(*pairs, strict=True)
    return len(pairs), float(cohen_kappa_score(one, two))


def _read(paths: Iterable[Path], record: type[R]) -> Iterator[R]:
    for path in paths:
        files = [path]
        if path.is_dir():
            files = sorted(file for file in path.iterdir() if file.name.endswith(_SUFFIXES))
        elif not path.exists():
            raise LabelError(f"{path} does not exist; check the path")
        for file in files:
            yield from _read_file(file, record)


def _read_file(path: Path, record: type[R]) -> Iterator[R]:
    opener = gzip.open if path.name.endswith(".gz") else open
    number = 0
    try:
        with opener(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if len(line) > _LIMIT_CHARACTERS:
                    raise LabelError(f"{path}:{number} is longer than {_LIMIT_CHARACTERS:,}")
                if line.strip():
                    yield record.model_validate(json.loads(line))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        place = number + isinstance(error, UnicodeDecodeError)
        raise LabelError(f"{path}:{place} is not a JSON line in UTF-8: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise LabelError(
            f"{path}:{number} is no {record.__name__}: {field}: {first['msg']}; see data/README.md"
        ) from error
    except (OSError, EOFError) as error:
        raise LabelError(f"{path} cannot be read: {error}") from error
