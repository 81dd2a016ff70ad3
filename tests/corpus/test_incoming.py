from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from kgbuild.core.config import CorpusConfig
from kgbuild.core.errors import KgbuildError
from kgbuild.core.ids import canonical, triple_id
from kgbuild.core.records import Edge, Label, Rejection
from kgbuild.core.relations import load_relations
from kgbuild.corpus import export_rows, write_corpus
from kgbuild.corpus.incoming import IncomingRow, read_incoming

RELATIONS = load_relations(["atomic2020.en", "generics.en"])


def read(path: Path, *, skip_unknown: bool = False) -> list[IncomingRow]:
    rows = read_incoming(path, relations=RELATIONS, skip_unknown=skip_unknown)
    return [row for row in rows if isinstance(row, IncomingRow)]


@pytest.mark.parametrize("format", ["tsv", "jsonl", "conceptnet", "review"])
def test_an_export_is_read_back(hostile_edges: list[Edge], format: str, tmp_path: Path) -> None:
    rows = list(export_rows(hostile_edges, config=CorpusConfig()))
    # The sheet and ConceptNet's dump both call themselves .csv.
    out = tmp_path / ("a.csv" if format in ("review", "conceptnet") else f"a.{format}")
    write_corpus(rows, format=format, out=out)
    read_back = read(out)
    assert [(row.head, row.relation, row.tail) for row in read_back] == [
        (canonical(row.head), row.relation, canonical(row.tail)) for row in rows
    ]
    assert [row.triple_id for row in read_back] == [row.triple_id for row in rows]
    # A space for a line end is no change of a triple's text.
    assert [triple_id(row.head, row.relation, row.tail) for row in read_back] == [
        row.triple_id for row in rows
    ]
    assert {row.accept for row in read_back} == {None}
    assert {row.is_reviewed for row in read_back} == {format == "review"}


def test_atomics_own_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "train.tsv"
    path.write_text(
        "PersonX bakes a cake\txReact\tproud\nPersonX bakes a cake\txWant\tnone\n"
        "a \\n backslash\tAtLocation\tkitchen\n"
    )
    rows = list(read_incoming(path, relations=RELATIONS))
    assert [row.tail for row in rows if isinstance(row, IncomingRow)] == ["proud", "kitchen"]
    [dropped] = [row for row in rows if isinstance(row, Rejection)]
    assert (dropped.reason, dropped.detail) == ("none_tail", f"{path}:2")
    assert rows[-1].head == "a \\n backslash"


def test_a_sheet_of_any_spreadsheet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "review.csv"
    path.write_bytes(
        b"\xef\xbb\xbfhead;relation;tail;accept;comment\r\n"
        b'PersonX bakes a cake;xReact;"proud; or so";No;"two ""things""\r\nin one"\r\n'
        b"PersonX bakes a cake;xWant;'=to eat it;YES;\r\n"
        b"PersonX bakes a cake;xWant;'tis AC\\DC;farfetched;\r\n"
    )
    rows = read(path)
    assert [row.tail for row in rows] == ["proud; or so", "=to eat it", "'tis AC\\DC"]
    assert [row.accept for row in rows] == [Label.INVALID, Label.LIKELY, Label.FARFETCHED]
    assert rows[0].comment == 'two "things"\r\nin one'
    assert rows[2].where == f"{path}:5"


def test_json_lines_take_booleans_and_words(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"head": "owl", "relation": "IsA", "tail": "bird", "accept": true}\n\n'
        '{"head": "owl", "relation": "IsA", "tail": "stone", "accept": false, "comment": "no"}\n'
        '{"head": "owl", "relation": "IsA", "tail": "animal", "accept": null}\n'
    )
    assert [row.accept for row in read(path)] == [Label.LIKELY, Label.INVALID, None]


def test_rows_that_are_left_out_are_told(tmp_path: Path) -> None:
    path = tmp_path / "assertions.csv"
    path.write_text(
        "/a/[x]\t/r/IsA\t/c/de/eule\t/c/de/vogel\t{}\n"
        "/a/[x]\t/r/RelatedTo\t/c/en/owl\t/c/en/night\t{}\n"
        "/a/[x]\t/r/IsA\t/c/en/owl\t/c/en/bird\t{}\n"
    )
    rows = list(read_incoming(path, relations=RELATIONS, skip_unknown=True))
    assert [row.reason for row in rows if isinstance(row, Rejection)] == [
        "other_language",
        "unknown_relation",
    ]
    assert len(rows) == 3


@pytest.mark.parametrize("is_packed", [False, True])
def test_a_fourth_cell_is_the_weight_and_the_relation_may_stand_first(
    is_packed: bool, tmp_path: Path
) -> None:
    first = "ReceivesAction\tbread\tcut\t1.0\nIsA\towl\tbird\t3.25\nIsA\tIsA\tword\t-1\n"
    second = "bread\tReceivesAction\tcut\t1.0\nowl\tIsA\tbird\t3.25\nIsA\tIsA\tword\t-1\n"
    for text in (first, second):
        path = tmp_path / "weighed"
        path.write_bytes(gzip.compress(text.encode()) if is_packed else text.encode())
        rows = read(path, skip_unknown=True)
        assert [(row.head, row.relation, row.tail, row.weight) for row in rows] == [
            ("owl", "IsA", "bird", 3.25),
            ("IsA", "IsA", "word", -1.0),
        ]


HEADER = b"head\trelation\ttail\taccept\tcomment\n"
GOOD = b"owl\tIsA\tbird\t\t\n"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.tsv", b"", "holds no triple"),
        ("a.tsv", HEADER, "holds no triple"),
        ("a.tsv", HEADER + GOOD + b"owl\tIsA\tb\x00ird\t\t\n", r"a\.tsv:3 holds a NUL"),
        ("a.tsv", HEADER + b"owl\tIsA\t\xff\t\t\n", r"a\.tsv:2 is not UTF-8"),
        ("a.tsv", "head\trelation\ttail\n".encode("utf-16"), r"a\.tsv:1 "),
        ("a.tsv", HEADER + b"owl\tIsA\tbird\n", r"a\.tsv:2 has 3 cells where 5 belong"),
        ("a.tsv", HEADER + b"owl\tIsAn\tbird\t\t\n", r"a\.tsv:2: .*'IsAn'.*did you mean IsA\?"),
        ("a.tsv", HEADER + b"\tIsA\tbird\t\t\n", r"a\.tsv:2 has no head"),
        ("a.tsv", HEADER + b"owl\tIsA\t\\q\t\t\n", r"a\.tsv:2: tail: .*no escape"),
        ("a.tsv", HEADER + b"owl\tIsA\tb\\u0007\t\t\n", r"a\.tsv:2: tail holds a control"),
        ("a.tsv", HEADER + b"owl\tIsA\tbird\tyess\t\n", r"a\.tsv:2: accept .*did you mean yes"),
        ("a.tsv", HEADER + b"o" * 1001 + b"\tIsA\tbird\t\t\n", r"a\.tsv:2: head has 1,001"),
        ("a.tsv", b"x" * 2_000_000, r"a\.tsv:1 is longer than 1 MiB"),
        ("a.tsv", b"head\trelation\ttail\tacept\n", "unknown column 'acept'; did you mean accept"),
        ("a.tsv", b"head\trelation\ttial\n", r"a\.tsv:1 has the columns .*must name head"),
        ("a.tsv", b"head\trelation\ttail\ttail\n", "column tail twice"),
        ("a.tsv", b"head\trelation\ttail\tprobability\nowl\tIsA\tbird\t1.5\n", "from 0 to 1"),
        ("a.tsv", b"head\trelation\ttail\tprobability\nowl\tIsA\tbird\tnan\n", "from 0 to 1"),
        ("a.tsv", b"owl\tIsA\tbird\tand more\n", "must name head, relation, tail"),
        ("a.tsv", b"owl\tIsA\tbird\nowl\tIsA\n", r"a\.tsv:2 has 2 cells"),
        ("a.csv", b'head,relation,tail\nowl,IsA,"bird\n', r"a\.csv:2 is no row"),
        ("a.csv", b'head,relation,tail\nowl,IsA,b"i"rd\n"x"y,IsA,z\n', r"a\.csv:3 is no row"),
        ("a.csv", b'head,relation,tail\nowl,IsA,"' + b"x\n" * 200_000, "field larger"),
        ("a.csv", b"kopf,beziehung\n", "must name head"),
        ("a.jsonl", b"{\n", r"a\.jsonl:1 is no triple"),
        ("a.jsonl", b'{"head": "owl"}\n[1]\n', "has no relation"),
        ("a.jsonl", b'{"haed": "owl"}\n', "unknown key 'haed'; did you mean head"),
        ("a.jsonl", b'{"head": 3, "relation": "IsA", "tail": "x"}\n', "which is no text"),
        ("a.jsonl", b'{"head": "\\ud800", "relation": "IsA", "tail": "x"}\n', "no text"),
        ("a.jsonl", b'{"head": ' + b"[" * 100_000 + b"\n", r"a\.jsonl:1 is no triple"),
        ("a.jsonl", b'{"head":"a","relation":"IsA","tail":"b","probability":true}\n', "0 to 1"),
        ("a.tsv", b"owl\tIsA\tbird\tnan\n", "weight 'nan' is no number"),
        ("a.jsonl", b'{"head":"a","relation":"IsA","tail":"b","weight":[]}\n', "is no number"),
        ("a.gz", gzip.compress(GOOD * 50)[:-9], r"a\.gz:51 is a broken or cut-off gzip file"),
        ("a.gz", b"\x1f\x8bnot at all", r"a\.gz:1 is a broken or cut-off gzip file"),
        ("a.gz", gzip.compress(b"x" * 2_000_000), r"a\.gz:1 is longer than 1 MiB"),
        ("a.csv", b"/a/[x]\t/r/IsA\tc/en/owl\t/c/en/bird\t{}\n", r"a\.csv:1 is no triple: .*URI"),
    ],
)
def test_a_bad_file_is_one_paragraph_with_file_and_line(
    name: str, content: bytes, message: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(KgbuildError, match=message) as raised:
        read(path)
    assert str(raised.value).count("\n") == 0
    assert str(path) in str(raised.value)


def test_a_missing_file_or_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KgbuildError, match="does not exist"):
        read(tmp_path / "a.tsv")
    with pytest.raises(KgbuildError, match="did you mean jsonl"):
        list(read_incoming(tmp_path / "a", relations=RELATIONS, format="json"))
