"""What every critic promises; a new critic joins the list and passes all of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kgbuild.core.config import CriticConfig
from kgbuild.core.relations import load_relations
from kgbuild.critic import Candidate, Critic, Evidence, TableScorer, load_critic, train_critic
from tests.critic.conftest import make_labels
from tests.tiny_models import make_encoder, make_language_model

TRIPLES = [
    Candidate("PersonX visits friend 1", "xReact", "tired", Evidence(-1.0, 0.5, 2)),
    Candidate("PersonX visits friend 2", "xReact", "a spoon"),
    Candidate("PersonX visits friend 1", "xReact", "tired", Evidence(-1.0, 0.5, 2)),
    Candidate("dog", "IsA", "animal"),
]

WORDS = ["tired proud personx visits friend spoon"]


def make_table(folder: Path) -> Critic:
    return TableScorer({("dog", "IsA", "animal"): 0.9})


def make_encoder_critic(folder: Path) -> Critic:
    return train(make_encoder(folder, texts=WORDS), folder)


def make_adapted_critic(folder: Path) -> Critic:
    return train(make_language_model(folder, texts=WORDS), folder)


def train(backbone: Path, folder: Path) -> Critic:
    train_critic(
        make_labels(60),
        [],
        load_relations(["atomic2020.en", "generics.en"]),
        backbone_path=backbone,
        config=CriticConfig(epochs=1),
        folder=folder / "critic",
    )
    return load_critic(folder / "critic")


@pytest.fixture(scope="module", params=[make_table, make_encoder_critic, make_adapted_critic])
def critic(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Critic:
    make: Callable[[Path], Critic] = request.param
    return make(tmp_path_factory.mktemp("critic"))


def test_there_is_one_probability_a_candidate_strictly_between_0_and_1(critic: Critic) -> None:
    opinions = critic.score(TRIPLES)
    assert len(opinions) == len(TRIPLES)
    assert all(0 < opinion.probability < 1 for opinion in opinions)


def test_the_same_question_gets_the_same_answer(critic: Critic) -> None:
    opinions = critic.score(TRIPLES)
    assert opinions[0] == opinions[2]
    assert critic.score(TRIPLES) == opinions


def test_order_follows_the_candidates(critic: Critic) -> None:
    assert critic.score(TRIPLES[::-1]) == critic.score(TRIPLES)[::-1]


def test_a_bare_sentence_is_judged_beside_triples(critic: Critic) -> None:
    sentence = Candidate.sentence("PersonX visits friend 1. As a result, PersonX feels tired.")
    [alone] = critic.score([sentence])
    assert 0 < alone.probability < 1
    together = critic.score([TRIPLES[1], sentence, TRIPLES[3]])
    assert together[1].probability == pytest.approx(alone.probability, abs=1e-3)
    assert together[0].probability == pytest.approx(
        critic.score([TRIPLES[1]])[0].probability, abs=1e-3
    )


def test_no_candidates_give_no_opinions(critic: Critic) -> None:
    assert critic.score([]) == []


def test_there_is_a_threshold_for_every_relation_and_a_steady_key(critic: Critic) -> None:
    for name in ("xReact", "IsA", "of no pack"):
        assert 0 < critic.thresholds.get(name) <= 1
    assert critic.key == critic.key != ""
