from __future__ import annotations

import random

import pyarrow as pa
import pytest

from kgbuild.core import phrases
from kgbuild.core.ids import phrase_id
from kgbuild.core.phrases import ENDS, PhraseSpill
from kgbuild.core.records import Edge
from kgbuild.core.shards import to_table
from kgbuild.store.batches import phrase_table
from tests.corpus.conftest import make_edge

WORDS = ["rain", "Rain", "PersonX sings", "personx sings.", "a cake", "to sing", "🎂"]


def random_edges(count: int, seed: int) -> list[Edge]:
    chance = random.Random(seed)
    texts = [*WORDS, *(f"thing {number}" for number in range(60))]
    return [make_edge(chance.choice(texts), "xWant", chance.choice(texts)) for _ in range(count)]


def spill(tables: list[pa.Table]) -> list[dict[str, str]]:
    with PhraseSpill() as waiting:
        for table in tables:
            waiting.add(table)
        return [row for table in waiting.tables() for row in table.to_pylist()]


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize("rows_at_once", [1, 100_000])
def test_the_phrases_are_those_of_a_store_however_the_edges_are_cut(
    size: int, rows_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spelling of the first edge, kind of any that it heads, ordered by id."""
    monkeypatch.setattr(phrases, "_ROWS_AT_ONCE", rows_at_once)
    for seed in range(5):
        table = to_table(random_edges(100, seed), Edge)
        parts = [table.select(ENDS).slice(start, size) for start in range(0, 100, size)]
        assert spill(parts) == phrase_table(table).to_pylist()


def test_a_head_that_follows_itself_is_told_once_and_keeps_its_first_spelling() -> None:
    edges = [make_edge("Rain", "xWant", "a"), make_edge("rain", "xWant", "b")]
    found = {row["id"]: row for row in spill([to_table(edges, Edge)])}
    assert found[phrase_id("rain")] == {"id": phrase_id("rain"), "text": "Rain", "kind": "event"}
    assert len(found) == 3


def test_no_edges_are_no_phrases() -> None:
    assert spill([]) == []
    assert spill([to_table([], Edge)]) == []
