"""Tasks and answers as Label Studio's JSON (labelstud.io/guide/task_format), both ways.

An imported annotation belongs to whoever imports it there, so the labeller and the time of an
answer that kgbuild exported travel in its result's `meta`, which Label Studio keeps as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kgbuild.core.errors import LabelError, first_fault
from kgbuild.core.records import Label, LabelledTriple
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
    read_time,
    refuse_conflicts,
    restore_question,
)

# What a project of these tasks is set up with: Settings, Labeling Interface, Code.
LABEL_CONFIG = """<View>
  <Header value="Would a typical adult, told nothing more, accept this as ordinary commonsense?"/>
  <Text name="sentence" value="$sentence"/>
  <Choices name="label" toName="sentence" choice="single" required="true" showInline="true">
    <Choice value="always" hotkey="a"/>
    <Choice value="likely" hotkey="l"/>
    <Choice value="farfetched" hotkey="f"/>
    <Choice value="invalid" hotkey="i"/>
    <Choice value="unsure" hotkey="u"/>
  </Choices>
  <Choices name="harm" toName="sentence" choice="multiple" showInline="true">
    <Choice value="harm" hotkey="h"/>
  </Choices>
  <TextArea name="comment" toName="sentence" rows="1" placeholder="Comment"/>
</View>
"""


def to_label_studio(task: Task) -> dict[str, Any]:
    """Give one task, with its answers as annotations and the critic's as a prediction."""
    question = task.question
    made: dict[str, Any] = {
        "data": {"sentence": question.sentence, PAYLOAD: question.model_dump(mode="json")},
        "annotations": [_annotate(row) for row in task.rows],
    }
    if task.prediction is not None:
        made["predictions"] = [
            {
                "model_version": task.prediction.critic,
                "score": task.prediction.probability,
                "result": [_choose("label", task.prediction.label)],
            }
        ]
    return made


def _annotate(row: LabelledTriple) -> dict[str, Any]:
    reading = Reading.of(row).model_dump(mode="json")
    result = [_choose("label", row.label) | {"meta": {PAYLOAD: reading}}]
    if row.harm:
        result.append(_choose("harm", "harm"))
    if row.comment:
        area = _region("comment", "textarea", {"text": [row.comment]})
        result.append(area)
    made: dict[str, Any] = {"result": result, "was_cancelled": False}
    if row.seconds is not None:
        made["lead_time"] = row.seconds
    return made


def _choose(name: str, word: str) -> dict[str, Any]:
    return _region(name, "choices", {"choices": [str(word)]})


def _region(name: str, kind: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"id": name, "from_name": name, "to_name": "sentence", "type": kind, "value": value}


class _Part(BaseModel):
    """A part of the tool's file: what is read of it is checked, what is not is let be."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Value(_Part):
    choices: list[str] = []
    text: list[str] | str = []


class _Region(_Part):
    from_name: str = ""
    value: _Value = _Value()
    meta: Any = None


class _Annotation(_Part):
    result: list[_Region] = []
    completed_by: int | str | dict[str, Any] | None = None
    created_at: str | None = None
    updated_at: str | None = None
    lead_time: float | None = Field(default=None, ge=0, le=1e9, allow_inf_nan=False)
    was_cancelled: bool = False


class _Task(_Part):
    data: dict[str, Any]
    annotations: list[_Annotation] = []


def from_label_studio(tasks: list[Any], *, name: str, rules: ImportRules) -> Iterator[Answer]:
    """Give the answers of an exported project, in the order of its tasks.

    Args:
        tasks: The parsed file.
        name: Its name, for errors.
        rules: Names, guideline and time of import.

    Raises:
        LabelError: With the task, if anything is wrong with it.
    """
    for number, tree in enumerate(tasks, start=1):
        where = f"{name}, task {number}"
        try:
            task = _Task.model_validate(tree)
        except ValidationError as error:
            raise LabelError(
                f"{where} is no task of Label Studio: {first_fault(error)}; choose its JSON "
                "export, not JSON-MIN"
            ) from error
        question = restore_question(task.data.get(PAYLOAD), task.data.get("sentence"), where=where)
        answers = []
        for annotation in task.annotations:
            if annotation.was_cancelled:
                continue  # Skipped by its reader: no judgement, and the task is asked again there.
            found = {region.from_name: region for region in annotation.result}
            label = _read_choice(found.get("label"), where=where)
            noted = found["label"].meta
            reading = read_reading(noted.get(PAYLOAD) if isinstance(noted, dict) else None, label)
            at = read_time(annotation.updated_at or annotation.created_at, where=where)
            harm = found.get("harm")
            row = make_row(
                question,
                label,
                reading,
                labeller=_read_name(annotation.completed_by, rules) if reading is None else "",
                at=at or rules.at,
                guideline=rules.guideline,
                is_harm=harm is not None and "harm" in harm.value.choices,
                comment=_read_comment(found.get("comment")),
                seconds=annotation.lead_time,
            )
            answers.append(Answer(row, at is not None or reading is not None, reading is not None))
        yield from refuse_conflicts(answers, where=where)


def _read_choice(region: _Region | None, *, where: str) -> Label:
    words = region.value.choices if region is not None else []
    if len(words) != 1:
        raise LabelError(
            f"{where} has an annotation with {len(words)} labels; one is needed, with the control "
            'named "label" as in the .xml that the export wrote'
        )
    return read_label(words[0], where=where)


def _read_name(completed_by: int | str | dict[str, Any] | None, rules: ImportRules) -> str:
    if isinstance(completed_by, dict):
        completed_by = completed_by.get("email") or completed_by.get("id")
    return rules.find_name("unknown" if completed_by is None else completed_by)


def _read_comment(region: _Region | None) -> str:
    if region is None:
        return ""
    text = region.value.text
    return flatten_comment(text if isinstance(text, str) else " ".join(text))
