"""What goes to another labelling tool and comes back: tasks, and the answers to them.

A tool shows `sentence`. All else that a label row needs travels in one payload that no labeller
looks at, so relations and scores stay out of sight, and an answer finds its triple again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field, ValidationError

from kgbuild.core.errors import LabelError, did_you_mean, first_fault
from kgbuild.core.files import read_text
from kgbuild.core.ids import triple_id
from kgbuild.core.records import Label, LabelledTriple, Record
from kgbuild.labelling.question import Question
from kgbuild.labelling.session import check_labeller

PAYLOAD = "kgbuild"
_LIMIT_BYTES = 2**28
_MAX_COMMENT = 1_000


class Prediction(Record):
    """What a critic says of a triple."""

    probability: float = Field(ge=0, le=1)
    is_accepted: bool
    critic: str

    @property
    def label(self) -> Label:
        """The nearest word: a critic only knows whether to accept."""
        return Label.LIKELY if self.is_accepted else Label.INVALID


class Task(Record):
    """One triple, what was said of it, and what a critic says if that is to be shown."""

    question: Question
    rows: tuple[LabelledTriple, ...] = ()
    prediction: Prediction | None = None


class Reading(Record):
    """What only kgbuild knows of an answer that it exported."""

    labeller: str
    label: Label
    labelled_at: str
    guideline: int
    chosen_by: str
    seconds: float | None = Field(ge=0, allow_inf_nan=False)

    @classmethod
    def of(cls, row: LabelledTriple) -> Reading:
        """Take it from a label row."""
        return cls(**row.model_dump(include=set(cls.model_fields)))


class Answer(NamedTuple):
    """An answer that came back.

    Attributes:
        row: The label row that it becomes.
        is_dated: Whether the tool said when it was given; else the row bears the time of import.
        is_restored: Whether kgbuild had exported it and it comes back as it was.
    """

    row: LabelledTriple
    is_dated: bool
    is_restored: bool


class ImportRules(Record):
    """What a tool's file leaves open."""

    at: str = Field(description="UTC time of the import, ISO 8601")
    guideline: int = Field(default=1, description="Version that the labellers followed")
    names: Mapping[str, str] = Field(
        default={}, description="Labellers' names, by the tool's id or address of them"
    )
    tool: str = Field(description="Stands before ids that have no name")

    def find_name(self, identity: object) -> str:
        """Give the name of somebody whom the tool knows by an id or an address."""
        known = self.names.get(str(identity))
        given = known or (identity if isinstance(identity, str) and "@" in identity else None)
        return check_labeller(given or f"{self.tool}-{identity}")


def read_tree(path: Path) -> list[Any]:
    """Read a JSON array, or JSON Lines, of anything.

    Raises:
        LabelError: If it is neither, or is empty.
        FileError: If it cannot be read.
    """
    text = read_text(path, limit_bytes=_LIMIT_BYTES).strip()
    if not text:
        raise LabelError(f"{path} is empty; export the project from the tool once more")
    try:
        if text.startswith("["):
            tree = json.loads(text)
        else:
            tree = [json.loads(line) for line in text.split("\n") if line.strip()]
    except (ValueError, RecursionError) as error:
        raise LabelError(
            f"{path} is not JSON: {error}; choose the tool's JSON export, not CSV"
        ) from error
    if not tree:
        raise LabelError(f"{path} holds no task")
    return list(tree)


def restore_question(payload: Any, sentence: object, *, where: str) -> Question:
    """Give the question that a task was made of.

    Raises:
        LabelError: If the task is not one that kgbuild exported, or was edited since.
    """
    if not isinstance(payload, dict):
        raise LabelError(
            f"{where} has no {PAYLOAD!r} of its own: it was not exported by kgbuild labels export, "
            "so its triple is unknown. Judge tasks that kgbuild exported"
        )
    if payload.get("sentence") != sentence:
        raise LabelError(
            f"{where} shows {str(sentence)[:80]!r}, which is not the sentence that was exported; a "
            "changed triple is a new one: kgbuild import takes it"
        )
    try:
        question = Question.model_validate(payload)
    except ValidationError as error:
        raise LabelError(f"{where}: {PAYLOAD} was changed: {first_fault(error)}") from error
    if question.triple_id != triple_id(question.head, question.relation, question.tail):
        raise LabelError(
            f"{where}: the id {question.triple_id[:40]!r} is not that of its head, relation and "
            "tail; the text was edited. A changed triple is a new one: kgbuild import takes it"
        )
    numbers = (
        question.log_probability,
        question.mean_log_probability,
        question.prior_log_probability or 0.0,
    )
    if not all(map(math.isfinite, numbers)):
        raise LabelError(f"{where}: {PAYLOAD} holds a log-probability that is not a finite number")
    return question


def read_label(word: Any, *, where: str) -> Label:
    """Give the label that a tool names.

    Raises:
        LabelError: If it is no label.
    """
    try:
        return Label(word)
    except ValueError as error:
        near = did_you_mean(str(word)[:80], Label) if isinstance(word, str) else ""
        raise LabelError(
            f"{where}: {str(word)[:80]!r} is no label; they are {', '.join(Label)}{near}"
        ) from error


def read_reading(value: Any, label: Label) -> Reading | None:
    """Give what kgbuild noted about an answer, unless it was changed in the tool since."""
    try:
        reading = Reading.model_validate(value)
        check_labeller(reading.labeller)
        datetime.fromisoformat(reading.labelled_at)
    except (ValidationError, LabelError, ValueError):
        return None
    return reading if reading.label is label else None


def read_time(value: object, *, where: str) -> str | None:
    """Give a time as kgbuild writes it; None for none.

    Raises:
        LabelError: If it is no time.
    """
    if value is None or value == "":
        return None
    try:
        moment = datetime.fromisoformat(str(value))
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise LabelError(
            f"{where}: {str(value)[:80]!r} is no time; ISO 8601 is expected"
        ) from error
    return moment.isoformat(timespec="seconds")


def flatten_comment(value: object) -> str:
    """Give one line of printable text."""
    text = "".join(letter if letter.isprintable() else " " for letter in str(value))
    return " ".join(text.split())[:_MAX_COMMENT]


def make_row(
    question: Question,
    label: Label,
    reading: Reading | None,
    *,
    labeller: str,
    at: str,
    guideline: int,
    is_harm: bool,
    comment: str,
    seconds: float | None = None,
) -> LabelledTriple:
    """Give the label row of an answer; what kgbuild noted itself goes before the tool's word."""
    noted = reading.model_dump(exclude={"label"}) if reading else {}
    said = {"labeller": labeller, "labelled_at": at, "guideline": guideline, "seconds": seconds}
    return LabelledTriple.model_validate(
        {
            **question.model_dump(),
            **said,
            **noted,
            "label": label,
            "harm": is_harm,
            "comment": comment,
        }
    )


def refuse_conflicts(answers: Iterable[Answer], *, where: str) -> Iterator[Answer]:
    """Pass on a task's answers, without copies.

    Raises:
        LabelError: If one labeller gives two different answers and nothing says which is later.
    """
    said: dict[tuple[str, str], LabelledTriple] = {}
    for answer in answers:
        row = answer.row
        if answer.is_restored:
            yield answer
            continue
        earlier = said.setdefault((row.labeller, row.labelled_at), row)
        if earlier is row:
            yield answer
        elif (earlier.label, earlier.harm) != (row.label, row.harm):
            raise LabelError(
                f"{where}: {row.labeller} says both {earlier.label} and {row.label}, and nothing "
                "says which came later; keep one of the two in the tool and export again"
            )
