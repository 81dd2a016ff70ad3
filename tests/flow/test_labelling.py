"""Sessions, checks and exports over runs and files, with tables for models."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from kgbuild.core.errors import LabelError
from kgbuild.core.ids import triple_id
from kgbuild.core.labelling_config import LabellingConfig
from kgbuild.core.records import Label, Split
from kgbuild.core.relations import RelationSet, load_relations
from kgbuild.critic import TableScorer, read_labels
from kgbuild.critic.split import assign_part
from kgbuild.labelling.ordering import Vectors, draw_place, draw_turn, find_doubt
from kgbuild.runs.label_checks import check_labels
from kgbuild.runs.label_exchange import export_tasks
from kgbuild.runs.labelling import open_session
from tests.conftest import ANSWERS, THRESHOLD
from tests.labelling.conftest import make_row


@pytest.fixture(scope="module")
def relations() -> RelationSet:
    return load_relations(["atomic2020.en", "generics.en"])


def encode(sentences: Sequence[str]) -> Vectors:
    rows = [np.random.default_rng(list(text.encode())).normal(size=8) for text in sentences]
    return np.array([row / np.linalg.norm(row) for row in rows], dtype=np.float32)


class Told:
    """Progress that remembers."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)

    def track(self, steps: object, **_: object) -> object:
        return steps


def test_a_runs_triples_are_drawn_by_its_critics_doubt_and_its_random_part_is_its_own(
    made_run: Path, tmp_path: Path, relations: RelationSet
) -> None:
    config = LabellingConfig(random_share=0.25)
    told = Told()
    with open_session(
        made_run, tmp_path / "l.jsonl", labeller="ann", relations=relations, config=config,
        encode=encode, progress=told,
    ) as session:  # fmt: skip
        first = session.current()
        kinds = []
        while (question := session.current()) is not None:
            kinds.append(question.chosen_by)
            session.answer(question.triple_id, Label.LIKELY)
    assert told.lines == []
    assert {*kinds} == {"random", "uncertain", "diverse"}
    drawn = {
        row.triple_id for row in read_labels([tmp_path / "l.jsonl"]) if row.chosen_by == "random"
    }
    scores = {(head, relation, tail): score for head, relation, tail, score, _ in ANSWERS}
    turns = {
        row.triple_id: draw_turn(
            (draw_place(row.triple_id, seed=0) - 0.25) / 0.75,
            find_doubt(scores[row.head, row.relation, row.tail], THRESHOLD),
        )
        for row in read_labels([tmp_path / "l.jsonl"])
        if row.triple_id not in drawn
    }
    assert first is not None
    assert first.triple_id == min(turns, key=turns.__getitem__)


def test_a_critic_scores_a_file_of_candidates(tmp_path: Path, relations: RelationSet) -> None:
    path = tmp_path / "mine.tsv"
    tails = [f"feeling {number}" for number in range(20)]
    path.write_text(
        "head\trelation\ttail\n" + "".join(f"PersonX sings\txReact\t{tail}\n" for tail in tails)
    )
    critic = TableScorer(
        {("PersonX sings", "xReact", tail): 0.02 + 0.04 * place for place, tail in enumerate(tails)}
    )
    with open_session(
        path, tmp_path / "l.jsonl", labeller="ann", relations=relations, critic=critic,
        config=LabellingConfig(random_share=0, encoder=None),
    ) as session:  # fmt: skip
        question = session.current()
    turns = {
        tail: draw_turn(
            draw_place(triple_id("PersonX sings", "xReact", tail), seed=0),
            find_doubt(0.02 + 0.04 * place, 0.5),
        )
        for place, tail in enumerate(tails)
    }
    assert question is not None
    assert question.tail == min(turns, key=turns.__getitem__)
    assert question.chosen_by == "uncertain"
    assert critic.asked == 20


def test_a_session_that_cannot_open_lets_go_of_the_label_file(
    tmp_path: Path, relations: RelationSet
) -> None:
    path = tmp_path / "mine.tsv"
    path.write_text("head\trelation\ttail\n")
    for _ in range(2):
        with pytest.raises(LabelError, match="holds no triple"):
            open_session(
                path, tmp_path / "l.jsonl", labeller="ann", relations=relations,
                config=LabellingConfig(),
            )  # fmt: skip


def test_slips_are_looked_for_only_where_no_critic_trains(tmp_path: Path) -> None:
    rows, table = [], {}
    for number in range(400):
        is_good = number % 2 == 0
        row = make_row(number, Label.LIKELY if is_good else Label.INVALID)
        table[row.head, row.relation, row.tail] = 0.9 if is_good else 0.1
        # Every label of a training head, and three of the others, contradicts the critic.
        rows.append(row)
    held = [row for row in rows if assign_part(row.head) is not Split.TRAIN]
    wrong = {row.triple_id for row in held[:3]}
    flipped = {Label.LIKELY: Label.INVALID, Label.INVALID: Label.LIKELY}
    for place, row in enumerate(rows):
        if row.triple_id in wrong or assign_part(row.head) is Split.TRAIN:
            key = (row.head, row.relation, row.tail)
            table[key] = 0.98 if table[key] > 0.5 else 0.02
            rows[place] = row.model_copy(update={"label": flipped[row.label]})
    path = tmp_path / "l.jsonl"
    path.write_text("".join(f"{row.model_dump_json()}\n" for row in rows))
    critic = TableScorer(table)
    found = check_labels([path], critic)
    assert (found.judged, found.compared) == (400, len(held))
    assert critic.asked == len(held)
    assert {one.triple_id for one in found.suspects} == wrong
    path.write_text("")
    with pytest.raises(LabelError, match="holds no label"):
        check_labels([path], critic)


def test_predictions_go_along_only_when_a_critic_is_named(
    made_run: Path, tmp_path: Path, relations: RelationSet
) -> None:
    out = tmp_path / "t.json"

    def export(critic: TableScorer | None) -> list[dict[str, object]]:
        export_tasks(
            made_run, out, tool="argilla", relations=relations, config=LabellingConfig(),
            critic=critic,
        )  # fmt: skip
        return list(json.loads(out.read_text()))

    assert all(record["suggestions"] == {} for record in export(None))
    critic = TableScorer({(ANSWERS[0][0], ANSWERS[0][1], ANSWERS[0][2]): 0.9}, default=0.2)
    records = export(critic)
    told = [record["suggestions"]["label"] for record in records]
    assert sorted(one["value"] for one in told) == ["invalid"] * 7 + ["likely"]
    assert {one["agent"] for one in told} == {critic.key}


def test_an_export_that_fails_leaves_the_old_file(tmp_path: Path, relations: RelationSet) -> None:
    out = tmp_path / "t.json"
    out.write_text("old")
    odd = make_row(1, Label.LIKELY, relation="xReactt", triple_id="")
    from kgbuild.core.ids import triple_id

    odd = odd.model_copy(update={"triple_id": triple_id(odd.head, "xReactt", odd.tail)})
    (tmp_path / "l.jsonl").write_text(odd.model_dump_json() + "\n")
    with pytest.raises(Exception, match="did you mean xReact"):
        export_tasks(
            tmp_path / "l.jsonl", out, tool="argilla", relations=relations,
            config=LabellingConfig(),
        )  # fmt: skip
    assert out.read_text() == "old"
