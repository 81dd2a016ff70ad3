"""Triples in prompt order, whatever the batches; nothing dropped without a reason."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from kgbuild.core.config import DecodingConfig, PromptsConfig, TeacherConfig
from kgbuild.core.records import Head, HeadKind, Rejection, Triple
from kgbuild.core.relations import load_relations, load_shots
from kgbuild.prompts import Prompt, build_prompts
from kgbuild.teacher.generate import generate_triples, shard_prompts
from kgbuild.teacher.scripted import ScriptedTeacher

ANSWERS = ("eat it", "Eat it.", "invite some friends", "share it", "wash the dishes")


@pytest.fixture(scope="module")
def prompts() -> list[Prompt]:
    relations = load_relations(["atomic2020.en"])
    heads = [
        Head.of(f"PersonX {act}", HeadKind.EVENT, source="t")
        for act in ("bakes a very large chocolate cake", "runs", "paints the wall", "cooks")
    ]
    chosen = [relations.get("xWant"), relations.get("xNeed")]
    shots = load_shots("atomic2020.en")
    return list(build_prompts(heads, chosen, shots, config=PromptsConfig(), seed=7))


def run(prompts: Sequence[Prompt], teacher: ScriptedTeacher, **knobs: float) -> list[object]:
    config = TeacherConfig.model_validate({"batch_prompts": 2, "shard_prompts": 3} | knobs)
    return list(
        generate_triples(
            prompts, teacher, config=config, decoding=DecodingConfig(), seed=7, run="r1"
        )
    )


def test_the_best_distinct_tails_come_in_prompt_order(prompts: list[Prompt]) -> None:
    found = run(prompts, ScriptedTeacher(default=ANSWERS))
    triples = [one for one in found if isinstance(one, Triple)]
    expected = [(p.head, p.relation) for p in prompts for _ in range(3)]
    assert [(one.head, one.relation) for one in triples] == expected
    assert [one.tail for one in triples[:3]] == [
        "to eat it",
        "to invite some friends",
        "to share it",
    ]
    assert [one.provenance.rank for one in triples[:3]] == [0, 1, 2]
    assert {one.provenance.run for one in triples} == {"r1"}


def test_every_completion_is_a_triple_or_a_rejection(prompts: list[Prompt]) -> None:
    found = run(prompts, ScriptedTeacher(default=ANSWERS))
    assert len(found) == len(prompts) * len(ANSWERS)
    reasons = [one.reason for one in found if isinstance(one, Rejection)]
    assert set(reasons) == {"duplicate", "not_among_best"}


def test_a_shard_asked_alone_answers_as_in_one_go(prompts: list[Prompt]) -> None:
    whole = run(prompts, ScriptedTeacher(default=ANSWERS))
    alone = [
        one
        for shard in shard_prompts(prompts, 3)
        for one in run(shard, ScriptedTeacher(default=ANSWERS))
    ]
    assert alone == whole


def test_the_prior_takes_off_what_would_be_said_anyway(prompts: list[Prompt]) -> None:
    teacher = ScriptedTeacher(default=("be kind", "wash pans"), priors={"be kind": -0.1})
    plain = run(prompts[:1], teacher, kept=1, prior_weight=0.0)
    contrasted = run(prompts[:1], teacher, kept=1, prior_weight=1.0)
    assert [one.tail for one in plain if isinstance(one, Triple)] == ["to be kind"]
    best = next(one for one in contrasted if isinstance(one, Triple))
    assert best.tail == "to wash pans"
    assert best.provenance.prior_log_probability == -2.0
