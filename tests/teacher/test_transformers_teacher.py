"""Loading: safetensors folders work offline, broken ones say why; the real default works."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgbuild.core.config import DecodingConfig, PromptsConfig, TeacherConfig
from kgbuild.core.errors import ModelError
from kgbuild.core.records import Head, HeadKind, Triple
from kgbuild.core.relations import load_relations, load_shots
from kgbuild.models import get, resolve_model
from kgbuild.prompts import build_prompts
from kgbuild.teacher.generate import generate_triples
from kgbuild.teacher.transformers_teacher import TransformersTeacher, load_language_model


@pytest.mark.parametrize("config", ["{}", '{"model_type": "no-such-model"}', "not json"])
def test_a_folder_that_transformers_cannot_read_is_a_model_error(
    tmp_path: Path, config: str
) -> None:
    (tmp_path / "config.json").write_text(config)
    (tmp_path / "model.safetensors").write_bytes(b"\0" * 8)
    with pytest.raises(ModelError, match="cannot be loaded as a causal language model"):
        load_language_model(tmp_path, dtype="float32")


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
