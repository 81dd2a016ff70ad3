"""The real default teacher answers."""

from __future__ import annotations

import pytest

from kgbuild.core.config import DecodingConfig, PromptsConfig, TeacherConfig
from kgbuild.core.records import Head, HeadKind, Triple
from kgbuild.core.relations import load_relations, load_shots
from kgbuild.models import get, resolve_model
from kgbuild.prompts import build_prompts
from kgbuild.teacher.generate import generate_triples
from kgbuild.teacher.transformers_teacher import TransformersTeacher


@pytest.mark.model
def test_smollm2_answers_under_its_clauses_the_same_twice() -> None:
    get("smollm2")
    found = resolve_model("smollm2")
    teacher = TransformersTeacher.load(
        found.path, dtype="float32", name="smollm2", sha256=found.sha256
    )
    relations = load_relations(["atomic2020.en"])
    heads = [Head.of("PersonX misses the bus", HeadKind.EVENT, source="test")]
    prompts = list(
        build_prompts(
            heads,
            [relations.get("xReact"), relations.get("xWant")],
            load_shots("atomic2020.en"),
            config=PromptsConfig(),
            seed=7,
        )
    )

    def ask() -> list[Triple]:
        return [
            one
            for one in generate_triples(
                prompts, teacher, config=TeacherConfig(), decoding=DecodingConfig(), seed=7
            )
            if isinstance(one, Triple)
        ]

    first = ask()
    assert ask() == first
    assert {one.relation for one in first} == {"xReact", "xWant"}
    assert all(one.tail.startswith("to ") for one in first if one.relation == "xWant")
    assert all(one.provenance.clauses == one.provenance.clauses_met for one in first)
    assert all(one.provenance.teacher_hash == found.sha256 for one in first)
