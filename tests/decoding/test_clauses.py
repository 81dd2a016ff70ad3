from __future__ import annotations

from typing import Any

import pytest

from kgbuild.core.errors import ClauseError
from kgbuild.decoding import (
    AnyOf,
    Clause,
    ConstraintSet,
    Count,
    Not,
    StartsWith,
    Vocabulary,
    compile_clauses,
)
from kgbuild.decoding.inflection import inflect_phrase
from kgbuild.decoding.proposals import Proposals


@pytest.mark.parametrize("phrases", [(), ("",), ("  ",), ("a", "\t"), "a"])
def test_empty_and_mistyped_phrases_are_refused(phrases: Any) -> None:
    with pytest.raises(ClauseError):
        AnyOf(phrases)


def test_bounds_that_leave_nothing_are_refused() -> None:
    with pytest.raises(ClauseError, match="min must be"):
        Count(("a",), min=2, max=1)
    with pytest.raises(ClauseError, match="leave no length"):
        ConstraintSet(min_words=3, max_words=2)
    with pytest.raises(ClauseError):
        Not(" ")
    with pytest.raises(ClauseError):
        Clause()


@pytest.mark.parametrize(
    ("clauses", "named"),
    [
        ((AnyOf(("a b",)), Not("b")), ("'a b'", "'b'")),
        ((StartsWith(("b a", "b c")), Not("b")), ("'b a'", "'b c'")),
        ((Count(("a",), min=1), Count(("a",), max=0)), ("'a'",)),
        ((AnyOf(("ab",), boundary="none"), Not("b", boundary="none")), ("'ab'", "'b'")),
        ((AnyOf(("zz",)),), ("'zz'",)),
        ((AnyOf(("a.b",)),), ("'a.b'",)),
    ],
)
def test_contradictions_name_both_sides(
    clauses: tuple[Any, ...], named: tuple[str, ...], letters: Any
) -> None:
    vocabulary = Vocabulary.of(letters, ends=(".",))
    with pytest.raises(ClauseError) as error:
        compile_clauses(ConstraintSet(clauses), vocabulary)
    for name in named:
        assert name in str(error.value)


def test_phrases_longer_than_the_text_are_refused(letters: Any) -> None:
    with pytest.raises(ClauseError, match="max_words=2"):
        compile_clauses(ConstraintSet((AnyOf(("a b c",)),), max_words=2), Vocabulary.of(letters))


def test_one_possible_phrase_is_enough(letters: Any) -> None:
    vocabulary = Vocabulary.of(letters)
    compile_clauses(ConstraintSet((AnyOf(("a b", "c")), Not("b"))), vocabulary)
    # "ab" may be written although "b" alone may not.
    compile_clauses(ConstraintSet((AnyOf(("ab",)), Not("b"))), vocabulary)


def test_equal_sets_are_compiled_once(letters: Any) -> None:
    vocabulary = Vocabulary.of(letters)
    first = compile_clauses(ConstraintSet((AnyOf(("ab",)),)), vocabulary)
    assert compile_clauses(ConstraintSet((AnyOf(("ab",)),)), vocabulary) is first


def test_inflection_covers_verbs_nouns_and_phrases() -> None:
    assert set(inflect_phrase("bake")) >= {"bake", "bakes", "baked", "baking"}
    assert "mice" in inflect_phrase("mouse")
    assert "bakes a cake" in inflect_phrase("bake a cake")
    assert "ice creams" in inflect_phrase("ice cream")


def test_a_thousand_clauses_and_ten_thousand_phrases_compile(letters: Any) -> None:
    vocabulary = Vocabulary.of(letters)
    words = [
        "".join("abc"[int(digit)] for digit in f"{n:012d}" if digit in "012") for n in range(9)
    ]
    many = tuple(AnyOf((f"a {'b' * (n % 9 + 1)} {'c' * (n // 9 + 1)}",)) for n in range(300))
    compile_clauses(ConstraintSet(many), vocabulary)
    phrases = tuple("ab"[n % 2] * (n % 70 + 1) + " " + "c" * (n // 140 + 1) for n in range(9800))
    compiled = compile_clauses(ConstraintSet((AnyOf(phrases), Not(words[0] + "q"))), vocabulary)
    assert Proposals.of(compiled).find(compiled.start)
