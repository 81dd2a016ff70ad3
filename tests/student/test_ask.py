from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kgbuild.core.errors import FileError, ModelError, RelationError
from kgbuild.core.relations import Relation
from kgbuild.student import load_student, train_student
from kgbuild.student.ask import check_relation
from tests.student.conftest import make_config, make_rows


@pytest.fixture(scope="module")
def trained(
    relations: list[Relation], base: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with a student and the base that its adapter belongs to, to be read only."""
    folder = tmp_path_factory.mktemp("trained")
    place = shutil.copytree(base, folder / "base")
    config = make_config().model_copy(update={"epochs": 2, "method": "lora"})
    list(
        train_student(
            make_rows(), relations, model_path=place, config=config, folder=folder / "student"
        )
    )
    return folder


@pytest.fixture
def folder(trained: Path) -> Path:
    return trained / "student"


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    """A copy of the student, to be damaged."""
    return shutil.copytree(folder, tmp_path / "student")


def test_answers_are_different_tails_best_first_in_the_relations_form(folder: Path) -> None:
    answers = load_student(folder).ask("personx bakes a cake.", "xWant", n=3)
    tails = [tail for tail, _ in answers]
    assert 0 < len(tails) <= 3
    assert len(set(tails)) == len(tails)
    assert all(tail.startswith("to ") and 2 <= len(tail.split()) <= 8 for tail in tails)
    assert not any("PersonX" in tail for tail in tails)


def test_asking_many_gives_what_asking_one_gives(folder: Path) -> None:
    student = load_student(folder)
    pairs = [("PersonX bakes a cake", "xReact"), ("PersonX loses a key in town", "xWant")]
    together = student.ask_many(pairs, n=2)
    alone = [student.ask(head, relation, n=2) for head, relation in pairs]
    for one, other in zip(together, alone, strict=True):
        assert [tail for tail, _ in one] == [tail for tail, _ in other]
        assert [value for _, value in one] == pytest.approx([value for _, value in other], abs=1e-3)


def test_an_unknown_relation_is_refused_without_the_weights(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "student.json", tmp_path)
    check_relation(tmp_path, "xWant")
    with pytest.raises(RelationError, match="did you mean xWant"):
        check_relation(tmp_path, "xWnat")


def test_an_unknown_relation_names_the_nearest(folder: Path) -> None:
    with pytest.raises(RelationError, match="did you mean xWant"):
        load_student(folder).ask("PersonX sings", "xWants")


def test_a_moved_base_is_named_and_can_be_given(trained: Path) -> None:
    moved = (trained / "base").rename(trained / "moved")
    try:
        with pytest.raises(ModelError, match="which is gone"):
            load_student(trained / "student")
        student = load_student(trained / "student", base_path=moved)
        assert student.ask("PersonX sings", "xWant", n=1)
    finally:
        moved.rename(trained / "base")


def test_another_base_is_refused(trained: Path) -> None:
    weights = trained / "base" / "model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    try:
        with pytest.raises(ModelError, match="has the hash"):
            load_student(trained / "student")
    finally:
        weights.write_bytes(content)


def test_a_pickled_adapter_is_never_read(copy: Path) -> None:
    weights = copy / "adapter" / "adapter_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(ModelError, match="train the student again"):
        load_student(copy)


def test_an_unfinished_student_is_not_loaded(copy: Path) -> None:
    (copy / "student.json").unlink()
    with pytest.raises(FileError, match="no finished student"):
        load_student(copy)
