"""From a trained critic and labels to a folder that promises, and back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from kgbuild.core.config import CriticConfig
from kgbuild.core.errors import CriticError, RelationError
from kgbuild.core.files import write_json
from kgbuild.core.ids import phrase_id
from kgbuild.core.records import Label, LabelledTriple, Split
from kgbuild.core.relations import RelationSet
from kgbuild.critic import (
    Guarantee,
    calibrate_critic,
    load_critic,
    read_card,
    read_guarantee,
    read_report,
    read_thresholds,
    train_critic,
)
from kgbuild.critic.split import assign_part
from kgbuild.critic.thresholds import NOTHING
from tests.critic.conftest import TEXTS, make_label, make_labels
from tests.tiny_models import make_encoder

HEADS = 700


@pytest.fixture(scope="module")
def critic(
    relations: RelationSet, config: CriticConfig, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    train_critic(
        make_labels(60),
        [],
        relations,
        backbone_path=make_encoder(folder, texts=TEXTS),
        config=config.model_copy(update={"epochs": 24}),
        folder=folder / "critic",
    )
    return folder / "critic"


@pytest.fixture(scope="module")
def labels() -> list[LabelledTriple]:
    return make_labels(HEADS)


def calibrate(
    critic: Path, rows: list[LabelledTriple], out: Path, **changes: object
) -> tuple[Guarantee, object]:
    settings = {"precision": 0.8, "confidence": 0.95, "scope": "each", **changes}
    return calibrate_critic(critic, rows, out=out, **settings)  # type: ignore[arg-type]


def test_a_promise_is_kept_in_the_folder_with_its_thresholds_and_its_measure(
    critic: Path, labels: list[LabelledTriple], tmp_path: Path
) -> None:
    guarantee, report = calibrate(critic, labels, tmp_path / "out")
    dev = [row for row in labels if assign_part(row.head) is Split.DEV]
    assert (guarantee.labels, guarantee.heads) == (len(dev), len(dev) // 2)
    assert guarantee.promised() == {"xReact": "0.80@0.95 each"}
    assert guarantee.is_fitted
    found = read_guarantee(tmp_path / "out")
    assert found is not None
    assert found[0].promised() == guarantee.promised()
    assert len(found[1].scores) == guarantee.heads
    thresholds = read_thresholds(tmp_path / "out")
    assert thresholds.get("xReact") < NOTHING
    assert thresholds.get("xWant") == NOTHING
    assert read_report(tmp_path / "out") == report
    figures = read_report(tmp_path / "out").evidence
    assert figures is not None
    assert figures.precision.value is not None
    assert figures.precision.value >= 0.8
    assert load_critic(tmp_path / "out").key != read_card(critic).key
    assert read_guarantee(critic) is None


def test_labels_of_unseen_heads_all_choose_but_the_test_part(
    critic: Path, labels: list[LabelledTriple], tmp_path: Path
) -> None:
    seen = {phrase_id(row.head) for row in make_labels(60)}
    guarantee, _ = calibrate(critic, labels, tmp_path / "out", learned_from=seen)
    chosen = [
        row
        for row in labels
        if phrase_id(row.head) not in seen and assign_part(row.head) is not Split.TEST
    ]
    assert guarantee.labels == len(chosen)
    assert guarantee.seen_labels == 120
    assert not guarantee.is_fitted
    with pytest.raises(CriticError, match="of heads that the critic was made with"):
        calibrate(critic, make_labels(60), tmp_path / "other", learned_from=seen)


def test_labels_that_were_picked_for_being_hard_do_not_count(
    critic: Path, labels: list[LabelledTriple], tmp_path: Path
) -> None:
    words = ("", "random", "uncertain", "diverse")
    rows = [
        row.model_copy(update={"chosen_by": words[place // 2 % 4]})
        for place, row in enumerate(labels)
    ]
    # Asked again for being uncertain, a triple that was drawn at random stays one.
    again = [
        row.model_copy(update={"chosen_by": "uncertain", "labelled_at": "2026-11-25"})
        for row in rows
    ]
    guarantee, _ = calibrate(critic, [*rows, *again], tmp_path / "out")
    dev = [row for row in rows if assign_part(row.head) is Split.DEV]
    assert guarantee.labels == sum(row.chosen_by in ("", "random") for row in dev)
    assert guarantee.chosen_labels == len(rows) // 2
    with pytest.raises(CriticError, match="not drawn at random"):
        calibrate(critic, [row for row in rows if row.chosen_by == "diverse"], tmp_path / "none")


def test_relations_of_another_pack_and_shares_that_are_none_are_refused(
    critic: Path, tmp_path: Path
) -> None:
    strange = make_label("PersonX runs", "tired", Label.LIKELY, relation="zReact")
    with pytest.raises(RelationError, match="zReact"):
        calibrate(critic, [strange], tmp_path / "out")
    with pytest.raises(CriticError, match="precision"):
        calibrate(critic, make_labels(20), tmp_path / "out", precision=1.0)
    assert not (tmp_path / "out").exists()


def test_steps_fitted_on_the_same_labels_can_promise_nothing(
    critic: Path, labels: list[LabelledTriple], tmp_path: Path
) -> None:
    copy = shutil.copytree(critic, tmp_path / "isotonic")
    card = json.loads((copy / "critic.json").read_text(encoding="utf-8"))
    card["evidence"]["steps"] = [[0.0, 0.1], [1.0, 0.9]]
    write_json(copy / "critic.json", card)
    with pytest.raises(CriticError, match="--unseen"):
        calibrate(copy, labels, tmp_path / "out")
    assert calibrate(copy, labels, tmp_path / "out", learned_from=set())[0].promised()


def test_a_promise_that_was_changed_is_not_believed(
    critic: Path, labels: list[LabelledTriple], tmp_path: Path
) -> None:
    calibrate(critic, labels, tmp_path / "out")
    path = tmp_path / "out" / "guarantee.json"
    tree = json.loads(path.read_text(encoding="utf-8"))
    write_json(path, {**tree, "precision": 0.99})
    with pytest.raises(CriticError, match="calibrate again"):
        read_guarantee(tmp_path / "out")
    path.unlink()
    with pytest.raises(CriticError, match="calibrate again"):
        read_guarantee(tmp_path / "out")


def test_a_critic_without_what_came_later_keeps_the_key_of_its_time(critic: Path) -> None:
    from kgbuild.core.ids import content_key

    tree = json.loads((critic / "critic.json").read_text(encoding="utf-8"))
    del tree["guarantee_hash"]
    del tree["plain"]["steps"], tree["evidence"]["steps"]
    assert read_card(critic).key == content_key(tree)
