from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgbuild.core.config import CorpusConfig
from kgbuild.core.errors import ConfigError
from kgbuild.core.records import CorpusRow, Edge
from kgbuild.corpus import FORMATS, export_rows, read_corpus, write_corpus, writers
from kgbuild.corpus.lines import TSV_COLUMNS, json_line, tsv_line

READABLE = ("tsv", "jsonl", "parquet", "hf")
OF_ROWS = tuple(name for name, entry in FORMATS.items() if entry.reads == "rows")
NAMES = {name: entry.example.strip("/") for name, entry in FORMATS.items()}


@pytest.fixture
def rows(edges: list[Edge]) -> list[CorpusRow]:
    return list(export_rows(edges, config=CorpusConfig()))


def files_of(path: Path) -> dict[str, bytes]:
    if path.is_file():
        return {"": path.read_bytes()}
    return {
        str(file.relative_to(path)): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.is_file()
    }


@pytest.mark.parametrize("format", READABLE)
def test_what_is_written_is_read_back(rows: list[CorpusRow], format: str, tmp_path: Path) -> None:
    out = tmp_path / NAMES[format]
    assert write_corpus(rows, format=format, out=out) == len(rows)
    read = list(read_corpus(out))
    assert sorted(read, key=lambda row: row.triple_id) == sorted(
        rows, key=lambda row: row.triple_id
    )
    if format != "hf":
        assert read == rows


@pytest.mark.parametrize("format", OF_ROWS)
def test_a_repeated_export_is_byte_identical(
    rows: list[CorpusRow], format: str, tmp_path: Path
) -> None:
    out = tmp_path / NAMES[format]
    write_corpus(rows, format=format, out=out)
    first = files_of(out)
    write_corpus(rows, format=format, out=out)
    assert files_of(out) == first
    # Nothing but the corpus stays behind.
    assert [path.name for path in tmp_path.iterdir()] == [NAMES[format]]


@pytest.mark.parametrize("format", OF_ROWS)
def test_a_failed_export_leaves_the_earlier_one(
    rows: list[CorpusRow], format: str, tmp_path: Path
) -> None:
    out = tmp_path / NAMES[format]
    write_corpus(rows, format=format, out=out)
    before = files_of(out)

    def broken() -> Iterator[CorpusRow]:
        yield rows[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_corpus(broken(), format=format, out=out)
    assert files_of(out) == before
    assert [path.name for path in tmp_path.iterdir()] == [NAMES[format]]


@pytest.mark.parametrize("format", READABLE)
def test_an_empty_graph_is_an_empty_corpus(format: str, tmp_path: Path) -> None:
    out = tmp_path / NAMES[format]
    assert write_corpus([], format=format, out=out) == 0
    assert list(read_corpus(out)) == []


@given(text=st.text())
def test_any_text_stays_on_its_line(text: str) -> None:
    row = CorpusRow(
        triple_id="t",
        head=text,
        relation="xWant",
        tail=text[::-1],
        kind="event",
        polarity="positive",
        sentence=text,
        probability=0.5,
        log_probability=-1.0,
        mean_log_probability=-0.5,
        teacher="m",
        source="teacher",
        run="r",
        split="train",
    )
    line = tsv_line(row)
    assert len(line.splitlines()) == 1
    assert line.count("\t") == len(TSV_COLUMNS) - 1
    assert len(json_line(row).splitlines()) == 1
    assert json.loads(json_line(row))["head"] == text


def test_hostile_text_survives_tsv(make_edge: Callable[..., Edge], tmp_path: Path) -> None:
    tail = 'a\tb\nc\r\\t "quoted \x85 \u2028 \x00 =cmd()'
    rows = list(export_rows([make_edge("PersonX types", "xWant", tail)], config=CorpusConfig()))
    write_corpus(rows, format="tsv", out=tmp_path / "a.tsv")
    assert list(read_corpus(tmp_path / "a.tsv")) == rows


def test_tsv_begins_with_atomics_three_columns(rows: list[CorpusRow], tmp_path: Path) -> None:
    write_corpus(rows[:1], format="tsv", out=tmp_path / "a.tsv")
    text = (tmp_path / "a.tsv").read_text(encoding="utf-8")
    header, first = csv.reader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)
    assert header[:3] == ["head", "relation", "tail"]
    assert first[:3] == [rows[0].head, rows[0].relation, rows[0].tail]
    promised = {"probability", "log_probability", "teacher", "split"}
    assert promised <= set(header)


@pytest.mark.parametrize("format", OF_ROWS)
def test_memory_does_not_grow_with_the_rows(
    rows: list[CorpusRow],
    format: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            stream = (rows[number % len(rows)] for number in range(count))
            write_corpus(stream, format=format, out=tmp_path / NAMES[format])
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    monkeypatch.setattr(writers, "_BATCH_ROWS", 256)
    peak(10)
    small, large = peak(600), peak(2400)
    assert large < small * 1.3 + 100_000


def test_an_unknown_format_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean jsonl"):
        write_corpus([], format="json", out=tmp_path / "a")
    with pytest.raises(ConfigError, match="made of edges"):
        write_corpus([], format="graphml", out=tmp_path / "a")
