from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kgbuild.core.errors import FileError, ModelError
from kgbuild.dedup.embeddings import EmbeddingCache, SentenceEncoder


def test_each_text_is_embedded_once_ever(tmp_path: Path, encoder) -> None:  # type: ignore[no-untyped-def]
    cache = EmbeddingCache(tmp_path, encoder)
    first = cache.encode(["to rest", "proud", "to rest"])
    again = EmbeddingCache(tmp_path, encoder).encode(["proud", "to sleep", "to rest"])
    assert encoder.asked == ["to rest", "proud", "to sleep"]
    assert np.array_equal(again[[2, 0]], first[:2])
    assert np.allclose(first[:2], encoder.encode(["to rest", "proud"]), atol=1e-3)


def test_vectors_of_two_encoders_never_mix(tmp_path: Path, encoder) -> None:  # type: ignore[no-untyped-def]
    EmbeddingCache(tmp_path, encoder).encode(["proud"])
    encoder.key = "other"
    EmbeddingCache(tmp_path, encoder).encode(["proud"])
    assert encoder.asked == ["proud", "proud"]


def test_vectors_without_their_keys_are_computed_again(tmp_path: Path, encoder) -> None:  # type: ignore[no-untyped-def]
    EmbeddingCache(tmp_path, encoder).encode(["proud"])
    for keys in tmp_path.rglob("*.keys.npy"):
        keys.unlink()
    assert EmbeddingCache(tmp_path, encoder).encode(["proud"]).shape == (1, 64)


def test_a_broken_cache_names_the_folder_to_delete(tmp_path: Path, encoder) -> None:  # type: ignore[no-untyped-def]
    EmbeddingCache(tmp_path, encoder).encode(["proud"])
    for keys in tmp_path.rglob("*.keys.npy"):
        keys.write_bytes(b"\x80\x04 not an array")
    with pytest.raises(FileError, match="delete the folder"):
        EmbeddingCache(tmp_path, encoder)


def test_a_folder_that_is_no_encoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not a sentence encoder"):
        SentenceEncoder(tmp_path)
