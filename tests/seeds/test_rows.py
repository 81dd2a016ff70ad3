from __future__ import annotations

from pathlib import Path

import pytest

from kgbuild.core.errors import SeedError
from kgbuild.seeds.rows import SeedRow, read_rows

EXPECTED = [("PersonX bakes a cake", "event", ("xNeed", "xWant")), ("umbrella", "", ())]
TSV = "head\tkind\trelations\nPersonX bakes a cake\tevent\txNeed, xWant\n\numbrella\n"
CSV = 'head,kind,relations\nPersonX bakes a cake,event,"xNeed,xWant"\numbrella,,\n'
JSONL = (
    '{"head": "PersonX bakes a cake", "kind": "event", "relations": ["xNeed", "xWant"]}\n'
    '\n{"head": "umbrella"}\n'
)


def read(tmp_path: Path, name: str, content: str | bytes) -> list[SeedRow]:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_rows(path))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("s.tsv", TSV),
        ("s.csv", CSV),
        ("s.jsonl", JSONL),
        ("s.ndjson", JSONL),
        ("s.txt", TSV),
        ("s.txt", CSV),
        ("s.txt", JSONL),
        ("seeds", TSV),
        ("s.tsv", "\ufeff" + TSV),
        ("s.tsv", TSV.replace("\n", "\r\n")),
        ("s.csv", CSV.replace("\n", "\r\n")),
        ("s.json", JSONL),
        ("s.jsonl", JSONL.replace('"head"', '"Head"').replace('"kind"', '"Kind "')),
        ("s.TSV", TSV.replace("head\tkind", "Head\t Kind")),
    ],
)
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str, content: str) -> None:
    rows = read(tmp_path, name, content)
    assert [(row.head, row.kind, row.relations) for row in rows] == EXPECTED


def test_plain_text_is_one_head_a_line_with_comments_and_blank_lines_left_out(
    tmp_path: Path,
) -> None:
    rows = read(tmp_path, "s.txt", "# mine\numbrella\n\nPersonX, tired, naps\n")
    assert [row.head for row in rows] == ["umbrella", "PersonX, tired, naps"]
    assert [row.source.rsplit(":", 1)[1] for row in rows] == ["2", "4"]


def test_a_quotation_mark_is_an_ordinary_character_in_tsv(tmp_path: Path) -> None:
    rows = read(tmp_path, "s.tsv", 'head\n"oops PersonX says\numbrella\n')
    assert [row.head for row in rows] == ['"oops PersonX says', "umbrella"]


def test_extra_columns_are_allowed(tmp_path: Path) -> None:
    assert read(tmp_path, "s.tsv", "topic\thead\nhome\tlamp\n")[0].head == "lamp"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("s.tsv", "heads\ttopic\nlamp\tx\n", r"s\.tsv:1 .*'topic' but .*'heads' looks like it"),
        ("s.tsv", "PersonX bakes a cake\n", r"'head' is needed.*one head a line into a \.txt file"),
        ("s.tsv", "head\tkindd\nlamp\tevent\n", r"'kindd' is not known; did you mean kind\?"),
        ("s.tsv", "head\trelation\nlamp\tIsA\n", r"did you mean relations\?"),
        ("s.tsv", "head\thead\nlamp\tlamp\n", r"names the column 'head' twice"),
        ("s.tsv", "head\nlamp\tevent\n", r"s\.tsv:2 has 2 cells but the header names 1"),
        ("s.csv", 'head,kind\n"lamp,event\n', r"s\.csv:\d is not CSV"),
        ("s.jsonl", '{"head": "lamp"}\n{"head": \n', r"s\.jsonl:2 is not JSON"),
        ("s.json", '[{"head": "lamp"}]\n', r"s\.json:1 holds a list, not an object"),
        ("seeds", '[{"head": "lamp"},\n{"head": "cup"}]\n', r"seeds:1 is not JSON"),
        ("s.jsonl", '{"head": "lamp", "Head": "cup"}\n', r"names the column 'head' twice"),
        ("s.jsonl", '["lamp"]\n', r"s\.jsonl:1 holds a list, not an object"),
        ("s.jsonl", '{"text": "lamp"}\n', r"the columns 'text' but 'head' is needed"),
        ("s.jsonl", '{"head": 3}\n', r"head is a number, not a string"),
        ("s.jsonl", '{"head": null}\n', r"head is missing, not a string"),
        ("s.jsonl", '{"head": "lamp", "kind": 1}\n', r"kind is a number"),
        ("s.jsonl", '{"head": "lamp", "relations": {"a": 1}}\n', r"relations is an object"),
        ("s.jsonl", '{"head": ' + "1" * 5_000 + "}", r"s\.jsonl:1 holds a number too long"),
        ("s.jsonl", '{"head": ' + "[" * 99_999, r"s\.jsonl:1 (nests too deeply|is not JSON)"),
        ("s.tsv", b"head\nlamp\ncaf\xe9\n", r"s\.tsv:3 is not UTF-8 \(byte 13 is 0xe9\)"),
        ("s.tsv", "head\nlamp\x00\n", r"s\.tsv:2 holds a NUL character"),
        ("s.tsv", "head\nlamp\n".encode("utf-16"), r"is not UTF-8"),
    ],
)
def test_a_broken_file_names_place_rule_and_way_out(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    with pytest.raises(SeedError, match=message) as caught:
        read(tmp_path, name, content)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_a_missing_file_and_a_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(SeedError, match="does not exist"):
        list(read_rows(tmp_path / "none.tsv"))
    with pytest.raises(SeedError, match="cannot be read"):
        list(read_rows(tmp_path))
