"""Tasks and answers as Argilla 2's records (`rg.Record.to_dict`, `records.to_json`), both ways.

Argilla knows a reader by a UUID and keeps one answer of each, without its time. The labeller, the
time and the rest of an answer that kgbuild exported travel in the record's metadata.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from kgbuild.core.errors import LabelError, first_fault
from kgbuild.labelling.exchange import (
    PAYLOAD,
    Answer,
    ImportRules,
    Reading,
    Task,
    flatten_comment,
    make_row,
    read_label,
    read_reading,
    refuse_conflicts,
    restore_question,
)

_NAMESPACE = uuid.UUID("6b67627c-6c61-6265-6c6c-657220696473")
_UNFINISHED = ("draft", "discarded")


def to_argilla(task: Task) -> dict[str, Any]:
    """Give one record, with each labeller's latest answer as a response."""
    question = task.question
    latest = {row.labeller: row for row in task.rows}
    responses: dict[str, list[dict[str, str]]] = {}
    readings = {}
    for labeller, row in latest.items():
        user = user_id(labeller)
        readings[user] = Reading.of(row).model_dump(mode="json")
        for name, value in (
            ("label", row.label.value),
            ("harm", "yes" if row.harm else ""),
            ("comment", row.comment),
        ):
            if value:
                responses.setdefault(name, []).append({"value": value, "user_id": user})
    payload = {"question": question.model_dump(mode="json"), "readings": readings}
    suggestions = {}
    if task.prediction is not None:
        suggestions["label"] = {
            "value": task.prediction.label.value,
            "score": task.prediction.probability,
            "agent": task.prediction.critic,
        }
    return {
        "id": question.triple_id,
        "fields": {"sentence": question.sentence},
        # Text, since Argilla's metadata hold no objects.
        "metadata": {PAYLOAD: json.dumps(payload, ensure_ascii=False)},
        "suggestions": suggestions,
        "responses": responses,
        "vectors": {},
    }


def user_id(labeller: str) -> str:
    """Give the UUID that stands for a labeller."""
    return str(uuid.uuid5(_NAMESPACE, labeller))


class _Part(BaseModel):
    """A part of the tool's file: what is read of it is checked, what is not is let be."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Response(_Part):
    value: Any = None
    user_id: str | None = None
    status: str | None = None


class _Record(_Part):
    fields: dict[str, Any]
    metadata: dict[str, Any] = {}
    responses: dict[str, list[_Response]] = {}


def from_argilla(records: list[Any], *, name: str, rules: ImportRules) -> Iterator[Answer]:
    """Give the answers of exported records, in their order.

    Args:
        records: The parsed file.
        name: Its name, for errors.
        rules: Names, guideline and time of import.

    Raises:
        LabelError: With the record, if anything is wrong with it.
    """
    for number, tree in enumerate(records, start=1):
        where = f"{name}, record {number}"
        try:
            record = _Record.model_validate(tree)
        except ValidationError as error:
            raise LabelError(
                f"{where} is no record of Argilla 2: {first_fault(error)}; write the file with "
                "dataset.records.to_json(...)"
            ) from error
        payload = _read_payload(record.metadata.get(PAYLOAD))
        question = restore_question(
            payload.get("question"), record.fields.get("sentence"), where=where
        )
        noted = payload.get("readings")
        answers = []
        for response in _finished(record, "label"):
            label = read_label(response.value, where=where)
            user = response.user_id or "unknown"
            reading = read_reading(noted.get(user) if isinstance(noted, dict) else None, label)
            comments = [one.value for one in _finished(record, "comment") if one.user_id == user]
            row = make_row(
                question,
                label,
                reading,
                labeller=rules.find_name(user) if reading is None else "",
                at=rules.at,
                guideline=rules.guideline,
                is_harm=any(
                    one.value == "yes" for one in _finished(record, "harm") if one.user_id == user
                ),
                comment=flatten_comment(" ".join(map(str, comments))),
            )
            answers.append(Answer(row, reading is not None, reading is not None))
        yield from refuse_conflicts(answers, where=where)


def _finished(record: _Record, name: str) -> list[_Response]:
    return [one for one in record.responses.get(name, []) if one.status not in _UNFINISHED]


def _read_payload(text: object) -> dict[str, Any]:
    if not isinstance(text, str):
        return {}
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}
