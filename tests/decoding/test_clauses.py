from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgbuild.core.errors import ClauseError
from kgbuild.decoding import (
    AnyOf,
    Clause,
    ConstraintSet,
    Count,
    EndsWith,
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


@pytest.mark.parametrize(
    "make",
    [
        lambda: AnyOf(("a \ud800",)),
        lambda: Not("\ufdd0"),
        lambda: AnyOf((3,)),  # type: ignore[arg-type]
        lambda: Not(None),  # type: ignore[arg-type]
        lambda: Count(("a",), min=1.5),  # type: ignore[arg-type]
        lambda: Count(("a",), max="2"),  # type: ignore[arg-type]
        lambda: Count(("a",), min=None),  # type: ignore[arg-type]
        lambda: AnyOf(("a",), boundary="words"),  # type: ignore[arg-type]
        lambda: EndsWith(("a",), case="lower"),  # type: ignore[arg-type]
        lambda: ConstraintSet(AnyOf(("a",))),  # type: ignore[arg-type]
        lambda: ConstraintSet(max_words=2.5),  # type: ignore[arg-type]
        lambda: ConstraintSet(min_words=True),
    ],
)
def test_what_is_no_clause_is_refused_in_a_sentence(make: Callable[[], Any]) -> None:
    with pytest.raises(ClauseError) as error:
        make()
    assert len(str(error.value)) > 20


@pytest.mark.parametrize(
    "phrase", ["🎂", "两个 人", "مرحبا", 'a "b" \\ `c`', "a\nb", "x" * 5000, "a\x00b"]
)
def test_odd_phrases_compile_or_are_refused_by_name(phrase: str, letters: Any) -> None:
    for clause in (AnyOf((phrase,)), Not(phrase), Count((phrase,), max=1), EndsWith((phrase,))):
        said = ""
        try:
            compile_clauses(ConstraintSet((clause,)), Vocabulary.of(letters))
        except ClauseError as error:
            said = str(error)
        assert not said or "cannot be written" in said


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
        ((AnyOf(("B",), case="match"),), ("'B'",)),
        ((EndsWith(("a b", "c b")), Not("b")), ("'a b'", "'c b'", "'b'")),
        ((AnyOf(("A b",), case="match"), Not("a")), ("'A b'", "'a'")),
        ((StartsWith(("a b",)), StartsWith(("b", "a c"))), ("'a b'", "'a c'")),
        ((EndsWith(("a b",)), EndsWith(("c b", "a"))), ("'a b'", "'c b'")),
        ((AnyOf(("a",)), AnyOf(("b",)), Count(("a", "b", "c"), max=1)), ("'c'", "need 2")),
        ((Count(("a",), min=3), Count(("a", "b"), max=2)), ("need 3", "allows 2")),
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


POSSIBLE = (
    (AnyOf(("A",), case="match"), Not("a", case="match")),
    (AnyOf(("a",)), Not("A", case="match")),
    (StartsWith(("a",)), StartsWith(("a b", "c"))),
    (EndsWith(("b",)), EndsWith(("a b",))),
    (EndsWith(("a b",)), EndsWith(("ab", "b"), boundary="none")),
    (AnyOf(("a", "b")), AnyOf(("b", "c")), Count(("a", "b", "c"), max=1)),
    (Count(("a",), min=1), Count(("b",), min=1), Count(("a", "b"), max=2)),
    (StartsWith(("A",), case="match"), StartsWith(("a",)), Not("b a")),
)
PIECES = ("a", "b", "c", "A", " ")


@pytest.mark.parametrize("clauses", POSSIBLE)
def test_what_can_be_met_is_not_refused(clauses: tuple[Any, ...], letters: Any) -> None:
    compile_clauses(ConstraintSet(clauses), Vocabulary.of(letters))


CLAUSES = st.one_of(
    st.builds(
        kind,
        st.lists(st.sampled_from(["a", "b", "A", "a b", "ba"]), min_size=1, max_size=2).map(tuple),
        boundary=st.sampled_from(["word", "none"]),
        case=st.sampled_from(["ignore", "match"]),
    )
    for kind in (AnyOf, StartsWith, EndsWith)
) | st.one_of(
    st.builds(
        Not,
        st.sampled_from(["a", "b", "A", "b a"]),
        boundary=st.sampled_from(["word", "none"]),
        case=st.sampled_from(["ignore", "match"]),
    ),
    st.builds(
        Count,
        st.lists(st.sampled_from(["a", "b", "A"]), min_size=1, max_size=2).map(tuple),
        min=st.integers(0, 1),
        max=st.integers(1, 2),
        case=st.sampled_from(["ignore", "match"]),
    ),
)


@given(clauses=st.lists(CLAUSES, min_size=2, max_size=3).map(tuple))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_set_is_only_refused_if_no_text_meets_it(
    clauses: tuple[Any, ...], letters: Any, judge: Any
) -> None:
    constraints = ConstraintSet(clauses)
    refused = ""
    try:
        compile_clauses(constraints, Vocabulary.of(letters))
    except ClauseError as error:
        refused = str(error)
    # The alphabet here is smaller than the vocabulary.
    if not refused or "cannot be written" in refused:
        return
    for length in range(1, 7):
        for text in map("".join, itertools.product(PIECES, repeat=length)):
            met, is_lawful, _ = judge(text, constraints)
            assert not is_lawful or len(met) < len(clauses), (text, refused)
