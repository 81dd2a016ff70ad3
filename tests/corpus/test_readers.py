from __future__ import annotations

from pathlib import Path

import pytest

from kgbuild.core.config import CorpusConfig
from kgbuild.core.errors import FileError
from kgbuild.core.records import Edge
from kgbuild.corpus import export_rows, read_corpus, write_corpus
from kgbuild.corpus.lines import TSV_COLUMNS

HEADER = "\t".join(TSV_COLUMNS).encode() + b"\n"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.tsv", b"head\ttail\n", r"a\.tsv:1 is not the header"),
        ("a.tsv", HEADER + b"one\ttwo\n", r"a\.tsv:2 .* 2 columns"),
        ("a.tsv", HEADER + b"\t".join([b"\\q"] * 15) + b"\n", r"a\.tsv:2 .*no escape"),
        ("a.tsv", HEADER + b"\xff\xfe\n", r"a\.tsv:2 is not UTF-8"),
        ("a.tsv", HEADER + b"a" * 2_000_000, r"a\.tsv:2 is longer than 1 MiB"),
        ("a.jsonl", b"[1]\n", r"a\.jsonl:1 .*not a JSON object"),
        ("a.jsonl", b"{\n", r"a\.jsonl:1 is no corpus row"),
        ("a.jsonl", b"[" * 100_000 + b"\n", r"a\.jsonl:1 is no corpus row"),
        ("a.jsonl", b'{"head": "x", "evil": 1}\n', r"a\.jsonl:1 is no corpus row"),
        ("a.parquet", b"PAR1", "not a readable Parquet"),
        ("a.pkl", b"", "no ending that names a corpus format"),
    ],
)
def test_a_bad_file_is_refused_by_name_and_line(
    name: str, content: bytes, message: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError, match=message):
        list(read_corpus(tmp_path / name))


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="does not exist"):
        list(read_corpus(tmp_path / "a.tsv"))
    with pytest.raises(FileError, match="no corpus folder"):
        list(read_corpus(tmp_path))


def test_windows_line_ends_are_read(edges: list[Edge], tmp_path: Path) -> None:
    rows = list(export_rows(edges, config=CorpusConfig()))
    write_corpus(rows, format="tsv", out=tmp_path / "a.tsv")
    content = (tmp_path / "a.tsv").read_bytes().replace(b"\n", b"\r\n")
    (tmp_path / "a.tsv").write_bytes(content)
    assert list(read_corpus(tmp_path / "a.tsv")) == rows
