from __future__ import annotations

from typing import Any

import pytest

from kgbuild.seeds.nouns import read_nouns
from kgbuild.seeds.words import load_lexicon


def read(text: str, nlp: Any) -> tuple[list[str], list[str]]:
    nouns = [n for sentence in nlp(text).sents for n in read_nouns(sentence, load_lexicon())]
    return [n.concept for n in nouns if n.concept], [n.reason for n in nouns if n.reason]


@pytest.mark.parametrize(
    ("text", "concepts"),
    [
        ("Anna cut the fresh bread with a sharp kitchen knife.", ["bread", "kitchen knife"]),
        ("Paula wore a yellow raincoat and rubber boots.", ["raincoat", "rubber boot"]),
        ("He cut the paper with scissors.", ["paper", "scissors"]),
        ("The mice ate two loaves, the children ate cherries.", ["mouse", "cherry"]),
        ("Otto took it to the police station.", ["police station"]),
        ("The wolves slept on the leaves.", ["wolf", "leaf"]),
        ("The carpenter repaired two old chairs.", ["carpenter", "chair"]),
        ("She bought a loaf of bread and two bottles of milk.", ["bread", "milk"]),
    ],
)
def test_nouns_become_singular_concepts_without_determiner_and_adjective(
    text: str, concepts: list[str], nlp: Any
) -> None:
    assert read(text, nlp)[0] == concepts


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("There are a lot of ways.", ["stop_noun", "stop_noun"]),
        ("My brother slept all afternoon.", ["person_noun", "stop_noun"]),
    ],
)
def test_stop_nouns_times_and_somebodies_are_dropped_with_a_reason(
    text: str, reasons: list[str], nlp: Any
) -> None:
    assert read(text, nlp) == ([], reasons)
