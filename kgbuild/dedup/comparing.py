"""How near two tails are, and whether that makes them one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from kgbuild.core.config import DedupConfig
from kgbuild.core.ids import canonical, phrase_id
from kgbuild.dedup.embeddings import Encoder, Vectors
from kgbuild.dedup.wording import exchanged, find_conflict, read_wording

_SLACK = 1e-3  # Half precision; the exact rule is applied to what the search returns.


class Comparison(NamedTuple):
    """What was found about two tails, enough to show why they merge or not."""

    one: str
    other: str
    similarity: float
    word_similarity: float | None
    conflict: str
    is_same: bool


class TailComparer:
    """Compares tails by embeddings of their text and of their content words.

    The similarity of two tails is the larger cosine of the two: articles and auxiliaries then
    cost nothing, and a verb phrase said with more words still counts as a whole.

    Args:
        embeddings: Gives the vectors.
        config: From which similarity two tails are one.
    """

    def __init__(self, embeddings: Encoder, config: DedupConfig) -> None:
        self._embeddings = embeddings
        self._config = config
        self._vectors: dict[str, Vectors] = {}

    def learn(self, tails: Iterable[str]) -> None:
        """Embed some tails together and forget the ones before."""
        self._vectors = {}
        self._embed(text for tail in tails for text in _views(tail))

    def candidates(self, tails: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Give the places of all pairs of tails that may be near enough, later place first."""
        import faiss

        found: set[tuple[int, int]] = set()
        for view in range(2):
            vectors = np.stack([self._vectors[_views(tail)[view]] for tail in tails])
            index = faiss.IndexFlatIP(vectors.shape[1])
            index.add(vectors)
            limits, _, places = index.range_search(vectors, self._config.similarity - _SLACK)
            for later in range(len(tails)):
                near = places[limits[later] : limits[later + 1]]
                found.update((later, int(earlier)) for earlier in near if earlier < later)
        yield from sorted(found)

    def compare(self, pairs: Sequence[tuple[str, str]]) -> list[Comparison]:
        """Decide on each pair."""
        wordings = [(read_wording(one), read_wording(other)) for one, other in pairs]
        conflicts = [find_conflict(*both) for both in wordings]
        words = [exchanged(*both) for both in wordings]
        self._embed(view for pair in pairs for tail in pair for view in _views(tail))
        self._embed(
            word
            for both, conflict in zip(words, conflicts, strict=True)
            if all(both) and not conflict
            for word in both
        )
        found = []
        for (one, other), both, conflict in zip(pairs, words, conflicts, strict=True):
            similarity = self._similarity(one, other)
            has_words = all(both) and not conflict
            near = self._cosine(*both) if has_words else None
            is_near = near is None or near >= self._config.word_similarity
            is_same = not conflict and is_near and similarity >= self._config.similarity
            is_same = is_same or phrase_id(one) == phrase_id(other)
            found.append(Comparison(one, other, similarity, near, conflict, is_same))
        return found

    def _similarity(self, one: str, other: str) -> float:
        views = zip(_views(one), _views(other), strict=True)
        return max(self._cosine(left, right) for left, right in views)

    def _cosine(self, left: str, right: str) -> float:
        if left == right:
            return 1.0
        # Rounded, so that the batch a text was embedded in leaves no trace in what is written.
        return min(1.0, round(float(self._vectors[left] @ self._vectors[right]), 4))

    def _embed(self, texts: Iterable[str]) -> None:
        missing = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if not missing:
            return
        vectors = self._embeddings.encode(missing)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        self._vectors.update(zip(missing, vectors / np.maximum(lengths, 1e-12), strict=True))


def _views(tail: str) -> tuple[str, str]:
    return canonical(tail).casefold(), read_wording(tail).core
