from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgbuild.dedup.lexicon import _EXCLUSIVE, SYNONYMS
from kgbuild.dedup.wording import find_conflict, read_wording


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("to buy flour", "buy some flour"),
        ("gets wet", "PersonX gets wet."),
        ("to be kind", "Kind"),
        ("cutting bread", "to cut the bread"),
        ("feels very tired", "tired"),
        ("glad", "happy"),
        ("hard-working", "hardworking"),
        ("to put it into the box", "to put it in the box"),
    ],
)
def test_wording_is_set_aside(one: str, other: str) -> None:
    assert read_wording(one).content == read_wording(other).content
    assert find_conflict(read_wording(one), read_wording(other)) == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("to get a dog", "to be a dog"),
        ("to have a dog", "to take a dog"),
        ("to love PersonY", "to be loved by PersonY"),
        ("to buy flour", "to buy eggs"),
        ("bored", "boring"),
    ],
)
def test_what_is_said_is_not_set_aside(one: str, other: str) -> None:
    assert read_wording(one).content != read_wording(other).content


@pytest.mark.parametrize(
    ("one", "other", "conflict"),
    [
        ("PersonX helps PersonY", "PersonY helps PersonX", "persons"),
        ("to thank PersonX", "to thank PersonY", "persons"),
        ("to eat 2 apples", "to eat 3 apples", "numbers"),
        ("to wait two hours", "to wait hours", "numbers"),
        ("hungry", "not hungry", "negations"),
        ("doesn\u2019t go", "goes", "negations"),
        ("to have friends", "to have no friends", "negations"),
        ("to cook for PersonY", "to cook with PersonY", "directions"),
        ("to go up the stairs", "to go down the stairs", "directions"),
        ("to stay in the house", "to stay at the house", "directions"),
        ("happy", "sad", "opposites"),
        ("to open doors", "to close the door", "opposites"),
        ("careful", "careless", "opposites"),
        ("honest", "dishonest", "opposites"),
        ("loved", "to love", "voice"),
    ],
)
def test_some_differences_keep_tails_apart_whatever_the_encoder_says(
    one: str, other: str, conflict: str
) -> None:
    assert find_conflict(read_wording(one), read_wording(other)) == conflict
    assert find_conflict(read_wording(other), read_wording(one)) == conflict


@given(st.text())
def test_any_text_has_a_wording_and_never_conflicts_with_itself(text: str) -> None:
    assert find_conflict(read_wording(text), read_wording(text)) == ""


def test_no_word_is_kept_apart_from_its_own_synonym() -> None:
    for word, first in SYNONYMS.items():
        assert find_conflict(read_wording(word), read_wording(first)) == "", word
    for line in _EXCLUSIVE.strip().split("\n"):
        words = [SYNONYMS.get(word, word) for word in line.split()]
        assert len(words) == len(set(words)), line
