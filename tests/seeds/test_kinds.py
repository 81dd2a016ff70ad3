from __future__ import annotations

from pathlib import Path

import pytest

from kgbuild.core.errors import SeedError
from kgbuild.core.records import HeadKind
from kgbuild.seeds.kinds import guess_kind, kind_of_file, parse_kind


@pytest.mark.parametrize(
    "text",
    [
        "PersonX naps",
        "bake a cake",
        "go to school",
        "goes home to sleep",
        "to swim",
        "lose one's keys",
        "she leaves",
        "someone knocks",
    ],
)
def test_a_verb_or_a_subject_makes_an_event(text: str) -> None:
    assert guess_kind(text) is HeadKind.EVENT


@pytest.mark.parametrize(
    "text",
    ["umbrella", "kitchen knife", "cup of tea", "the moon", "house by the sea", "run", "bus"],
)
def test_anything_else_is_a_concept(text: str) -> None:
    assert guess_kind(text) is HeadKind.CONCEPT


def test_an_unknown_kind_gets_its_line_and_the_nearest_word() -> None:
    with pytest.raises(
        SeedError, match=r"s\.tsv:3: kind 'evnt' is not known; did you mean event\?"
    ):
        parse_kind("evnt", source="s.tsv:3")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("events.en.tsv", HeadKind.EVENT),
        ("my-concept-list.txt", HeadKind.CONCEPT),
        ("events_and_concepts.tsv", None),
        ("eventful.tsv", None),
    ],
)
def test_a_file_name_states_a_kind_only_as_a_whole_word(name: str, kind: HeadKind | None) -> None:
    assert kind_of_file(Path(name)) is kind
