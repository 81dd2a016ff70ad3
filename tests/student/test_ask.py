from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kgbuild.core.config import StudentConfig
from kgbuild.core.errors import FileError, ModelError, RelationError
from kgbuild.core.records import CorpusRow
from kgbuild.core.relations import Relation
from kgbuild.student import load_student, train_student
from kgbuild.student.ask import check_relation


@pytest.fixture
def folder(
    rows: list[CorpusRow],
    relations: list[Relation],
    base: Path,
    config: StudentConfig,
    tmp_path: Path,
) -> Path:
    config = config.model_copy(update={"epochs": 2, "method": "lora"})
    place = shutil.copytree(base, tmp_path / "base")
    list(
        train_student(rows, relations, model_path=place, config=config, folder=tmp_path / "student")
    )
    return tmp_path / "student"


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


def test_a_moved_base_is_named_and_can_be_given(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "base").rename(tmp_path / "moved")
    with pytest.raises(ModelError, match="which is gone"):
        load_student(folder)
    assert load_student(folder, base_path=tmp_path / "moved").ask("PersonX sings", "xWant", n=1)


def test_another_base_is_refused(folder: Path, tmp_path: Path) -> None:
    weights = tmp_path / "base" / "model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ModelError, match="has the hash"):
        load_student(folder)


def test_a_pickled_adapter_is_never_read(folder: Path) -> None:
    weights = folder / "adapter" / "adapter_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(ModelError, match="train the student again"):
        load_student(folder)


def test_an_unfinished_student_is_not_loaded(folder: Path) -> None:
    (folder / "student.json").unlink()
    with pytest.raises(FileError, match="no finished student"):
        load_student(folder)
