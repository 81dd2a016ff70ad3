from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from kgbuild.core.config import CriticConfig
from kgbuild.core.errors import CriticError, ModelError, RelationError
from kgbuild.core.records import Label, LabelledTriple, Split
from kgbuild.core.relations import RelationSet, verbalise
from kgbuild.critic import (
    Candidate,
    CriticReport,
    Evidence,
    evaluate_critic,
    load_critic,
    read_report,
    read_thresholds,
    train_critic,
)
from kgbuild.critic.bodies import load_body
from kgbuild.critic.network import CriticNetwork, score_rows
from kgbuild.critic.rows import Reader
from kgbuild.critic.scaler import Scaler
from kgbuild.critic.split import assign_part
from tests.critic.conftest import TEXTS, make_label, make_labels, make_silver
from tests.tiny_models import make_encoder, make_language_model


@pytest.fixture(scope="module")
def trained(
    relations: RelationSet,
    config: CriticConfig,
    backbone_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, CriticReport]:
    folder = tmp_path_factory.mktemp("critic")
    silver = [make_silver(f"PersonX visits friend {n}", "a spoon", 0.1) for n in range(40)]
    report = train_critic(
        make_labels(60),
        silver,
        relations,
        backbone_path=backbone_path,
        config=config,
        folder=folder,
    )
    return folder, report


def test_the_loss_falls_and_labels_that_the_tail_decides_are_learned(
    trained: tuple[Path, CriticReport],
) -> None:
    report = trained[1]
    assert report.training_loss[-1] < 0.5 * report.training_loss[2]
    assert report.plain.auc.value is not None
    assert report.plain.auc.value > 0.95
    assert report.plain.precision.value == 1.0
    assert report.plain.yielded.value is not None
    assert report.plain.yielded.value > 0.9


def test_each_part_of_the_labels_has_one_use(trained: tuple[Path, CriticReport]) -> None:
    report = trained[1]
    rows = make_labels(60)
    sizes = Counter(assign_part(row.head) for row in rows)
    assert report.trained_on == sizes[Split.TRAIN]
    assert report.calibrated_on == sizes[Split.DEV]
    assert report.plain.labels == sizes[Split.TEST]


def test_a_silver_verdict_on_a_dev_or_test_head_or_a_labelled_triple_is_dropped(
    trained: tuple[Path, CriticReport],
) -> None:
    labelled = {row.triple_id for row in make_labels(60)}
    silver = [make_silver(f"PersonX visits friend {n}", "a spoon", 0.1) for n in range(40)]
    used = [
        row
        for row in silver
        if assign_part(row.head) is Split.TRAIN and row.triple_id not in labelled
    ]
    assert trained[1].silver == len(used)
    assert trained[1].silver_dropped == len(silver) - len(used)


def test_a_saved_critic_answers_as_it_was_reported(trained: tuple[Path, CriticReport]) -> None:
    folder, report = trained
    critic = load_critic(folder)
    again = evaluate_critic(critic, make_labels(60), target_precision=0.8)
    assert again.plain == report.plain
    assert again.evidence == report.evidence
    assert read_report(folder) == report
    assert read_thresholds(folder) == critic.thresholds
    assert critic.key == report.critic


def test_the_answer_does_not_depend_on_the_company(trained: tuple[Path, CriticReport]) -> None:
    critic = load_critic(trained[0])
    candidates = [
        Candidate("PersonX visits friend 3", "xReact", tail)
        for tail in ("tired", "a spoon and a very long story about it", "purple")
    ]
    together = critic.score(candidates)
    for one, opinion in zip(candidates, together, strict=True):
        assert critic.score([one])[0].probability == pytest.approx(opinion.probability, abs=1e-3)


def test_the_same_seed_gives_the_same_critic(
    trained: tuple[Path, CriticReport],
    relations: RelationSet,
    config: CriticConfig,
    backbone_path: Path,
    tmp_path: Path,
) -> None:
    rows = make_labels(30)
    short = config.model_copy(update={"epochs": 2})
    keys = [
        train_critic(
            rows, [], relations, backbone_path=backbone_path, config=short, folder=tmp_path / name
        ).critic
        for name in ("one", "two")
    ]
    assert keys[0] == keys[1] != trained[1].critic


def test_every_layer_of_an_encoder_moves(
    relations: RelationSet, config: CriticConfig, tmp_path: Path
) -> None:
    encoder = make_encoder(tmp_path, texts=TEXTS)
    train_critic(
        make_labels(30),
        [],
        relations,
        backbone_path=encoder,
        config=config.model_copy(update={"epochs": 2}),
        folder=tmp_path / "critic",
    )
    before = load_file(encoder / "model.safetensors")
    after = load_file(tmp_path / "critic" / "model.safetensors")
    layers = [name for name in before if name.startswith("encoder.layer")]
    assert layers
    # A key's bias shifts all attention scores alike, so no gradient reaches it.
    moved = [name for name in layers if not before[name].equal(after[f"body.model.{name}"])]
    assert {name for name in layers if "key.bias" not in name} <= set(moved)
    check_heads(after)


def test_a_language_model_keeps_its_weights_and_its_adapter_moves_above_the_held_layers(
    relations: RelationSet, config: CriticConfig, tmp_path: Path
) -> None:
    train_critic(
        make_labels(30),
        [],
        relations,
        backbone_path=make_language_model(tmp_path, texts=TEXTS),
        config=config.model_copy(update={"epochs": 2, "frozen_share": 0.5}),
        folder=tmp_path / "critic",
    )
    after = load_file(tmp_path / "critic" / "model.safetensors")
    body = {name: tensor for name, tensor in after.items() if name.startswith("body.")}
    assert {name.split(".layers.")[1][0] for name in body} == {"1"}
    assert len(body) == 2 * 7
    assert all("lora_" in name and tensor.abs().sum() > 0 for name, tensor in body.items())
    check_heads(after)


def check_heads(state: dict[str, torch.Tensor]) -> None:
    assert state["relation_rate.weight"][1].abs().item() > 0
    assert state["relation_rate.weight"][0].item() == 0
    assert state["evidence.weight"].abs().sum().item() > 0


def test_sentences_packed_into_a_tree_are_read_as_if_alone(
    relations: RelationSet, tmp_path: Path
) -> None:
    torch.manual_seed(5)
    path = make_language_model(tmp_path, texts=TEXTS)
    body, tokenizer = load_body(path, CriticConfig(dtype="float32"))
    network = CriticNetwork(body, relations=0)
    reader = Reader(tokenizer, relations, places={}, scaler=Scaler(), max_tokens=64, body=body)
    candidates = [
        Candidate(head, "xReact", tail)
        for head in ("PersonX visits friend 1", "PersonX feels")
        for tail in ("tired", "tired and proud", "purple", *(f"happy {n}" for n in range(14)))
    ]
    # Other relations of a head, and a triple that comes twice.
    candidates += [Candidate("PersonX feels", "oReact", "tired"), candidates[3]]
    rows = reader.read(candidates)
    # Two heads, and the one that comes again.
    assert [len(group.rows) for group in rows.groups] == [17, 18, 1]
    lesson = reader.read(candidates, is_lesson=True)
    assert [len(group.rows) for group in lesson.groups] == [12, 5, 12, 5, 1, 1]
    alone = [score_rows(network, reader.read([one]))[0] for one in candidates]
    tokens = sum(reader.read([one]).groups[0].width for one in candidates)
    assert sum(group.width for group in rows.groups) < tokens / 2
    packed = score_rows(network, rows)
    assert packed == pytest.approx(alone, abs=2e-4)
    assert score_rows(network, lesson) == pytest.approx(alone, abs=2e-4)
    assert len(set(packed.tolist())) > len(candidates) / 2


@pytest.fixture
def go_on(
    trained: tuple[Path, CriticReport],
    relations: RelationSet,
    config: CriticConfig,
    backbone_path: Path,
) -> Callable[..., CriticReport]:
    """Training that goes on from the trained critic, with some settings changed."""

    def train(
        rows: list[LabelledTriple], folder: Path, *, backbone: Path = backbone_path, **changes: Any
    ) -> CriticReport:
        return train_critic(
            rows,
            [],
            relations,
            backbone_path=backbone,
            start=trained[0],
            config=config.model_copy(update=changes),
            folder=folder,
        )

    return train


def test_training_goes_on_from_a_saved_critic_and_learns_a_new_relation(
    trained: tuple[Path, CriticReport], go_on: Callable[..., CriticReport], tmp_path: Path
) -> None:
    rows = make_labels(60)
    same = go_on(rows, tmp_path / "same", epochs=0)
    assert same.plain.auc == trained[1].plain.auc
    news = [make_label(row.head, row.tail, row.label, relation="oReact") for row in rows]
    go_on(news, tmp_path / "more", epochs=1)
    assert load_critic(tmp_path / "more").card.trained_relations == ("xReact", "oReact")


def test_a_critic_keeps_the_shape_of_its_start_whatever_the_settings_say(
    go_on: Callable[..., CriticReport], config: CriticConfig, tmp_path: Path
) -> None:
    go_on(make_labels(60), tmp_path / "more", epochs=0, lora_rank=2 * config.lora_rank)
    assert load_critic(tmp_path / "more").card.config["lora_rank"] == config.lora_rank


def test_a_start_that_was_asked_another_question_is_refused(
    go_on: Callable[..., CriticReport], tmp_path: Path
) -> None:
    with pytest.raises(CriticError, match="Is this so"):
        go_on(make_labels(60), tmp_path / "more", question="Is this so? {sentence}")
    assert not (tmp_path / "more").exists()


def test_a_start_of_another_backbone_is_refused(
    go_on: Callable[..., CriticReport], tmp_path: Path
) -> None:
    other = make_language_model(tmp_path, texts=["quite other words", *TEXTS])
    with pytest.raises((CriticError, ModelError), match="start"):
        go_on(make_labels(30), tmp_path / "critic", backbone=other)


def test_an_unlabelled_relation_is_judged_by_its_sentence_and_the_default_threshold(
    trained: tuple[Path, CriticReport],
) -> None:
    critic = load_critic(trained[0])
    opinion = critic.score([Candidate("dog", "IsA", "animal", Evidence(-1.0, None, 2))])[0]
    assert 0 < opinion.probability < 1
    assert critic.thresholds.get("IsA") == critic.thresholds.default


def test_a_bare_sentence_is_read_as_it_stands(
    trained: tuple[Path, CriticReport], relations: RelationSet
) -> None:
    critic = load_critic(trained[0])
    text = verbalise(relations.get("IsA"), "dog", "animal")
    bare, triple = critic.score([Candidate.sentence(text), Candidate("dog", "IsA", "animal")])
    # IsA has no labels, so its sentence is all that is known of it, too.
    assert bare.probability == pytest.approx(triple.probability, abs=1e-3)
    good, bad = critic.score(
        [
            Candidate.sentence(f"PersonX visits friend 5. As a result, PersonX feels {tail}.")
            for tail in ("tired", "a spoon")
        ]
    )
    assert good.probability > bad.probability + 0.2


def test_a_relation_that_no_pack_has_is_an_error(trained: tuple[Path, CriticReport]) -> None:
    with pytest.raises(RelationError, match="did you mean xReact"):
        load_critic(trained[0]).score([Candidate("PersonX runs", "xReactt", "tired")])


@pytest.mark.parametrize("label", [Label.LIKELY, Label.INVALID])
def test_labels_of_one_class_are_refused(
    label: Label, relations: RelationSet, config: CriticConfig, backbone_path: Path, tmp_path: Path
) -> None:
    rows = [make_label(f"PersonX calls {n}", "tired", label) for n in range(60)]
    with pytest.raises(CriticError, match="of both kinds"):
        train_critic(
            rows, [], relations, backbone_path=backbone_path, config=config, folder=tmp_path
        )


def test_an_encoder_with_pickled_weights_only_is_refused(
    relations: RelationSet, config: CriticConfig, tmp_path: Path
) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04")
    with pytest.raises(ModelError, match="safetensors"):
        train_critic(
            make_labels(30),
            [],
            relations,
            backbone_path=tmp_path,
            config=config,
            folder=tmp_path / "critic",
        )


def test_a_changed_or_foreign_critic_folder_is_refused(
    trained: tuple[Path, CriticReport], tmp_path: Path
) -> None:
    import shutil

    with pytest.raises(CriticError, match="kgbuild critic train"):
        load_critic(tmp_path)
    copy = tmp_path / "copy"
    shutil.copytree(trained[0], copy)
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    with pytest.raises(CriticError, match="not the file"):
        load_critic(copy)
    card = json.loads((copy / "critic.json").read_text(encoding="utf-8"))
    (copy / "critic.json").write_text(json.dumps({**card, "format": "x"}), encoding="utf-8")
    with pytest.raises(CriticError, match="train again"):
        load_critic(copy)
