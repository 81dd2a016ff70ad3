from __future__ import annotations

from pathlib import Path

import pytest

from kgbuild.core.errors import ModelError
from kgbuild.decoding import find_base, identify_base
from tests.tiny_models import make_language_model

TEXTS = ["a kettle boils water", "a spoon stirs tea"]
OWNER = "The student in runs/a"


def test_a_base_is_found_where_it_was_and_where_it_moved_to(tmp_path: Path) -> None:
    path = make_language_model(tmp_path / "old", texts=TEXTS)
    base = identify_base(path)
    assert find_base(base, place=None, owner=OWNER) == path
    moved = path.rename(tmp_path / "new")
    assert find_base(base, place=moved, owner=OWNER) == moved
    with pytest.raises(ModelError, match=r"^The student in runs/a .*old, which is gone"):
        find_base(base, place=None, owner=OWNER)


def test_another_model_in_the_place_of_the_base_is_refused(tmp_path: Path) -> None:
    base = identify_base(make_language_model(tmp_path / "one", texts=TEXTS))
    other = make_language_model(tmp_path / "other", texts=["quite other words", *TEXTS])
    with pytest.raises(ModelError, match="has the hash .* but the student in runs/a adapts"):
        find_base(base, place=other, owner=OWNER)
