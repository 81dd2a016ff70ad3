from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from kgbuild.core.config import CorpusConfig
from kgbuild.core.errors import ConfigError, StoreError
from kgbuild.core.records import Edge, Split
from kgbuild.corpus import export_rows
from kgbuild.corpus.ordering import row_key, sort_rows


def test_the_order_of_the_store_does_not_change_the_corpus(edges: list[Edge]) -> None:
    expected = list(export_rows(edges, config=CorpusConfig()))
    shuffled = list(edges)
    random.Random(3).shuffle(shuffled)
    assert list(export_rows(shuffled, config=CorpusConfig())) == expected


def test_a_head_never_changes_split_when_heads_are_added(edges: list[Edge]) -> None:
    few = {row.head: row.split for row in export_rows(edges[:20], config=CorpusConfig())}
    many = {row.head: row.split for row in export_rows(edges, config=CorpusConfig())}
    assert {head: many[head] for head in few} == few
    assert set(many.values()) == set(Split)


@pytest.mark.parametrize("chunk_rows", [1, 7, 79, 80, 81])
def test_a_corpus_larger_than_a_chunk_is_sorted_the_same(
    edges: list[Edge], chunk_rows: int
) -> None:
    rows = list(export_rows(edges, config=CorpusConfig()))
    shuffled = list(rows)
    random.Random(5).shuffle(shuffled)
    assert list(sort_rows(shuffled, chunk_rows=chunk_rows)) == sorted(rows, key=row_key)


def test_bad_shares_are_refused_before_the_store_is_read() -> None:
    with pytest.raises(ConfigError):
        export_rows(iter(()), config=CorpusConfig(dev=0.6, test=0.6))


def test_a_number_that_is_not_finite_is_refused_by_name(make_edge: Callable[..., Edge]) -> None:
    edge = make_edge("PersonX sings", "xReact", "happy", probability=float("nan"))
    with pytest.raises(StoreError, match="'PersonX sings' xReact 'happy' has probability=nan"):
        list(export_rows([edge], config=CorpusConfig()))
