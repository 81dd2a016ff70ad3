from __future__ import annotations

from pathlib import Path

import pytest

from kgbuild.core.errors import KgbuildError
from kgbuild.core.relations import RelationSet
from kgbuild.critic import Candidate, read_candidates

GOOD = Candidate("PersonX runs", "xReact", "tired")


def read(path: Path, text: str, relations: RelationSet, **options: bool) -> list[Candidate | None]:
    path.write_text(text, encoding="utf-8")
    return list(read_candidates(path, relations=relations, **options))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.tsv", "head\trelation\ttail\nPersonX runs\txReact\ttired\n"),
        ("c.tsv", "\ufeffid\tTail\trelation\thead\n1\ttired\txReact\tPersonX runs\n"),
        ("c.jsonl", '{"head": "personx  runs", "relation": "xReact", "tail": "tired."}\n'),
        ("c.jsonl", '{"Head": "PersonX runs", "RELATION": "xReact", " tail": "tired"}\r\n'),
        ("c.txt", '\n{"head": "PersonX runs", "relation": "xReact", "tail": "tired", "n": 1}'),
    ],
)
def test_tsv_and_json_lines_give_the_same_candidate(
    name: str, text: str, tmp_path: Path, relations: RelationSet
) -> None:
    assert read(tmp_path / name, text, relations) == [GOOD]


def test_unknown_relations_are_skipped_only_when_asked(
    tmp_path: Path, relations: RelationSet
) -> None:
    text = "head\trelation\ttail\na\txReactt\tb\nPersonX runs\txReact\ttired\n"
    with pytest.raises(KgbuildError, match=r"c\.tsv:2.*did you mean xReact"):
        read(tmp_path / "c.tsv", text, relations)
    assert read(tmp_path / "c.tsv", text, relations, skip_unknown=True) == [None, GOOD]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("head\ttail\na\tb\n", "no header"),
        ("head\trelation\ttail\ttail\n", "no header"),
        ("head\trelation\ttail\na\txReact\n", ":2 has 2 cells"),
        ("head\trelation\ttail\n \txReact\tb\n", ":2 has no head"),
        ("head\trelation\ttail\na\txReact\t" + "b" * 10_000, ":2: tail has 10,000"),
        ("head\trelation\ttail\na\x07\txReact\tb\n", ":2: head holds a control"),
        ('{"head": "a", "Head": "c", "relation": "xReact", "tail": "b"}\n', ":1 gives a key twice"),
        ('{"head": 3, "relation": "xReact", "tail": "b"}\n', ":1 has no head"),
        ('{"head": "\\ud800", "relation": "xReact", "tail": "b"}\n', "control"),
        ('{"head": "a", "relation": "xReact", "tail": "b"}\n{"head"', ":2 is not JSON"),
    ],
)
def test_a_bad_file_is_named_with_its_line(
    text: str, message: str, tmp_path: Path, relations: RelationSet
) -> None:
    with pytest.raises(KgbuildError, match=message):
        read(tmp_path / "c.tsv", text, relations)
