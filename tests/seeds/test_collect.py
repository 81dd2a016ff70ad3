from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgbuild.core.config import SeedsConfig
from kgbuild.core.errors import SeedError
from kgbuild.core.ids import canonical
from kgbuild.core.records import Head, HeadKind, Rejection
from kgbuild.seeds import collect_heads
from kgbuild.seeds.collect import check_text

CONFIG = SeedsConfig()


def write(tmp_path: Path, name: str, content: str) -> Path:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return path


def test_heads_come_in_file_order_with_their_place(tmp_path: Path) -> None:
    first = write(tmp_path, "a.tsv", "head\tkind\trelations\nlamp\tconcept\tIsA,UsedFor\n")
    second = write(tmp_path, "b.txt", "PersonX naps\n")
    found = list(collect_heads([first, str(second)], config=CONFIG))
    assert found == [
        Head.of("lamp", HeadKind.CONCEPT, source=f"{first}:2", relations=("IsA", "UsedFor")),
        Head.of("PersonX naps", HeadKind.EVENT, source=f"{second}:1"),
    ]


def test_a_head_is_canonical_and_its_repeat_is_reported(tmp_path: Path) -> None:
    path = write(tmp_path, "s.txt", "personx  bakes a cake.\nPersonX Bakes a cake\nlamp\n")
    first, repeat, lamp = collect_heads([path], config=CONFIG)
    assert isinstance(first, Head)
    assert isinstance(lamp, Head)
    assert first.text == "PersonX bakes a cake"
    assert repeat == Rejection(
        stage="seeds",
        reason="duplicate_head",
        detail=f"{path}:2 repeats {path}:1",
        head="PersonX Bakes a cake",
    )


def test_a_repeat_with_relations_says_that_they_were_not_added(tmp_path: Path) -> None:
    path = write(tmp_path, "s.tsv", "head\trelations\nlamp\tIsA\nlamp\tUsedFor\n")
    _, repeat = collect_heads([path], config=CONFIG)
    assert isinstance(repeat, Rejection)
    assert "relations were not added" in repeat.detail


def test_the_kind_comes_from_the_row_then_the_file_name_then_a_guess(tmp_path: Path) -> None:
    rows = "head\tkind\nlamp\tevent\nbake a cake\t\n"
    named = collect_heads([write(tmp_path, "concepts.tsv", rows)], config=CONFIG)
    assert [head.kind for head in named if isinstance(head, Head)] == ["event", "concept"]
    plain = collect_heads([write(tmp_path, "plain.tsv", rows)], config=CONFIG)
    assert [head.kind for head in plain if isinstance(head, Head)] == ["event", "event"]


def test_the_limit_counts_heads_not_repeats(tmp_path: Path) -> None:
    path = write(tmp_path, "s.txt", "a1\na1\nb2\nc3\n")
    found = list(collect_heads([path], config=SeedsConfig(limit=2)))
    assert [head.text for head in found if isinstance(head, Head)] == ["a1", "b2"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"holds no heads"),
        ("head\tkind\n", r"holds no heads"),
        ("\n\n# only a comment\n", r"holds no heads"),
        (f"head\nlamp\n{'x' * 10_000}\n", r"s\.txt:3: the head has 10,000 .* at most 200"),
        ("head\nla\x07mp\n", r"s\.txt:2 holds the control character U\+0007 at position 3"),
        ("head\nla\u202emp\n", r"U\+202E"),
        ("head\nlamp\n...\n", r"s\.txt:3: the head '\.\.\.' has no letter"),
        ("head\tkind\n\tevent\n", r"s\.txt:2: the head '' has no letter"),
        ("head\tkind\nlamp\tconcpet\n", r"s\.txt:2: kind 'concpet' .*; did you mean concept\?"),
        ('{"head": "la\\ud800mp"}\n', r"U\+D800"),
    ],
)
def test_a_broken_head_names_place_rule_and_way_out(
    tmp_path: Path, content: str, message: str
) -> None:
    with pytest.raises(SeedError, match=message) as caught:
        list(collect_heads([write(tmp_path, "s.txt", content)], config=CONFIG))
    assert "\n" not in str(caught.value)
    assert str(caught.value).isprintable()


def test_an_empty_file_among_full_ones_is_an_error_too(tmp_path: Path) -> None:
    full, empty = write(tmp_path, "a.txt", "lamp\n"), write(tmp_path, "b.txt", "")
    with pytest.raises(SeedError, match=r"b\.txt holds no heads"):
        list(collect_heads([full, empty], config=CONFIG))


def test_no_file_is_an_error() -> None:
    with pytest.raises(SeedError, match="--seeds FILE"):
        list(collect_heads([], config=CONFIG))


@given(st.text(max_size=30))
def test_a_head_that_passes_is_canonical_and_printable(text: str) -> None:
    try:
        checked = check_text(text, source="s:1", limit=200)
    except SeedError:
        return
    assert checked == canonical(checked)
    assert "\n" not in checked
    checked.encode("utf-8")
