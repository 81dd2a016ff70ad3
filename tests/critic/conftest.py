from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kgbuild.core.config import CriticConfig
from kgbuild.core.ids import triple_id
from kgbuild.core.records import HeadKind, Label, LabelledTriple, SilverTriple
from kgbuild.core.relations import RelationSet, load_relations
from tests.tiny_models import make_encoder, make_language_model

GOOD = ("tired", "proud", "happy")
BAD = ("purple", "seventeen", "a spoon")
TEXTS = (*GOOD, *BAD, "personx visits friend feels as a result , . to is")


def make_label(
    head: str,
    tail: str,
    label: Label,
    *,
    relation: str = "xReact",
    at: str = "2026-11-24",
    tokens: int = 3,
) -> LabelledTriple:
    return LabelledTriple(
        triple_id=triple_id(head, relation, tail),
        head=head,
        relation=relation,
        tail=tail,
        kind=HeadKind.EVENT,
        sentence=f"{head}. {tail}.",
        label=label,
        labeller="assistant-1",
        labelled_at=at,
        guideline=1,
        arm="raw",
        teacher="smollm2",
        log_probability=-3.0,
        mean_log_probability=-1.0,
        prior_log_probability=-6.0,
        tokens=tokens,
    )


def make_silver(head: str, tail: str, probability: float) -> SilverTriple:
    return SilverTriple(
        triple_id=triple_id(head, "xReact", tail),
        head=head,
        relation="xReact",
        tail=tail,
        kind=HeadKind.EVENT,
        sentence=f"{head}. {tail}.",
        probability=probability,
        judge="qwen2.5-coder-1.5b",
        judge_hash="0" * 64,
        prompt_id="p",
        log_probability=-3.0,
        mean_log_probability=-1.0,
        tokens=3,
    )


def make_labels(heads: int) -> list[LabelledTriple]:
    """Labels that the tail alone decides, so that a tiny network can learn them."""
    rows = []
    for number in range(heads):
        head = f"PersonX visits friend {number}"
        rows.append(make_label(head, GOOD[number % 3], Label.LIKELY))
        rows.append(make_label(head, BAD[number % 3], Label.INVALID))
    return rows


@pytest.fixture(scope="session")
def relations() -> RelationSet:
    return load_relations(["atomic2020.en", "generics.en"])


@pytest.fixture(scope="session")
def config() -> CriticConfig:
    return CriticConfig(
        epochs=32,
        silver_epochs=2,
        learning_rate=3e-3,
        silver_rate=3e-3,
        batch_size=16,
        frozen_share=0,
        max_steps=0,
        min_relation_labels=20,
        target_precision=0.8,
        evidence_dropout=0.5,
        dtype="float32",
    )


@pytest.fixture(scope="session", params=[make_encoder, make_language_model])
def backbone_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    make: Callable[..., Path] = request.param
    return make(tmp_path_factory.mktemp("backbone"), texts=TEXTS)


Labels = Callable[[int], list[LabelledTriple]]
