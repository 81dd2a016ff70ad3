"""Reading judged triples: gold labels of a reader, soft verdicts of a large judge."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from kgbuild.core.errors import LabelError, did_you_mean
from kgbuild.core.ids import triple_id
from kgbuild.core.labels import cohen_kappa, drop_retracted
from kgbuild.core.records import Label, LabelledTriple, Record, SilverTriple
from kgbuild.critic.lines import find_files, parse_object, read_lines

R = TypeVar("R", LabelledTriple, SilverTriple)

_SUFFIXES = (".jsonl", ".jsonl.gz")


def read_labels(places: Sequence[Path]) -> list[LabelledTriple]:
    """Read every standing row of label files, relabellings included, in file order.

    A row that its labeller took back is left out, with the row that took it back.

    Raises:
        LabelError: With file and line, if a row breaks a rule.
    """
    files = find_files(places, _SUFFIXES)
    return [
        row for path in files for row in drop_retracted(_read([path], LabelledTriple), where=path)
    ]


def read_silver(places: Sequence[Path]) -> list[SilverTriple]:
    """Read a judge's verdicts; a triple judged twice by one prompt keeps its first verdict.

    Raises:
        LabelError: With file and line, if a row breaks a rule.
    """
    seen: set[tuple[str, str]] = set()
    rows = []
    for row in _read(places, SilverTriple):
        if (row.triple_id, row.prompt_id) not in seen:
            seen.add((row.triple_id, row.prompt_id))
            rows.append(row)
    return rows


def settle_labels(labels: Sequence[LabelledTriple]) -> list[LabelledTriple]:
    """Give one label a triple: the latest of those on the side that most of its readers took.

    Every reader has one vote, to accept or not: his latest label, by date and then by order.
    `unsure` is no vote, and takes an earlier one back. Where votes are even the latest one
    decides. A triple without a vote is left out.
    """
    votes: dict[str, dict[str, LabelledTriple]] = {}
    # The sort is stable, so rows of one date keep their order and the last of them wins.
    for row in sorted(labels, key=lambda row: row.labelled_at):
        of_triple = votes.setdefault(row.triple_id, {})
        # A vote cast again is the latest one: it moves to the end.
        of_triple.pop(row.labeller, None)
        if row.label is not Label.UNSURE:
            of_triple[row.labeller] = row
    order = dict.fromkeys(row.triple_id for row in labels)
    return [_count(list(votes[identity].values())) for identity in order if votes[identity]]


def _count(votes: Sequence[LabelledTriple]) -> LabelledTriple:
    balance = sum(1 if row.label.is_accepted else -1 for row in votes)
    is_accepted = balance > 0 if balance else votes[-1].label.is_accepted
    return next(row for row in reversed(votes) if row.label.is_accepted is is_accepted)


class Agreement(Record):
    """How far two reads of the same triples agree."""

    triples: int
    kappa_accepted: float | None
    kappa_labels: float | None


def measure_agreement(labels: Sequence[LabelledTriple]) -> Agreement:
    """Compare the first read of every triple with the second, where there are two.

    Cohen's kappa, once on accepted or not and once on the label words. It is None when it is
    not defined: nothing read twice, or one word for everything.
    """
    reads: dict[str, list[Label]] = {}
    for row in sorted(labels, key=lambda row: row.labelled_at):
        reads.setdefault(row.triple_id, []).append(row.label)
    pairs = [(twice[0], twice[1]) for twice in reads.values() if len(twice) > 1]
    sure = [pair for pair in pairs if Label.UNSURE not in pair]
    return Agreement(
        triples=len(pairs),
        kappa_accepted=cohen_kappa([(a.is_accepted, b.is_accepted) for a, b in sure]),
        kappa_labels=cohen_kappa([(a.value, b.value) for a, b in pairs]),
    )


def _read(places: Sequence[Path], record: type[R]) -> Iterator[R]:
    for path in find_files(places, _SUFFIXES):
        for number, text in read_lines(path):
            where = f"{path}:{number}"
            row = _validate(parse_object(text, where=where), record, where=where)
            if row.triple_id != triple_id(row.head, row.relation, row.tail):
                raise LabelError(
                    f"{where} has triple_id {row.triple_id!r}, which is not the id of its head, "
                    "relation and tail; a row's text is never edited, write a new row"
                )
            numbers = (row.log_probability, row.mean_log_probability, row.prior_log_probability)
            if not all(math.isfinite(value) for value in numbers if value is not None):
                raise LabelError(f"{where} holds a log-probability that is not a finite number")
            yield row


def _validate(fields: dict[str, Any], record: type[R], *, where: str) -> R:
    try:
        return record.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        hint = ""
        if first["type"] == "enum" and isinstance(first["input"], str):
            known = [word.value for word in Label] if place == "label" else []
            hint = did_you_mean(first["input"], known)
        raise LabelError(
            f"{where}: {place} = {str(first['input'])[:80]!r}: {first['msg']}{hint}"
        ) from error
