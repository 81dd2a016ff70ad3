"""Phrases by meaning: their embeddings beside the graph, computed once.

An index is two plain files in a folder named by their content, a Parquet table and an array, so
opening a stranger's run runs nothing. Similarity is exact.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from kgbuild.core.errors import FileError
from kgbuild.core.files import replacing
from kgbuild.core.ids import content_key
from kgbuild.core.resources import cache_folder
from kgbuild.query.results import SearchHit
from kgbuild.store import Phrase

Vectors = npt.NDArray[np.float32]

_SCHEMA = pa.schema([(name, pa.string()) for name in ("id", "text", "kind")])
_BATCH = 4096
_PERSON = re.compile(r"\bPerson([XYZ])\b")
_PEOPLE = {"X": "someone", "Y": "another person", "Z": "a third person"}


class Encoder(Protocol):
    """Turns texts into vectors of length one."""

    @property
    def key(self) -> str:
        """Names the encoder's weights."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Give one row a text."""


def plain_words(text: str) -> str:
    """Say a phrase as an encoder has met it: no encoder has read about PersonX.

    Among the 779 shipped heads, "making a cake" is then nearest to "PersonX bakes a cake" (0.78);
    with the name as it is, "birthday cake" (0.66) comes before it (0.59).

    >>> plain_words("PersonX bakes a cake for PersonY")
    'someone bakes a cake for another person'
    """
    return _PERSON.sub(lambda match: _PEOPLE[match.group(1)], text)


class PhraseIndex:
    """The phrases of one graph with their vectors."""

    def __init__(self, phrases: pa.Table, vectors: npt.NDArray[np.float16]) -> None:
        self._phrases = phrases
        self._vectors = vectors

    def __len__(self) -> int:
        return int(self._phrases.num_rows)

    def nearest(self, vector: Vectors, *, limit: int, kind: str | None = None) -> list[SearchHit]:
        """Give the phrases nearest to a vector of length one, the nearest first.

        Args:
            vector: Of the search text.
            limit: The most phrases.
            kind: Only heads of this kind.
        """
        similarities = np.empty(len(self), dtype=np.float32)
        for start in range(0, len(self), _BATCH):  # a bounded part in single precision
            part = self._vectors[start : start + _BATCH].astype(np.float32)
            similarities[start : start + _BATCH] = part @ vector
        rows = np.arange(len(self))
        if kind is not None:
            rows = rows[np.asarray(self._phrases["kind"].to_pylist(), dtype=object) == kind]
        # Stable, so that equals stay in the order of their texts.
        best = rows[np.argsort(-similarities[rows], kind="stable")[:limit]]
        found = self._phrases.take(pa.array(best)).to_pylist()
        return [
            SearchHit(
                phrase_id=row["id"],
                text=row["text"],
                kind=row["kind"],
                similarity=round(min(float(similarities[place]), 1.0), 4),
            )
            for place, row in zip(best, found, strict=True)
        ]


def open_index(
    graph_key: str,
    phrases: Callable[[], Iterable[Phrase]],
    encoder: Encoder,
    *,
    beside: Path,
) -> PhraseIndex:
    """Give the index of a graph, building it only if nobody has.

    Args:
        graph_key: Changes when the graph does.
        phrases: Gives the graph's phrases, in an order that stays.
        encoder: The sentence encoder.
        beside: Folder for indexes; the user's cache stands in where it cannot be written.

    Raises:
        FileError: If an index is broken, or none can be written anywhere.
    """
    name = content_key(["phrases", graph_key, encoder.key])
    for root in (beside, cache_folder()):
        folder = root / "search" / name
        if (folder / "phrases.parquet").exists():
            return _read(folder)
    is_writable = os.access(beside, os.W_OK)
    folder = (beside if is_writable else cache_folder()) / "search" / name
    _build(folder, list(phrases()), encoder)
    return _read(folder)


def _build(folder: Path, phrases: Sequence[Phrase], encoder: Encoder) -> None:
    batches = [
        encoder.encode([plain_words(phrase.text) for phrase in phrases[start : start + _BATCH]])
        for start in range(0, len(phrases), _BATCH)
    ]
    vectors = np.concatenate(batches) if batches else np.empty((0, 1), dtype=np.float32)
    with replacing(folder / "vectors.npy") as temporary, temporary.open("wb") as written:
        np.save(written, vectors.astype(np.float16), allow_pickle=False)
    rows = [phrase.model_dump() for phrase in phrases]
    # Written last: its presence means that the vectors are whole.
    with replacing(folder / "phrases.parquet") as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), temporary, compression="zstd")


def _read(folder: Path) -> PhraseIndex:
    try:
        phrases = pq.read_table(folder / "phrases.parquet").cast(_SCHEMA)
        vectors = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
        if vectors.ndim != 2 or len(vectors) != phrases.num_rows:
            raise ValueError(f"{len(vectors)} vectors for {phrases.num_rows} phrases")
    except (OSError, ValueError, pa.ArrowInvalid) as error:
        raise FileError(
            f"The search index in {folder} is broken ({error}); delete that folder, the next "
            "search builds it again"
        ) from error
    return PhraseIndex(phrases, vectors)
