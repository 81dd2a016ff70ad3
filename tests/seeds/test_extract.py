from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from kgbuild.core.config import SeedsConfig
from kgbuild.core.errors import SeedError
from kgbuild.core.records import Head, HeadKind, Rejection
from kgbuild.seeds import extract_heads

CONFIG = SeedsConfig()

EVENTS = [
    ("Maria lent her brother her car.", ["PersonX lends PersonX's brother PersonX's car"]),
    ("Tom thanked Anna for her help.", ["PersonX thanks PersonY for PersonY's help"]),
    ("She washed and dried the dishes.", ["PersonX washes the dishes", "PersonX dries the dishes"]),
    (
        "He sighed and put the box on the shelf.",
        ["PersonX sighs", "PersonX puts the box on the shelf"],
    ),
    ("He asked Anna to open the window.", ["PersonX asks PersonY to open the window"]),
    ("My sister lent me her car.", ["PersonX lends PersonY PersonX's car"]),
    (
        "Tom and Maria baked a cake and gave it to Anna.",
        ["PersonX bakes a cake", "PersonX gives the cake to PersonY"],
    ),
    (
        "The man who fixed my car got fired.",
        ["PersonX fixes PersonY's car", "PersonX gets fired"],
    ),
    ("The cake that Maria baked fell on the floor.", ["PersonX bakes the cake"]),
    ("I let her drive my car.", ["PersonX lets PersonY drive PersonX's car"]),
    ("She let the cat out.", ["PersonX lets the cat out"]),
    ("He turned the lights off.", ["PersonX turns the lights off"]),
    ("The old woman has lost her keys.", ["PersonX loses PersonX's keys"]),
    ("I forgot to buy milk at the store yesterday.", ["PersonX forgets to buy milk at the store"]),
    ("They were watching a movie when the lights went out.", ["PersonX watches a movie"]),
    ("I saw him steal a wallet.", ["PersonX sees PersonY steal a wallet"]),
    (
        "When she lost her keys, Maria called a locksmith.",
        ["PersonX loses PersonX's keys", "PersonX calls a locksmith"],
    ),
    (
        "After dinner Tom washed the dishes and put them in the cupboard.",
        ["PersonX washes the dishes", "PersonX puts the dishes in the cupboard"],
    ),
    ("Sam runs five miles every morning.", ["PersonX runs five miles every morning"]),
    ("Carol hates flying.", ["PersonX hates flying"]),
    (
        "She packed her suitcase, locked the door and drove to the airport.",
        [
            "PersonX packs PersonX's suitcase",
            "PersonX locks the door",
            "PersonX drives to the airport",
        ],
    ),
    ("Omar ran out of gas on the highway.", ["PersonX runs out of gas on the highway"]),
    (
        "Rosa's father bought her a red bicycle for her birthday.",
        ["PersonX buys PersonY a red bicycle for PersonY's birthday"],
    ),
    (
        "Amara called Kofi because he had left his wallet at her house.",
        ["PersonX calls PersonY", "PersonX leaves PersonX's wallet at PersonY's house"],
    ),
    (
        "The nurse asked the patient to roll up his sleeve.",
        ["PersonX asks PersonY to roll up PersonY's sleeve"],
    ),
    ("She's been looking for a job.", ["PersonX looks for a job"]),
    ("Tariq is learning Spanish.", ["PersonX learns Spanish"]),
    ("He asked her to marry him.", ["PersonX asks PersonY to marry PersonX"]),
    ("Tom is afraid of spiders.", ["PersonX is afraid of spiders"]),
    ("Emma tried to fix the sink herself.", ["PersonX tries to fix the sink"]),
    (
        "On Sundays Yara bakes bread, feeds the hens and writes letters.",
        ["PersonX bakes bread", "PersonX feeds the hens", "PersonX writes letters"],
    ),
    ("We borrowed a tent from Sasha's parents.", ["PersonX borrows a tent from PersonY's parents"]),
    (
        "Ravi spent the evening cleaning the kitchen.",
        ["PersonX spends the evening cleaning the kitchen"],
    ),
    ("Maria told Tom about Anna and Peter.", []),
]


def extract(text: str, nlp: Any) -> list[Head | Rejection]:
    return list(extract_heads([text], nlp=nlp, config=CONFIG))


@pytest.mark.parametrize(("text", "events"), EVENTS)
def test_a_sentence_gives_its_events(text: str, events: list[str], nlp: Any) -> None:
    found = extract(text, nlp)
    heads = [head.text for head in found if isinstance(head, Head) and head.kind == "event"]
    assert heads == events


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("The letter was written by Maria.", "passive"),
        ("She did not eat breakfast.", "negated"),
        ("Nobody noticed the mistake.", "negated"),
        ("She had no money.", "negated"),
        ("She would buy a house.", "modal"),
        ("She is going to leave.", "modal"),
        ("He used to play chess.", "modal"),
        ("She had to work late.", "modal"),
        ("Could you help me?", "question"),
        ("Did Monica lock the gate?", "question"),
        ("She was there.", "empty_copula"),
        ("Don't touch the stove.", "no_subject"),
        ("The storm destroyed the bridge.", "subject_is_no_person"),
        ("She told me that it rained.", "reported_clause"),
        ("He took it.", "unresolved_reference"),
        ("He made her cry.", "ambiguous_parse"),
        ("Maria told Tom about Anna and Peter.", "too_many_people"),
    ],
)
def test_what_makes_no_event_is_reported_with_its_reason(text: str, reason: str, nlp: Any) -> None:
    rejections = [found for found in extract(text, nlp) if isinstance(found, Rejection)]
    assert reason in [rejection.reason for rejection in rejections]
    assert all(rejection.stage == "seeds" and rejection.text for rejection in rejections)
    assert not any(h.kind == "event" for h in extract(text, nlp) if isinstance(h, Head))


def test_heads_keep_their_order_place_and_first_mention(nlp: Any) -> None:
    texts = ["Tom baked a cake. He ate the cake.\n\nAnna slept.", "Tom baked a cake."]
    found = list(extract_heads(texts, nlp=nlp, config=CONFIG, source="diary"))
    heads = [(head.text, head.source) for head in found if isinstance(head, Head)]
    assert heads == [
        ("PersonX bakes a cake", "diary 1, sentence 1"),
        ("cake", "diary 1, sentence 1"),
        ("PersonX eats the cake", "diary 1, sentence 2"),
        ("PersonX sleeps", "diary 1, sentence 3"),
    ]
    repeats = [r for r in found if isinstance(r, Rejection) and r.reason == "duplicate_head"]
    assert [repeat.head for repeat in repeats] == ["cake", "PersonX bakes a cake", "cake"]
    assert found == list(extract_heads(texts, nlp=nlp, config=CONFIG, source="diary"))


def test_the_limit_counts_heads(nlp: Any) -> None:
    found = extract_heads(["Tom baked a cake. Anna slept."], nlp=nlp, config=SeedsConfig(limit=2))
    assert [head.text for head in found if isinstance(head, Head)] == [
        "PersonX bakes a cake",
        "cake",
    ]


def test_a_head_over_the_length_limit_is_dropped_with_its_reason(nlp: Any) -> None:
    config = SeedsConfig(max_head_characters=10)
    found = list(extract_heads(["Tom baked a cake."], nlp=nlp, config=config))
    assert [r.reason for r in found if isinstance(r, Rejection)] == ["too_long"]
    assert [h.kind for h in found if isinstance(h, Head)] == [HeadKind.CONCEPT]


@pytest.mark.parametrize("text", ["Tom ran.\x00", "Tom\x1b[0m ran.", "Tom \u202e ran."])
def test_control_characters_are_refused_before_the_model_is_loaded(text: str) -> None:
    with pytest.raises(SeedError, match=r"text 1 holds the control character"):
        list(extract_heads([text], config=CONFIG))


def test_an_endless_paragraph_is_refused_before_the_model_is_loaded() -> None:
    with pytest.raises(SeedError, match="put blank lines between paragraphs"):
        list(extract_heads(["Tom ran. " * 20_000], config=CONFIG))


@pytest.mark.parametrize("texts", [[], [""], [" \n\n "]])
def test_no_text_is_an_error(texts: list[str]) -> None:
    with pytest.raises(SeedError, match="There is no text"):
        list(extract_heads(texts, config=CONFIG))


def test_importing_the_room_does_not_import_spacy() -> None:
    code = "import kgbuild.seeds, sys; sys.exit('spacy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
