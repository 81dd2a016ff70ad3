"""An encoder without weights, and the made run as an open graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from kgbuild.core.records import Edge
from kgbuild.query import Graph, open_graph
from kgbuild.store.memory import MemoryStore

_WORDS = ("bake", "cake", "bus", "miss", "proud", "tired", "kitchen", "eat", "run")


class WordEncoder:
    """Puts a text where its known words are, and counts the texts."""

    key = "words"

    def __init__(self) -> None:
        self.encoded = 0

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.encoded += len(texts)
        rows = [[1.0 if word[:3] in text else 0.01 for word in _WORDS] for text in texts]
        vectors = np.array(rows, dtype=np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def encoder() -> WordEncoder:
    return WordEncoder()


@pytest.fixture(params=["run", "memory"])
def graph(
    request: pytest.FixtureRequest, made_run: Path, made_edges: list[Edge]
) -> Iterator[Graph]:
    """Every promise holds for a run in ladybug and for a bare store in memory."""
    if request.param == "run":
        with open_graph(made_run) as opened:
            yield opened
        return
    store = MemoryStore(relations={edge.relation for edge in made_edges})
    store.load_edges(made_edges)
    with Graph(store) as opened:
        yield opened
