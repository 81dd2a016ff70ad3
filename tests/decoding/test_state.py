from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kgbuild.core.errors import ClauseError
from kgbuild.decoding import (
    AnyOf,
    Clause,
    CompiledConstraints,
    ConstraintSet,
    Count,
    EndsWith,
    Not,
    StartsWith,
    Vocabulary,
    compile_clauses,
)
from kgbuild.decoding.masks import Masks
from kgbuild.decoding.proposals import Proposals
from kgbuild.decoding.state import DEAD
from kgbuild.decoding.symbols import EDGE, read_phrase, split_symbols

PHRASES = st.text(alphabet="abcqA -é", min_size=1, max_size=4).filter(
    lambda text: bool(re.search(r"\w", text))
)
SOME = st.lists(PHRASES, min_size=1, max_size=3).map(tuple)
CASES = st.sampled_from(["ignore", "match"])
BOUNDARIES = st.sampled_from(["word", "none"])
CLAUSES = st.lists(
    st.builds(Not, PHRASES, boundary=BOUNDARIES)
    | st.builds(lambda phrases, boundary: AnyOf(phrases, boundary=boundary), SOME, BOUNDARIES)
    | st.builds(lambda phrases, high: Count(phrases, min=0, max=high), SOME, st.integers(0, 2))
    | st.builds(Clause, SOME, SOME)
    | st.builds(lambda phrases: Clause(negative=phrases), SOME)
    | st.builds(
        lambda kind, phrases, boundary, case: kind(phrases, boundary=boundary, case=case),
        st.sampled_from([StartsWith, EndsWith]),
        st.sampled_from([("ab",), ("a b", "ca"), ("q",), ("A", "cA")]),
        BOUNDARIES,
        CASES,
    )
    | st.builds(lambda phrases, case: AnyOf(phrases, case=case), SOME, CASES)
    | st.builds(lambda phrase, case: Not(phrase, case=case), PHRASES, CASES)
    | st.builds(lambda phrases, case: Clause(phrases, phrases[:1], case=case), SOME, CASES),
    min_size=1,
    max_size=4,
)


def follow(compiled: CompiledConstraints, tokens: list[int]) -> int:
    state = compiled.start
    for token in tokens:
        state = compiled.step(state, token)
        if state == DEAD:
            break
    return state


def build(clauses: list[Any], letters: Any, **length: int | None) -> CompiledConstraints | None:
    vocabulary = Vocabulary.of(letters, ends=("\n", "."))
    try:
        return compile_clauses(ConstraintSet(tuple(clauses), **length), vocabulary)
    except ClauseError:
        return None


@settings(max_examples=250, deadline=None)
@given(
    clauses=CLAUSES,
    tokens=st.lists(st.integers(1, 19), max_size=8),
    words=st.none() | st.integers(1, 3),
)
def test_following_tokens_knows_what_reading_the_text_knows(
    clauses: list[Any], tokens: list[int], words: int | None, letters: Any, judge: Any
) -> None:
    compiled = build(clauses, letters, max_words=words)
    if compiled is None:
        return
    vocabulary = compiled.vocabulary
    tokens = [t for t in tokens if t not in (*vocabulary.end_ids, *vocabulary.blocked_ids)]
    text = vocabulary.read_text(tokens)
    state = follow(compiled, tokens)
    if "\ufffd" in text:
        assert state == DEAD or not compiled.judge(state).is_clean
        return
    met, is_lawful, _ = judge(text, compiled.constraints)
    if state == DEAD:
        assert not is_lawful
        return
    standing = compiled.judge(state)
    assert standing.is_clean == is_lawful
    assert 0 <= standing.progress < 1
    if is_lawful:
        assert standing.met == sum(1 << index for index in met)


@settings(max_examples=150, deadline=None)
@example(clauses=[Not("a")], tokens=[1], words=None)
@example(clauses=[Clause(negative=("A", "A-"))], tokens=[1], words=None)
@example(clauses=[Not("b a"), Count(("q",), max=1)], tokens=[17, 2, 4], words=2)
@given(
    clauses=CLAUSES,
    tokens=st.lists(st.integers(1, 19), max_size=6),
    words=st.none() | st.integers(1, 3),
)
def test_masks_forbid_exactly_the_tokens_that_would_be_refused(
    clauses: list[Any], tokens: list[int], words: int | None, letters: Any
) -> None:
    compiled = build(clauses, letters, max_words=words)
    if compiled is None:
        return
    vocabulary = compiled.vocabulary
    unwritten = {*vocabulary.end_ids, *vocabulary.blocked_ids}
    tokens = [token for token in tokens if token not in unwritten]
    state = follow(compiled, tokens)
    if state == DEAD or compiled.read_state(state)[1].begun:
        return
    parts = Masks.of(compiled).find_forbidden(state, torch.device("cpu"))
    masked = {int(token) for part in parts for token in part} - unwritten
    whole = {t for t in range(vocabulary.size) if "\ufffd" not in vocabulary.texts[t]} - unwritten
    refused = {token for token in whole if compiled.step(state, token) == DEAD}
    assert masked & whole <= refused
    # Left to the state: one token that ends two bans which only together break a clause, and case.
    if not any(len(getattr(c, "negative", ())) > 1 or c.case == "match" for c in clauses):
        assert masked & whole == refused


@settings(max_examples=150, deadline=None)
@given(
    phrases=SOME,
    before=st.lists(st.integers(1, 19), max_size=4),
    boundary=BOUNDARIES,
)
def test_proposed_tokens_lead_to_the_phrase(
    phrases: tuple[str, ...], before: list[int], boundary: Any, letters: Any
) -> None:
    compiled = build([AnyOf(phrases, boundary=boundary)], letters)
    if compiled is None:
        return
    unwritten = {*compiled.vocabulary.end_ids, *compiled.vocabulary.blocked_ids}
    state = follow(compiled, [token for token in before if token not in unwritten])
    if state == DEAD:
        return
    proposals = Proposals.of(compiled)
    for _ in range(12):
        if compiled.judge(state).met:
            break
        options = proposals.find_next(state) or proposals.find_first(state)
        if not options:  # half a character stands there and no phrase begins with it
            assert compiled.read_state(state)[1].begun
            break
        state = compiled.step(state, options[0])
        assert state != DEAD
    else:
        pytest.fail("twelve proposed tokens did not write a phrase of four letters")


@pytest.mark.parametrize(
    ("pieces", "is_met"),
    [
        ([" a", "b"], True),
        ([" ab"], True),
        ([" ", "A", "b"], True),
        ([" ab", "c"], False),
        ([" ab", "-"], True),
        (["c", "ab"], False),
        (["c", " ab", " a"], True),
    ],
)
def test_a_phrase_is_found_however_it_is_cut(pieces: list[str], is_met: bool, letters: Any) -> None:
    compiled = build([AnyOf(("ab",))], letters)
    assert compiled is not None
    tokens = [compiled.vocabulary.texts.index(piece) for piece in pieces]
    assert bool(compiled.judge(follow(compiled, tokens)).met) == is_met


def test_a_ban_is_only_broken_when_its_word_is_over(letters: Any) -> None:
    compiled = build([Not("ab")], letters)
    assert compiled is not None
    texts = compiled.vocabulary.texts
    state = follow(compiled, [texts.index(" a"), texts.index("b")])
    assert state != DEAD
    assert not compiled.can_end(state, is_hard=False)
    assert compiled.step(state, texts.index(" a")) == DEAD
    assert compiled.step(state, texts.index("-")) == DEAD
    longer = compiled.step(state, texts.index("c"))
    assert compiled.can_end(longer, is_hard=True)


def test_characters_in_parts_are_followed(letters: Any) -> None:
    compiled = build([AnyOf(("é",)), Not("éa")], letters)
    assert compiled is not None
    vocabulary = compiled.vocabulary
    first, second = (vocabulary.token_bytes.index(byte) for byte in (b"\xc3", b"\xa9"))
    half = compiled.step(compiled.start, first)
    assert second in Proposals.of(compiled).find(half)
    assert not compiled.can_end(half, is_hard=False)
    assert compiled.step(half, vocabulary.texts.index("a")) == DEAD  # broken UTF-8
    assert compiled.judge(compiled.step(half, second)).met & 1


def test_white_space_runs_count_as_one_space(letters: Any) -> None:
    compiled = build([AnyOf(("a  b",))], letters)
    assert compiled is not None
    texts = compiled.vocabulary.texts
    tokens = [texts.index(piece) for piece in ("a", " ", " ", " b")]
    assert compiled.judge(follow(compiled, tokens)).met


def test_places_map_symbols_back_to_the_phrase() -> None:
    symbols = read_phrase("Straße x", is_bounded=True)
    assert symbols.replace(EDGE, "|") == "|strasse| |x|"
    places = split_symbols("Straße x", symbols)
    assert len(places) == len(symbols) + 1
    assert "Straße x"[places[symbols.index("x")] :] == "x"
    assert places[-1] == len("Straße x")


def test_chinese_needs_no_spaces_around_words() -> None:
    assert EDGE not in read_phrase("狗", is_bounded=True)
