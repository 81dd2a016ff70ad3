"""What a completion says, and every reason why it may say nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kgbuild.core.records import HeadKind
from kgbuild.decoding import ConstraintSet, Hypothesis
from kgbuild.prompts import Prompt
from kgbuild.teacher.parse import parse_completion

PROMPT = Prompt(
    prompt_id="p",
    head="PersonX bakes a cake",
    relation="xWant",
    kind=HeadKind.EVENT,
    prefix="",
    text="PersonX bakes a cake. After that, PersonX wants to",
    prior_text="PersonX does something. After that, PersonX wants to",
    tail_prefix="to",
    rotation=0,
    banned_tails=("to water the seedlings",),
    constraints=ConstraintSet(),
)
SAID = Hypothesis("eat it", (1, 2, 3), -3.0, -1.0, (), (), is_ended=True)


@pytest.mark.parametrize(
    "text", ["eat it", " eat  it.", '"eat it"', "eat it...", "eat it\nPersonX"]
)
def test_quotes_stops_and_later_lines_fall_off(text: str) -> None:
    assert parse_completion(PROMPT, replace(SAID, text=text)).tail == "to eat it"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (replace(SAID, text=" . "), "empty"),
        (replace(SAID, text="42"), "empty"),
        (replace(SAID, unmet=(1,)), "clause_unmet"),
        (replace(SAID, is_ended=False), "truncated"),
        (replace(SAID, text="very " * 40), "too_long"),
        (replace(SAID, text="eat <b>it"), "bad_characters"),
        (replace(SAID, text="eat \u200bit"), "bad_characters"),
        (replace(SAID, text="eat (it"), "bad_characters"),
        (replace(SAID, text="water the Seedlings"), "copied_shot"),
        (replace(SAID, text="bake cakes"), "repeats_head"),
        (replace(SAID, text="bake the cake again"), "repeats_head"),
    ],
)
def test_what_is_no_tail_has_its_reason(said: Hypothesis, reason: str) -> None:
    parsed = parse_completion(PROMPT, said)
    assert (parsed.reason, bool(parsed.tail)) == (reason, False)


def test_a_tail_that_adds_a_word_is_no_repetition() -> None:
    assert parse_completion(PROMPT, replace(SAID, text="decorate the cake")).tail
