"""Label Studio and Argilla: there and back, what people add there, and files that are hostile."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kgbuild.core.errors import KgbuildError, LabelError
from kgbuild.core.records import Label, LabelledTriple
from kgbuild.labelling import Question
from kgbuild.labelling.argilla import from_argilla, to_argilla, user_id
from kgbuild.labelling.exchange import Answer, ImportRules, Prediction, Task, read_tree
from kgbuild.labelling.label_studio import LABEL_CONFIG, from_label_studio, to_label_studio
from tests.labelling.conftest import make_question, make_row

AT = "2026-11-26T15:00:00+00:00"
Give = Callable[[Task], dict[str, Any]]
TOOLS = {
    "label-studio": (to_label_studio, from_label_studio),
    "argilla": (to_argilla, from_argilla),
}


def take(tool: str, tasks: list[Any], **rules: Any) -> list[Answer]:
    read = TOOLS[tool][1]
    return list(read(tasks, name="x.json", rules=ImportRules(at=AT, tool=tool, **rules)))


def rows_of(answers: list[Answer]) -> list[LabelledTriple]:
    return [answer.row for answer in answers]


@pytest.mark.parametrize("tool", TOOLS)
def test_labels_come_back_as_they_went(tool: str, tmp_path: Path) -> None:
    rows = [
        make_row(1, Label.LIKELY, at="2026-11-24", chosen_by="random", seconds=2.5),
        make_row(1, Label.UNSURE, by="böb", harm=True, comment='"é" <b>', guideline=2),
        make_row(2, Label.INVALID, chosen_by="uncertain", prior_log_probability=None, tokens=0),
    ]
    tasks = [
        Task(question=Question.of_label(pair[0], chosen_by=pair[0].chosen_by), rows=tuple(pair))
        for pair in (rows[:2], rows[2:])
    ]
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps([TOOLS[tool][0](task) for task in tasks]))
    answers = take(tool, read_tree(path))
    assert rows_of(answers) == rows
    assert all(answer.is_dated for answer in answers)
    lines = tmp_path / "tasks.jsonl"
    lines.write_text("\n".join(json.dumps(TOOLS[tool][0](task)) for task in tasks))
    assert rows_of(take(tool, read_tree(lines))) == rows


def test_label_studio_keeps_first_and_second_readings_argilla_the_latest() -> None:
    rows = (
        make_row(1, Label.LIKELY),
        make_row(1, Label.INVALID, at="2026-11-25T10:00:00+00:00", chosen_by="again"),
    )
    task = Task(question=Question.of_label(rows[0]), rows=rows)
    assert rows_of(take("label-studio", [to_label_studio(task)])) == list(rows)
    assert rows_of(take("argilla", [to_argilla(task)])) == [rows[1]]


@pytest.mark.parametrize("tool", TOOLS)
def test_what_is_shown_is_the_sentence_and_a_prediction_only_when_it_is_given(tool: str) -> None:
    bare = TOOLS[tool][0](Task(question=make_question(1)))
    shown = bare["data"] if tool == "label-studio" else bare["fields"]
    assert shown["sentence"] == make_question(1).sentence
    assert not bare.get("predictions")
    assert not bare.get("suggestions")
    assert take(tool, [bare]) == []
    prediction = Prediction(probability=0.2, is_accepted=False, critic="abc")
    made = TOOLS[tool][0](Task(question=make_question(1), prediction=prediction))
    if tool == "label-studio":
        (told,) = made["predictions"]
        assert (told["score"], told["model_version"]) == (0.2, "abc")
        assert told["result"][0]["value"] == {"choices": ["invalid"]}
    else:
        told = made["suggestions"]["label"]
        assert told == {"value": "invalid", "score": 0.2, "agent": "abc"}
    # A prediction is nobody's answer.
    assert take(tool, [made]) == []


def test_the_interface_of_label_studio_knows_every_label_and_name() -> None:
    tree = ElementTree.fromstring(LABEL_CONFIG)
    choices = {one.get("name"): [c.get("value") for c in one] for one in tree.iter("Choices")}
    assert choices == {"label": [label.value for label in Label], "harm": ["harm"]}
    task = Task(
        question=make_question(1), rows=(make_row(1, Label.LIKELY, harm=True, comment="c"),)
    )
    made = to_label_studio(task)["annotations"][0]["result"]
    names = {one.get("name") for one in tree.iter() if one.get("toName")}
    assert {region["from_name"] for region in made} == names
    assert {region["to_name"] for region in made} == {tree.find("Text").get("name")}


def label_studio_answer(word: str, **changes: Any) -> dict[str, Any]:
    """An annotation as Label Studio's own export has it."""
    return {
        "id": 7,
        "completed_by": 3,
        "created_at": "2026-11-25T09:00:00.123456Z",
        "updated_at": "2026-11-25T09:30:00.123456Z",
        "lead_time": 4.25,
        "was_cancelled": False,
        "ground_truth": False,
        "result": [
            {"id": "x1", "from_name": "label", "to_name": "sentence", "type": "choices",
             "origin": "manual", "value": {"choices": [word]}},
            {"id": "x2", "from_name": "harm", "type": "choices", "value": {"choices": ["harm"]}},
            {"id": "x3", "from_name": "comment", "type": "textarea", "value": {"text": ["a\nb"]}},
        ],
    } | changes  # fmt: skip


def test_an_answer_of_label_studio_becomes_a_label() -> None:
    task = to_label_studio(Task(question=make_question(1)))
    task |= {"id": 5, "project": 1, "annotations": [label_studio_answer("farfetched")]}
    (answer,) = take("label-studio", [task], guideline=3)
    row = answer.row
    assert (row.label, row.harm, row.comment, row.seconds) == (Label.FARFETCHED, True, "a b", 4.25)
    assert (row.labeller, row.labelled_at) == ("label-studio-3", "2026-11-25T09:30:00+00:00")
    assert (row.guideline, row.chosen_by, row.tokens) == (3, "random", 2)
    assert (answer.is_dated, answer.is_restored) == (True, False)
    (named,) = take("label-studio", [task], names={"3": "ann"})
    assert named.row.labeller == "ann"
    by_mail = label_studio_answer("likely", completed_by={"id": 3, "email": "bob@example.org"})
    task["annotations"] = [by_mail, label_studio_answer("likely", was_cancelled=True, result=[])]
    (answer,) = take("label-studio", [task])
    assert answer.row.labeller == "bob@example.org"


def test_an_answer_that_was_changed_in_the_tool_is_not_its_first_labellers() -> None:
    task = to_label_studio(Task(question=make_question(1), rows=(make_row(1, Label.LIKELY),)))
    annotation = task["annotations"][0] | {"completed_by": 3, "updated_at": AT}
    annotation["result"][0]["value"] = {"choices": ["invalid"]}
    task["annotations"] = [annotation]
    (answer,) = take("label-studio", [task])
    assert (answer.row.labeller, answer.row.label) == ("label-studio-3", Label.INVALID)
    record = to_argilla(Task(question=make_question(1), rows=(make_row(1, Label.LIKELY),)))
    record["responses"]["label"][0]["value"] = "invalid"
    (answer,) = take("argilla", [record], names={user_id("ann"): "ann"})
    assert (answer.row.labeller, answer.row.label, answer.is_dated) == ("ann", Label.INVALID, False)
    assert answer.row.labelled_at == AT


def test_answers_of_argilla_become_labels_and_drafts_do_not() -> None:
    record = to_argilla(Task(question=make_question(1)))
    record |= {"status": "completed", "_server_id": "5"}
    record["responses"] = {
        "label": [
            {"value": "always", "user_id": "u1"},
            {"value": "invalid", "user_id": "u2", "status": "draft"},
        ],
        "harm": [{"value": "yes", "user_id": "u2"}],
        "comment": [{"value": "well\nwell", "user_id": "u1"}],
    }
    (answer,) = take("argilla", [record], names={"u1": "ann"})
    row = answer.row
    assert (row.labeller, row.label, row.harm) == ("ann", Label.ALWAYS, False)
    assert row.comment == "well well"


def test_two_answers_of_one_labeller_are_a_conflict_unless_their_times_tell() -> None:
    task = to_label_studio(Task(question=make_question(1)))
    first, second = label_studio_answer("likely"), label_studio_answer("invalid")
    task["annotations"] = [first, second]
    with pytest.raises(LabelError, match="task 1: label-studio-3 says both likely and invalid"):
        take("label-studio", [task])
    task["annotations"] = [first, first, second | {"updated_at": AT}]
    assert [row.label for row in rows_of(take("label-studio", [task]))] == ["likely", "invalid"]
    record = to_argilla(Task(question=make_question(1)))
    record["responses"] = {
        "label": [{"value": word, "user_id": "u"} for word in ("likely", "invalid")]
    }
    with pytest.raises(LabelError, match="record 1: argilla-u says both likely and invalid"):
        take("argilla", [record])


def broken_studio(**changes: Any) -> dict[str, Any]:
    task = to_label_studio(Task(question=make_question(1)))
    task["annotations"] = [label_studio_answer("likely")]
    for place, value in changes.items():
        if place == "data":
            task["data"] = task["data"] | value
        elif place == "payload":
            task["data"]["kgbuild"] = task["data"]["kgbuild"] | value
        elif place == "answer":
            task["annotations"] = [label_studio_answer("likely") | value]
        else:
            task[place] = value
    return task


CHOICE = {"from_name": "label", "value": {"choices": ["likly"]}}


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (7, "no task of Label Studio"),
        ({"sentence": "x", "label": "likely"}, "JSON-MIN"),
        (broken_studio(annotations={"a": 1}), "annotations"),
        ({"data": {"text": "foreign"}}, "not exported by kgbuild"),
        (broken_studio(data={"kgbuild": "text"}), "not exported by kgbuild"),
        (broken_studio(data={"sentence": "Another."}), "not the sentence that was exported"),
        (broken_studio(payload={"tail": "rich"}), "not that of its head"),
        (broken_studio(payload={"extra": 1}), "kgbuild was changed: extra"),
        (broken_studio(payload={"tokens": "many"}), "tokens"),
        (broken_studio(payload={"log_probability": float("nan")}), "finite"),
        (broken_studio(answer={"result": [CHOICE]}), "did you mean likely"),
        (broken_studio(answer={"result": []}), "0 labels"),
        (
            broken_studio(
                answer={"result": [CHOICE | {"value": {"choices": ["likely", "invalid"]}}]}
            ),
            "2 labels",
        ),
        (broken_studio(answer={"updated_at": "yesterday"}), "no time"),
        (broken_studio(answer={"lead_time": -1}), "lead_time"),
        (broken_studio(answer={"completed_by": "a@" + "x" * 99}), "no labeller's name"),
    ],
)
def test_what_is_wrong_in_a_file_of_label_studio_is_named_with_its_task(
    tree: Any, message: str
) -> None:
    good = to_label_studio(Task(question=make_question(2)))
    with pytest.raises(LabelError, match=message) as caught:
        take("label-studio", [good, tree])
    assert "x.json, task 2" in str(caught.value) or "labeller" in message


def broken_argilla(**changes: Any) -> dict[str, Any]:
    task = Task(question=make_question(1), rows=(make_row(1, Label.LIKELY),))
    return to_argilla(task) | changes


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ([], "no record of Argilla"),
        ({"fields": "x"}, "fields"),
        (broken_argilla(metadata={}), "not exported by kgbuild"),
        (broken_argilla(metadata={"kgbuild": "[" * 100_000}), "not exported by kgbuild"),
        (broken_argilla(metadata={"kgbuild": '{"question": {"head": 1}}'}), "not the sentence"),
        (broken_argilla(fields={"sentence": "Another."}), "not the sentence"),
        (broken_argilla(responses={"label": [{"value": "no", "user_id": "u"}]}), "is no label"),
        (broken_argilla(responses={"label": [{"value": {"a": 1}}]}), "is no label"),
        (broken_argilla(responses={"label": "likely"}), "responses"),
    ],
)
def test_what_is_wrong_in_a_file_of_argilla_is_named_with_its_record(
    tree: Any, message: str
) -> None:
    with pytest.raises(LabelError, match=message) as caught:
        take("argilla", [tree])
    assert "x.json, record 1" in str(caught.value)


@pytest.mark.parametrize("noted", [{"labeller": "an\nn"}, {"labelled_at": "soon"}, {"seconds": -1}])
def test_notes_that_were_forged_are_not_believed(noted: dict[str, Any]) -> None:
    task = to_label_studio(Task(question=make_question(1), rows=(make_row(1, Label.LIKELY),)))
    task["annotations"][0]["result"][0]["meta"]["kgbuild"] |= noted
    (answer,) = take("label-studio", [task])
    assert (answer.row.labeller, answer.row.labelled_at) == ("label-studio-unknown", AT)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"[]", "holds no task"),
        (b"sentence,label\nx,y\n", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"\xff", "not UTF-8"),
        (b"[1\x00]", "NUL"),
    ],
)
def test_a_file_that_is_no_export_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(KgbuildError, match=message):
        read_tree(path)
