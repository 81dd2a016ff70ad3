from __future__ import annotations

import csv
from pathlib import Path

import polars
from hypothesis import given
from hypothesis import strategies as st

from kgbuild.core.config import CorpusConfig
from kgbuild.core.records import Edge
from kgbuild.corpus import export_rows, write_corpus
from kgbuild.corpus.lines import unescape
from kgbuild.corpus.sheet import SHEET_COLUMNS, guard, unguard

STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@given(st.text())
def test_a_guarded_cell_is_no_formula_and_comes_back(text: str) -> None:
    assert not guard(text).startswith(STARTS_A_FORMULA)
    assert unguard(guard(text)) == text


def test_no_text_cell_of_a_sheet_is_a_formula(hostile_edges: list[Edge], tmp_path: Path) -> None:
    rows = list(export_rows(hostile_edges, config=CorpusConfig()))
    out = tmp_path / "review.csv"
    assert write_corpus(rows, format="review", out=out) == len(rows)
    with out.open(encoding="utf-8-sig", newline="") as opened:
        cells = list(csv.DictReader(opened))
    for cell, row in zip(cells, rows, strict=True):
        texts = {name: text for name, text in cell.items() if "probability" not in name}
        assert not [text for text in texts.values() if text.startswith(STARTS_A_FORMULA)]
        assert unescape(unguard(cell["tail"])) == row.tail
        assert unescape(unguard(cell["head"])) == row.head
        assert (cell["accept"], cell["comment"]) == ("", "")


def test_a_spreadsheet_finds_utf8_and_the_columns_to_fill_first(
    edges: list[Edge], tmp_path: Path
) -> None:
    out = tmp_path / "review.csv"
    write_corpus(export_rows(edges, config=CorpusConfig()), format="review", out=out)
    assert out.read_bytes().startswith(b"\xef\xbb\xbfaccept,comment,head,relation,tail,sentence,")
    frame = polars.read_csv(out)
    assert tuple(frame.columns) == SHEET_COLUMNS
    assert frame.height == len(edges)
