from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from kgbuild.core.config import CriticConfig
from kgbuild.core.errors import CriticError, ModelError
from kgbuild.core.relations import RelationSet
from kgbuild.critic import (
    Candidate,
    evaluate_critic,
    load_critic,
    read_artefacts,
    settle_labels,
    train_critic,
)
from kgbuild.critic.phrases import MeanEncoder
from kgbuild.critic.precedents import Precedents
from tests.critic.conftest import TEXTS, make_labels
from tests.tiny_models import make_encoder

PLACES = {"xReact": 1, "xWant": 2}


class Compass:
    """An encoder of phrases such as "30 deg": unit vectors in a plane."""

    def encode(self, phrases: Sequence[str]) -> npt.NDArray[np.float32]:
        angles = np.radians([float(phrase.split()[0]) for phrase in phrases])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def remember(*rows: tuple[str, str, str, float]) -> Precedents:
    return Precedents.remember(
        [Candidate(head, relation, tail) for head, relation, tail, _ in rows],
        np.asarray([target for *_, target in rows], dtype=np.float32),
        places=PLACES,
        encoder=Compass(),
    )


def ask(precedents: Precedents, *rows: tuple[str, str, str]) -> list[float]:
    candidates = [Candidate(*row) for row in rows]
    return precedents.weigh(candidates, places=PLACES, encoder=Compass()).tolist()


def odds(rate: float) -> float:
    return math.log(rate / (1 - rate))


def test_near_judgements_count_for_more_worked_by_hand() -> None:
    precedents = remember(("0 deg", "xReact", "0 deg", 0.9), ("0 deg", "xReact", "90 deg", 0.1))
    # Same phrases: weight 1. A tail at a right angle: weight e^-12. The rate 0.5 counts for 0.05.
    far = math.exp(-12)
    expected = (0.9 + far * 0.1 + 0.05 * 0.5) / (1 + far + 0.05)
    assert ask(precedents, ("0 deg", "xReact", "0 deg")) == [
        pytest.approx(odds(expected), abs=1e-3)
    ]


def test_far_from_all_judgements_the_rate_of_the_relation_decides() -> None:
    precedents = remember(
        ("0 deg", "xReact", "0 deg", 0.8),
        ("0 deg", "xReact", "1 deg", 0.4),
        ("0 deg", "xWant", "180 deg", 0.1),
    )
    (found,) = ask(precedents, ("180 deg", "xReact", "180 deg"))
    assert found == pytest.approx(odds(0.6), abs=0.01)


def test_a_relation_without_judgements_has_the_rate_of_all() -> None:
    precedents = remember(("0 deg", "xReact", "0 deg", 0.8), ("0 deg", "xReact", "9 deg", 0.2))
    found = precedents.weigh(
        [Candidate("0 deg", "oEffect", "0 deg")], places=PLACES, encoder=Compass()
    )
    assert found.tolist() == [pytest.approx(0.0, abs=1e-6)]


def test_the_answer_does_not_depend_on_the_company() -> None:
    generator = np.random.default_rng(5)
    rows = [(f"{a} deg", "xReact", f"{b} deg") for a, b in generator.integers(0, 360, (700, 2))]
    precedents = remember(*((*row, 0.1 + 0.8 * (n % 2)) for n, row in enumerate(rows[:300])))
    together = ask(precedents, *rows)
    assert together[650:653] == [ask(precedents, row)[0] for row in rows[650:653]]
    assert len(set(together)) > 300


def test_a_saved_memory_answers_alike_and_another_file_is_refused(tmp_path: Path) -> None:
    precedents = remember(("0 deg", "xReact", "7 deg", 0.9), ("5 deg", "xReact", "90 deg", 0.1))
    file = tmp_path / "precedents.safetensors"
    sha256 = precedents.save(file)
    question = ("3 deg", "xReact", "20 deg")
    assert ask(Precedents.load(file, sha256=sha256), question) == ask(precedents, question)
    file.write_bytes(file.read_bytes()[:-1] + b"\x00")
    with pytest.raises(CriticError, match="not the file"):
        Precedents.load(file, sha256=sha256)


@pytest.fixture(scope="module")
def encoder_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_encoder(tmp_path_factory.mktemp("phrases"), texts=TEXTS)


def test_vectors_are_of_length_one_and_do_not_depend_on_the_company(encoder_path: Path) -> None:
    encoder = MeanEncoder(encoder_path, dtype="float32")
    together = encoder.encode(["tired", "personx visits friend", "tired"])
    assert np.linalg.norm(together, axis=1) == pytest.approx([1.0, 1.0, 1.0], abs=1e-5)
    assert together[0] == pytest.approx(together[2])
    assert encoder.encode(["tired"])[0] == pytest.approx(together[0], abs=1e-5)
    assert encoder.encode([]).shape == (0, together.shape[1])


def test_bfloat16_vectors_point_where_float32_ones_do(encoder_path: Path) -> None:
    phrases = ["tired", "personx visits friend", "a spoon", "proud"]
    exact = MeanEncoder(encoder_path, dtype="float32").encode(phrases)
    rough = MeanEncoder(encoder_path, dtype="bfloat16").encode(phrases)
    assert (exact * rough).sum(1) == pytest.approx([1.0] * 4, abs=1e-3)
    assert not np.array_equal(exact, rough)


def test_a_critic_that_learned_nothing_is_told_by_its_memory(
    relations: RelationSet, config: CriticConfig, encoder_path: Path, tmp_path: Path
) -> None:
    """Without a step of training the network knows nothing; the labels that it keeps do."""
    labels = make_labels(120)
    blind = config.model_copy(update={"epochs": 0})
    reports = {}
    for name, memory in (("with", encoder_path), ("without", None)):
        reports[name] = train_critic(
            labels,
            [],
            relations,
            backbone_path=encoder_path,
            encoder_path=memory,
            config=blind,
            folder=tmp_path / name,
        )
    # With an encoder the hard part of the test labels is found, kept, and measured again.
    assert reports["without"].hard is None
    assert reports["with"].hard is not None
    assert reports["with"].tail_only_auc is not None
    kept = read_artefacts(tmp_path / "with", settle_labels(labels))
    again = evaluate_critic(load_critic(tmp_path / "with"), labels, artefacts=kept)
    assert again.hard == reports["with"].hard
    told, guessed = (reports[name].plain.auc.value for name in ("with", "without"))
    assert told is not None
    assert guessed is not None
    assert told > 0.99
    assert guessed < 0.9
    critic = load_critic(tmp_path / "with")
    assert critic.card.plain.precedents > 0
    good, bad = critic.score(
        [Candidate("PersonX visits friend 7", "xReact", tail) for tail in ("tired", "a spoon")]
    )
    assert good.probability > 0.6 > 0.4 > bad.probability
    assert load_critic(tmp_path / "without").card.precedents_hash is None

    moved = tmp_path / "moved"
    shutil.copytree(encoder_path, moved)
    assert load_critic(tmp_path / "with", encoder_path=moved).key == critic.key
    with pytest.raises(ModelError, match="gone"):
        load_critic(tmp_path / "with", encoder_path=tmp_path / "nowhere")
