"""An encoder by hand: a tail's vector is the mean of its words' fixed random directions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pytest

from kgbuild.dedup.embeddings import Vectors


class WordEncoder:
    """Counts what it is asked; tails that share words are near."""

    key = "words"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked.extend(texts)
        rows = [
            sum((self._direction(word) for word in text.split()), np.zeros(64)) for text in texts
        ]
        vectors = np.array(rows, dtype=np.float32)
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)

    @staticmethod
    def _direction(word: str) -> np.ndarray:
        seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest())
        return np.random.default_rng(seed).normal(size=64)


@pytest.fixture
def encoder() -> WordEncoder:
    return WordEncoder()
