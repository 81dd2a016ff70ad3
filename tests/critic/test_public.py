"""Public benchmarks: read as they are published, refused with file and line where they are not."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from kgbuild.core.errors import LabelError
from kgbuild.critic import BENCHMARKS, Candidate, PublicRow, draw_rows, find_benchmark, read_part

CKBP = BENCHMARKS["ckbp-v2"]
HEADER = "\t".join(
    ("id", "head", "relation", "tail", "class", "split", "label", "annotator1", "annotator2",
     "pseudoreasoner100", "pseudoreasoner101", "pseudoreasoner102")
)  # fmt: skip


def line(head: str, relation: str, tail: str, *, label: str = "1", score: str = "0.5") -> str:
    return "\t".join(("7", head, relation, tail, "adv", "tst", label, "1", "0", score, "0", "1"))


def write(path: Path, *lines: str) -> Path:
    data = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def test_a_triple_is_read_with_its_class_label_and_the_scores_of_others(tmp_path: Path) -> None:
    file = write(
        tmp_path / "tst_open.tsv.gz", HEADER,
        line("personx  sing", "xReact", "PersonX be tired", score="0.25"),
        line("PersonX sing", "HinderedBy", "PersonX be tired", label="0"),
    )  # fmt: skip
    (first, second), skipped = read_part(CKBP, file)
    assert first == PublicRow(
        unit="PersonX sing",
        shown=Candidate("PersonX sing", "xReact", "tired"),
        relation="xReact",
        tail="tired",
        group="adv",
        is_right=True,
        references=(1.0, 0.0, 0.25, 0.0, 1.0),
    )
    # An event's subject belongs to it.
    assert second.shown == Candidate("PersonX sing", "HinderedBy", "PersonX be tired")
    assert (second.is_right, skipped) == (False, {})


@pytest.mark.parametrize(
    ("relation", "tail", "read"),
    [
        ("xWant", "PersonX want to sleep", "sleep"),
        ("xWant", "PersonX sleep", "sleep"),
        ("xWant", "PersonY sleep", "PersonY sleep"),
        ("oWant", "PersonY applaud PersonX", "applaud PersonX"),
        ("oReact", "PeopleX feel sad", "sad"),
        ("xAttr", "PersonX be ", "PersonX be"),
        ("xReact", "PersonX become sad", "PersonX become sad"),
        ("xIntent", "a PersonX want to sleep", "a PersonX want to sleep"),
    ],
)
def test_a_tail_loses_the_subject_that_atomic_does_not_write(
    relation: str, tail: str, read: str, tmp_path: Path
) -> None:
    file = write(tmp_path / "dev.tsv", HEADER, line("PersonX sing", relation, tail))
    assert read_part(CKBP, file)[0][0].shown.tail == read


def test_relations_that_the_critic_cannot_say_are_counted_or_have_a_sentence(
    tmp_path: Path,
) -> None:
    v1 = BENCHMARKS["ckbp-v1"]
    file = write(
        tmp_path / "dev.tsv",
        "head\trelation\ttail\tlabel\tclass",
        "PersonX sing\tgeneral Effect\tit be {head} loud\t1\tadv",
        "PersonX sing\txReact\tPersonX be tired\t1\tadv",
        "PersonX sing\tgNoSuch\tit be loud\t1\tadv",
    )
    rows, skipped = read_part(v1, file, relations={"xReact"})
    assert [row.shown for row in rows] == [
        Candidate.sentence("PersonX sing. As a result, it be {head} loud."),
        Candidate("PersonX sing", "xReact", "tired"),
    ]
    assert rows[0].relation == "general Effect"
    assert skipped == {"gNoSuch": 1}
    with pytest.raises(LabelError, match=r"no row that can be judged.*gNoSuch"):
        read_part(CKBP, write(tmp_path / "a.tsv", HEADER, line("a", "gNoSuch", "b")), relations={})


def test_a_pair_is_two_rows_of_one_unit_and_the_label_names_the_wrong_one(tmp_path: Path) -> None:
    file = write(
        tmp_path / "dev.tsv", "id\tsent0\tsent1\tnonsense",
        "1\tHe drinks milk.\tHe drinks apple.\t1", "1\tHe drinks apple.\tHe drinks milk.\t0",
    )  # fmt: skip
    rows, _ = read_part(BENCHMARKS["comve"], file)
    assert [(row.shown.head, row.is_right) for row in rows] == [
        ("He drinks milk.", True),
        ("He drinks apple.", False),
        ("He drinks apple.", False),
        ("He drinks milk.", True),
    ]
    assert rows[0].unit == rows[1].unit != rows[2].unit == rows[3].unit


def test_a_sentence_that_holds_quotes_is_read_as_it_stands(tmp_path: Path) -> None:
    file = write(
        tmp_path / "dev.tsv", "ex_id\tsentence\tlabel\tentity\texplanation",
        'dev_0\t"Soup is "wet.\t1\tSoup\tit is', "dev_1\tAn owl barks.\t0\tOwl\t",
    )  # fmt: skip
    rows, _ = read_part(BENCHMARKS["creak"], file)
    assert [row.shown.head for row in rows] == ['"Soup is "wet.', "An owl barks."]
    assert [row.is_right for row in rows] == [True, False]
    assert [row.unit for row in rows] == ["Soup", "Owl"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((), "is empty"),
        (("head\trelation\ttail\tlabel",), ":1 is no header with .*class"),
        ((HEADER + "\tHEAD",), ":1 is no header"),
        ((HEADER, "a\tb"), ":2 has 2 cells"),
        ((HEADER, line("a", "xReact", "b"), line("", "xReact", "b")), ":3 has no head"),
        ((HEADER, line("a", "xReact", "b\x07")), ":2: tail holds a control"),
        ((HEADER, line("a", "xReact", "b" * 5_000)), ":2: tail has 5,000"),
        ((HEADER, line("a", "xReact", "b", label="maybe")), ":2: label is 'maybe'.*0"),
        ((HEADER, line("a", "xReact", "b", label="")), ":2: label is ''"),
        ((HEADER, line("a", "xReact", "b", score="nan")), ":2: pseudoreasoner100 is 'nan'"),
        ((HEADER, line("a", "xReact", "b", score="1e999")), ":2: pseudoreasoner100"),
        ((HEADER, line("a", "xReact", "b", score="high")), ":2: pseudoreasoner100 is 'high'"),
        ((HEADER,), "no row that can be judged"),
    ],
)
def test_a_file_that_breaks_a_rule_is_named_with_its_line(
    lines: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "dev.tsv"
    path.write_text("".join(f"{one}\n" for one in lines), encoding="utf-8")
    with pytest.raises(LabelError, match=message):
        read_part(CKBP, path)


def test_a_cut_off_gzip_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "dev.tsv.gz", HEADER, *[line(f"a{n}", "xReact", "b") for n in range(9)])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(LabelError, match="cut-off gzip"):
        read_part(CKBP, path)


def test_parts_are_found_by_name_and_never_outside_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "ckbp_v2"
    folder.mkdir()
    write(folder / "dev.tsv.gz", HEADER)
    test = write(folder / "tst_open.tsv", HEADER)
    write(tmp_path / "secret.tsv", HEADER)
    assert CKBP.find_folder(tmp_path) == CKBP.find_folder(folder) == folder
    assert CKBP.need_file(folder, "test_open") == test
    assert CKBP.find_fitting(folder, "test_open") == "dev"
    assert CKBP.find_fitting(folder, "dev") is None
    with pytest.raises(LabelError, match="did you mean test_open.*dev, test_open"):
        CKBP.need_file(folder, "test_opne")
    with pytest.raises(LabelError, match="has no part '../secret'"):
        CKBP.need_file(folder, "../secret")
    with pytest.raises(LabelError, match="is no folder"):
        CKBP.find_folder(tmp_path / "nowhere")


def test_an_unknown_benchmark_is_answered_with_the_known_ones() -> None:
    with pytest.raises(LabelError, match=r"did you mean ckbp-v2\?; known are ckbp-v2, ckbp-v1, c"):
        find_benchmark("ckbp_v2")


def test_a_limit_draws_whole_heads_of_all_of_the_file() -> None:
    rows = [
        PublicRow(
            unit=f"head {n // 4}",
            shown=Candidate(f"head {n // 4}", "xReact", str(n)),
            relation="xReact",
            tail=str(n),
            group="",
            is_right=True,
            references=(),
        )
        for n in range(400)
    ]
    drawn = draw_rows(rows, 37)
    assert len(drawn) == 40
    assert {row.unit for row in drawn} == {row.unit for row in draw_rows(rows[::-1], 37)}
    assert len(draw_rows(rows)) == len(rows)
    # The file's first tenth would be the heads 0 to 9.
    assert max(int(row.unit.split()[1]) for row in drawn) > 50
