"""The promises of data/seeds/README.md."""

from __future__ import annotations

import re

import pytest

from kgbuild.core.config import SeedsConfig
from kgbuild.core.records import Head, HeadKind
from kgbuild.core.resources import resource_path
from kgbuild.seeds import collect_heads
from kgbuild.seeds.kinds import guess_kind

FOLDER = resource_path("data/seeds")


def read(name: str) -> list[Head]:
    found = list(collect_heads([FOLDER / name], config=SeedsConfig()))
    assert all(isinstance(head, Head) for head in found), "a shipped head is there twice"
    return [head for head in found if isinstance(head, Head)]


def test_events_are_many_and_a_third_has_a_second_person() -> None:
    events = read("events.en.tsv")
    assert len(events) == 1628
    assert sum("PersonY" in head.text for head in events) == 547
    assert {head.kind for head in events} == {HeadKind.EVENT}


@pytest.mark.parametrize("name", ["events.en.tsv", "blanks.en.tsv"])
def test_an_event_starts_with_personx_and_a_present_verb_and_has_no_pronoun(name: str) -> None:
    pronoun = re.compile(r"\b(he|she|his|her|him|them|their|they|it)\b", re.IGNORECASE)
    for head in read(name):
        assert re.match(r"PersonX [a-z-]+s ", head.text), head.text
        assert not pronoun.search(head.text), head.text
        assert "PersonZ" not in head.text


def test_concepts_are_many_short_and_lower_case() -> None:
    concepts = read("concepts.en.tsv")
    assert len(concepts) == 1645
    assert {head.kind for head in concepts} == {HeadKind.CONCEPT}
    for head in concepts:
        assert re.fullmatch(r"[a-z]+( [a-z]+){0,2}", head.text), head.text


def test_the_demo_is_a_balanced_part_of_the_pools_without_the_unseen_head() -> None:
    demo = read("demo.en.tsv")
    pools = {(head.text, head.kind) for n in ("events", "concepts") for head in read(f"{n}.en.tsv")}
    assert {(head.text, head.kind) for head in demo} <= pools
    assert [head.kind for head in demo].count(HeadKind.EVENT) == 36
    assert [head.kind for head in demo].count(HeadKind.CONCEPT) == 36
    texts = {head.text for head in demo}
    assert "PersonX bakes a cake" in texts
    assert "PersonX adopts a puppy" not in texts
    assert ("PersonX adopts a puppy", HeadKind.EVENT) in pools


def test_every_blank_head_has_exactly_one_blank() -> None:
    heads = read("blanks.en.tsv")
    assert len(heads) == 142
    assert all(head.text.count("___") == 1 for head in heads)
    assert {head.kind for head in heads} == {HeadKind.EVENT}


def test_the_kind_of_every_shipped_head_would_also_be_guessed_right() -> None:
    for name in ("events.en.tsv", "concepts.en.tsv"):
        for head in read(name):
            assert guess_kind(head.text) is head.kind, head.text
