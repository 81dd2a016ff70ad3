"""Triples and labels out to other labelling tools, and their answers back into a label file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from kgbuild.core.errors import LabelError, did_you_mean
from kgbuild.core.files import replacing, user_path, write_text
from kgbuild.core.labelling_config import LabellingConfig
from kgbuild.core.records import LabelledTriple
from kgbuild.core.relations import RelationSet, check_names
from kgbuild.critic import Critic
from kgbuild.critic.protocol import TOGETHER
from kgbuild.labelling import LabelFile, Question, order_questions
from kgbuild.labelling.argilla import from_argilla, to_argilla
from kgbuild.labelling.exchange import Answer, ImportRules, Prediction, Task, read_tree
from kgbuild.labelling.label_studio import LABEL_CONFIG, from_label_studio, to_label_studio
from kgbuild.runs.label_checks import read_some_labels
from kgbuild.runs.label_sources import as_candidate, is_label_place, open_source


class Tool(NamedTuple):
    """Another labelling tool, and how its files are written and read."""

    write: Callable[[Task], dict[str, Any]]
    read: Callable[..., Iterator[Answer]]


TOOLS: dict[str, Tool] = {
    "label-studio": Tool(to_label_studio, from_label_studio),
    "argilla": Tool(to_argilla, from_argilla),
}


def find_tool(name: str) -> Tool:
    """Give a tool by its name.

    Raises:
        LabelError: If kgbuild does not know it.
    """
    if name not in TOOLS:
        raise LabelError(
            f"{name[:80]!r} is no tool that labels are exchanged with; they are "
            f"{', '.join(TOOLS)}{did_you_mean(name, TOOLS)}"
        )
    return TOOLS[name]


def export_tasks(
    source: Path,
    out: Path,
    *,
    tool: str,
    relations: RelationSet,
    config: LabellingConfig,
    critic: Critic | None = None,
    has_answers: bool = True,
    limit: int = 0,
    skip_unknown: bool = False,
) -> int:
    """Write tasks for a tool, whole or not at all, and give how many.

    Args:
        source: Label files, of which every triple becomes a task with its answers; or a run
            folder or a file of triples, whose tasks come in the order of a session.
        out: The file; for Label Studio, its labelling interface is written beside it, as .xml.
        tool: The tool's name.
        relations: What a file may speak of.
        config: Shares, bounds and seed of the order.
        critic: Its verdicts go along as predictions, which the tool shows to labellers.
        has_answers: Whether the answers of label files go along.
        limit: Write only the first tasks; 0 is all.
        skip_unknown: Leave out rows of unknown relations.

    Raises:
        LabelError: If the source breaks a rule or holds nothing.
    """
    writer = find_tool(tool)
    source, out = user_path(source), user_path(out)
    if is_label_place(source):
        tasks = _label_tasks(source, relations, has_answers=has_answers, skip_unknown=skip_unknown)
    else:
        opened = open_source(source, relations=relations, skip_unknown=skip_unknown)
        order = order_questions(opened.pool, config=config)
        tasks = [Task(question=question) for question in order.questions]
    if not tasks:
        raise LabelError(f"{source} holds no triple; there is nothing to export")
    tasks = tasks[: limit or None]
    count = 0
    with replacing(out) as temporary, temporary.open("w", encoding="utf-8") as stream:
        for task in _predict(tasks, critic):
            stream.write(",\n" if count else "[\n")
            json.dump(writer.write(task), stream, ensure_ascii=False)
            count += 1
        stream.write("\n]\n")
    if tool == "label-studio":
        write_text(out.with_suffix(".xml"), LABEL_CONFIG)
    return count


def _label_tasks(
    place: Path, relations: RelationSet, *, has_answers: bool, skip_unknown: bool
) -> list[Task]:
    rows: dict[str, list[LabelledTriple]] = {}
    for row in read_some_labels([place]):
        if row.relation in relations or not skip_unknown:
            rows.setdefault(row.triple_id, []).append(row)
    check_names({row.relation: None for same in rows.values() for row in same}, relations)
    return [
        Task(
            question=Question.of_label(same[0], chosen_by=same[0].chosen_by),
            rows=tuple(same) if has_answers else (),
        )
        for same in rows.values()
    ]


def _predict(tasks: Sequence[Task], critic: Critic | None) -> Iterator[Task]:
    if critic is None:
        yield from tasks
        return
    waiting = iter(tasks)
    while batch := list(islice(waiting, TOGETHER)):
        opinions = critic.score([as_candidate(task.question) for task in batch])
        for task, opinion in zip(batch, opinions, strict=True):
            threshold = critic.thresholds.get(task.question.relation)
            prediction = Prediction(
                probability=round(opinion.probability, 6),
                is_accepted=opinion.probability >= threshold,
                critic=critic.key,
            )
            yield task.model_copy(update={"prediction": prediction})


class Imported(NamedTuple):
    """What an import did: rows added, answers that the file held already, tasks in the file."""

    added: int
    known: int
    tasks: int


def import_answers(
    file: Path,
    labels: Path,
    *,
    tool: str,
    relations: RelationSet,
    names: Mapping[str, str],
    guideline: int = 1,
) -> Imported:
    """Add a tool's answers to a label file, all or none; answers that it holds are left out.

    Raises:
        LabelError: With the task, if the file breaks a rule.
        RelationError: If an answer is about an unknown relation.
    """
    reader = find_tool(tool)
    path = user_path(file)
    tasks = read_tree(path)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    rules = ImportRules(at=at, guideline=guideline, names=names, tool=tool)
    answers = list(reader.read(tasks, name=str(path), rules=rules))
    check_names(dict.fromkeys(answer.row.relation for answer in answers), relations)
    with LabelFile(labels) as opened:
        held = opened.standing()
        latest = {(row.labeller, row.triple_id): _said(row) for row in held}
        dated = {(row.labelled_at, *_said(row)) for row in held}
        new = [
            answer.row
            for answer in answers
            if (
                (answer.row.labelled_at, *_said(answer.row)) not in dated
                if answer.is_dated
                else latest.get((answer.row.labeller, answer.row.triple_id)) != _said(answer.row)
            )
        ]
        opened.extend(new)
    return Imported(len(new), len(answers) - len(new), len(tasks))


def _said(row: LabelledTriple) -> tuple[object, ...]:
    return (row.labeller, row.triple_id, row.label, row.harm, row.comment, row.chosen_by)
