"""Errors that a decoder could have, each put in on purpose: a check of ours has to see it.

Those of the model's side (rows that stay where they were, wrong positions, padding that is read)
are in `test_runner.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kgbuild.decoding import compiling, hypotheses, literals, state
from kgbuild.decoding.automaton import Automaton
from kgbuild.decoding.rules import Rules
from kgbuild.decoding.state import CompiledConstraints
from tests.decoding import test_automaton, test_beam

Patch = pytest.MonkeyPatch


def after_compiling(patch: Patch, change: Callable[[CompiledConstraints], None]) -> None:
    """Change every constraint set when it is ready."""
    usual = CompiledConstraints.__init__

    def made(self: CompiledConstraints, *args: Any) -> None:
        usual(self, *args)
        change(self)

    patch.setattr(CompiledConstraints, "__init__", made)


def forget_bans(compiled: CompiledConstraints) -> None:
    for literal in compiled.literals:
        literal.effects[:] = [effect for effect in literal.effects if effect[0] != "ban"]


def lift_limits(compiled: CompiledConstraints) -> None:
    rules = compiled._rules
    rules._limits = [(clause, low, None) for clause, low, _ in rules._limits]


def hold_negatives(compiled: CompiledConstraints) -> None:
    rules = compiled._rules
    rules._negatives, rules._fatal = {}, {}
    for clause in range(compiled.size):
        rules._meetable &= ~(1 << clause)


def lose_case(patch: Patch) -> None:
    usual = state.read_symbols
    patch.setattr(
        state, "read_symbols", lambda text, *, last, is_folded=True: usual(text, last=last)
    )


def forget_edges(patch: Patch) -> None:
    usual = literals.read_phrase
    patch.setattr(
        literals, "read_phrase", lambda phrase, **options: usual(phrase, is_bounded=False)
    )


def normalise_by_nothing(patch: Patch) -> None:
    patch.setattr(hypotheses, "normalise_score", lambda score, length, *, penalty: score)


MUTATIONS: dict[str, tuple[Callable[[Patch], None], str]] = {
    "a text may end while clauses are unmet": (
        lambda patch: patch.setattr(CompiledConstraints, "can_end", lambda *_, **__: True),
        "wanted and banned",
    ),
    "every clause counts as met": (
        lambda patch: patch.setattr(Rules, "find_met", lambda self, *_: self.every),
        "any of",
    ),
    "scores are not normalised by length": (normalise_by_nothing, "nothing"),
    "word edges do not matter": (forget_edges, "any of"),
    "bans are forgotten": (lambda patch: after_compiling(patch, forget_bans), "ban"),
    "a count has no limit": (lambda patch: after_compiling(patch, lift_limits), "at most"),
    "a written negative is not seen": (
        lambda patch: after_compiling(patch, hold_negatives),
        "mixed clause",
    ),
    "an end once met stays met": (
        lambda patch: patch.setattr(literals, "END", ""),
        "at the end",
    ),
    "case is lost": (lose_case, "case banned"),
    "a beginning may come later": (
        lambda patch: patch.setattr(literals, "START", ""),
        "anchored",
    ),
}


@pytest.fixture
def fresh(monkeypatch: Patch) -> Patch:
    """Sets that were compiled before do not hide what is changed."""
    monkeypatch.setattr(compiling, "MAX_STATES", -1)
    return monkeypatch


@pytest.mark.parametrize("name", MUTATIONS)
def test_trying_every_string_sees_it(
    name: str, fresh: Patch, make_tokenizer: Any, make_model: Any, judge: Any
) -> None:
    mutate, kind = MUTATIONS[name]
    mutate(fresh)
    with pytest.raises(AssertionError):
        test_beam.test_a_full_beam_finds_what_trying_every_string_finds(
            kind, "hard", make_tokenizer, make_model, judge
        )


def test_failure_links_to_the_root_are_seen(monkeypatch: Patch) -> None:
    usual = Automaton._link

    def cut(self: Automaton, ends: list[list[int]]) -> None:
        usual(self, ends)
        self._fail = [0] * len(self._fail)

    monkeypatch.setattr(Automaton, "_link", cut)
    with pytest.raises(AssertionError):
        test_automaton.test_a_pattern_that_overlaps_itself_survives_a_mismatch()
