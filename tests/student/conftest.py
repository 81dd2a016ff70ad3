"""A random two-layer model on disk, and a corpus small enough to learn by heart."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgbuild.core.config import StudentConfig
from kgbuild.core.ids import triple_id
from kgbuild.core.records import CorpusRow, Split
from kgbuild.core.relations import Relation, load_relations
from tests.tiny_models import make_language_model

FACTS = [
    ("PersonX bakes a cake", "xReact", "proud", Split.TRAIN),
    ("PersonX bakes a cake", "xWant", "to eat a slice", Split.TRAIN),
    ("PersonX loses a key", "xReact", "worried", Split.TRAIN),
    ("PersonX loses a key", "xWant", "to call a friend", Split.TRAIN),
    ("PersonX wins a race", "xReact", "thrilled", Split.TRAIN),
    ("PersonX wins a race", "xWant", "to show the medal", Split.TRAIN),
    ("PersonX bakes a pie", "xReact", "proud", Split.DEV),
    ("PersonX bakes a pie", "xReact", "content", Split.DEV),
    ("PersonX loses a coin", "xWant", "to call a friend", Split.TEST),
]


def make_row(head: str, relation: str, tail: str, split: Split) -> CorpusRow:
    return CorpusRow(
        triple_id=triple_id(head, relation, tail),
        head=head,
        relation=relation,
        tail=tail,
        kind="event",
        polarity="positive",
        sentence=f"{head}: {tail}",
        probability=0.9,
        log_probability=-2.0,
        mean_log_probability=-1.0,
        teacher="scripted",
        source="teacher",
        run="r",
        split=split,
    )


def make_rows() -> list[CorpusRow]:
    return [make_row(*fact) for fact in FACTS]


@pytest.fixture
def rows() -> list[CorpusRow]:
    return make_rows()


@pytest.fixture(scope="session")
def relations() -> list[Relation]:
    return list(load_relations(["atomic2020.en"]))


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = [f"{head} {tail}" for head, _, tail, _ in FACTS]
    return make_language_model(tmp_path_factory.mktemp("base"), texts=texts)


def make_config() -> StudentConfig:
    return StudentConfig(
        method="full",
        epochs=40,
        batch_size=4,
        learning_rate=1e-2,
        save_steps=7,
        held_out_prompts=2,
    )


@pytest.fixture
def config() -> StudentConfig:
    return make_config()
