from __future__ import annotations

import shutil
from itertools import islice
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from kgbuild.core.config import StudentConfig
from kgbuild.core.errors import ConfigError, ModelError, RelationError
from kgbuild.core.records import CorpusRow, Split
from kgbuild.core.relations import Relation
from kgbuild.decoding import load_base
from kgbuild.student import load_student, train_student
from kgbuild.student.ask import read_card
from kgbuild.student.base import wrap_for_training
from tests.student.conftest import make_config, make_rows

WEIGHTS = {"full": "model/model.safetensors", "lora": "adapter/adapter_model.safetensors"}


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("method", ["full", pytest.param("lora", marks=pytest.mark.slow)])
def test_the_loss_falls_and_the_tails_are_learned_by_heart(
    method: str,
    rows: list[CorpusRow],
    relations: list[Relation],
    base: Path,
    config: StudentConfig,
    tmp_path: Path,
) -> None:
    config = config.model_copy(update={"method": method, "epochs": 90 if method == "lora" else 40})
    steps = list(train_student(rows, relations, model_path=base, config=config, folder=tmp_path))
    assert [step.step for step in steps] == list(range(1, steps[0].total + 1))
    assert steps[-1].loss < 0.1 * steps[0].loss
    student = load_student(tmp_path)
    for row in rows:
        if row.split is Split.TRAIN:
            [(tail, log_probability)] = student.ask(row.head, row.relation, n=1)
            assert tail == row.tail
            # An adapter on a random base with dropout is less sure, but no other tail is near.
            assert -2.0 < log_probability <= 0.0


@pytest.mark.parametrize("method", ["full", "lora"])
def test_every_trainable_parameter_moved(
    method: str,
    rows: list[CorpusRow],
    relations: list[Relation],
    base: Path,
    config: StudentConfig,
    tmp_path: Path,
) -> None:
    config = config.model_copy(update={"method": method, "epochs": 2})
    list(train_student(rows, relations, model_path=base, config=config, folder=tmp_path))
    start = wrap_for_training(load_base(base)[0], config=config)
    trained = load_file(tmp_path / WEIGHTS[method])
    moved = 0
    for name, parameter in start.named_parameters():
        if parameter.requires_grad:
            saved = trained[name.replace(".default.", ".")]
            assert not torch.equal(saved, parameter.detach()), name
            moved += 1
    assert moved == len(trained)


RESUMED_EPOCHS = 6


@pytest.fixture(scope="module", params=["full", "lora"])
def unbroken(
    request: pytest.FixtureRequest,
    relations: list[Relation],
    base: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[StudentConfig, dict[str, bytes]]:
    """The settings of a training that nothing broke, and the files it left."""
    settings = {"method": request.param, "epochs": RESUMED_EPOCHS}
    config = make_config().model_copy(update=settings)
    folder = tmp_path_factory.mktemp("whole")
    list(train_student(make_rows(), relations, model_path=base, config=config, folder=folder))
    return config, files_of(folder)


@pytest.mark.parametrize("killed_after", [3, 9])
def test_a_resumed_training_ends_as_an_unbroken_one(
    unbroken: tuple[StudentConfig, dict[str, bytes]],
    killed_after: int,
    rows: list[CorpusRow],
    relations: list[Relation],
    base: Path,
    tmp_path: Path,
) -> None:
    config, whole = unbroken
    training = train_student(rows, relations, model_path=base, config=config, folder=tmp_path)
    list(islice(training, killed_after))
    del training  # the process is gone; what is on disk is all that is left
    assert not (tmp_path / "student.json").exists()
    rest = list(train_student(rows, relations, model_path=base, config=config, folder=tmp_path))
    assert rest[0].step == killed_after // config.save_steps * config.save_steps + 1
    assert files_of(tmp_path) == whole


def test_a_checkpoint_of_other_settings_is_not_continued(
    rows: list[CorpusRow],
    relations: list[Relation],
    base: Path,
    config: StudentConfig,
    tmp_path: Path,
) -> None:
    config = config.model_copy(update={"epochs": 6})
    list(islice(train_student(rows, relations, model_path=base, config=config, folder=tmp_path), 8))
    other = config.model_copy(update={"learning_rate": 1e-3})
    steps = train_student(rows, relations, model_path=base, config=other, folder=tmp_path)
    assert next(steps).step == 1


def test_a_finished_student_is_not_trained_again(
    rows: list[CorpusRow],
    relations: list[Relation],
    base: Path,
    config: StudentConfig,
    tmp_path: Path,
) -> None:
    config = config.model_copy(update={"epochs": 1})
    list(train_student(rows, relations, model_path=base, config=config, folder=tmp_path))
    before = files_of(tmp_path)
    assert not list(train_student(rows, relations, model_path=base, config=config, folder=tmp_path))
    assert files_of(tmp_path) == before


def test_held_out_rows_measure_and_never_teach(
    rows: list[CorpusRow],
    relations: list[Relation],
    base: Path,
    config: StudentConfig,
    tmp_path: Path,
) -> None:
    config = config.model_copy(update={"epochs": 10})
    list(train_student(rows, relations, model_path=base, config=config, folder=tmp_path / "a"))
    card = read_card(tmp_path / "a")
    assert [(part.split, part.rows, part.prompts) for part in card.held_out] == [
        (Split.DEV, 2, 1),
        (Split.TEST, 1, 1),
    ]
    assert all(part.loss_after < part.loss_before for part in card.held_out)
    taught = [row for row in rows if row.split is Split.TRAIN]
    list(train_student(taught, relations, model_path=base, config=config, folder=tmp_path / "b"))
    weights = WEIGHTS["full"]
    assert (tmp_path / "a" / weights).read_bytes() == (tmp_path / "b" / weights).read_bytes()
    assert read_card(tmp_path / "b").held_out == ()


def test_a_limit_of_steps_holds(
    rows: list[CorpusRow],
    relations: list[Relation],
    base: Path,
    config: StudentConfig,
    tmp_path: Path,
) -> None:
    config = config.model_copy(update={"max_steps": 3})
    steps = list(train_student(rows, relations, model_path=base, config=config, folder=tmp_path))
    assert [(step.step, step.total) for step in steps] == [(1, 3), (2, 3), (3, 3)]


def test_bad_input_is_refused_with_a_way_out(
    rows: list[CorpusRow],
    relations: list[Relation],
    base: Path,
    config: StudentConfig,
    tmp_path: Path,
) -> None:
    def train(rows: list[CorpusRow], path: Path) -> None:
        list(train_student(rows, relations, model_path=path, config=config, folder=tmp_path / "s"))

    with pytest.raises(ConfigError, match="no train row"):
        train([row for row in rows if row.split is not Split.TRAIN], base)
    with pytest.raises(RelationError, match="did you mean xReact"):
        train([rows[0].model_copy(update={"relation": "xReactt"})], base)
    (tmp_path / "pickled").mkdir()
    (tmp_path / "pickled" / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(ModelError, match="pickled weights are refused"):
        train(rows, tmp_path / "pickled")
    shutil.copytree(base, tmp_path / "cut")
    (tmp_path / "cut" / "model.safetensors").write_bytes(b"\x00" * 64)
    with pytest.raises(ModelError, match="cannot be loaded"):
        train(rows, tmp_path / "cut")
