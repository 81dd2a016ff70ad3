"""Embeddings of texts, each computed once and kept on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from kgbuild.core.errors import FileError, ModelError
from kgbuild.core.files import hash_file, replacing

Vectors = npt.NDArray[np.float32]


class Encoder(Protocol):
    """Turns texts into vectors of length one."""

    @property
    def key(self) -> str:
        """Names the encoder's weights, so that vectors of two encoders never mix."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Give one row a text."""


class SentenceEncoder:
    """A sentence-transformers model from a local folder; safetensors only.

    Args:
        folder: The model's folder.
        batch_size: Texts encoded together.

    Raises:
        ModelError: If the folder holds no sentence encoder.
    """

    def __init__(self, folder: Path, *, batch_size: int = 256) -> None:
        weights = folder / "model.safetensors"
        if not (folder / "modules.json").is_file() or not weights.is_file():
            raise ModelError(
                f"{folder} is not a sentence encoder: it needs modules.json and model.safetensors. "
                "Name a sentence-transformers folder, or minilm from the catalogue"
            )
        self.key = hash_file(weights)[:20]
        self._folder = folder
        self._batch_size = batch_size
        self._model: Any = None

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Give one row a text. The model is loaded by the first call."""
        if self._model is None:
            from sentence_transformers import SentenceTransformer

            from kgbuild.decoding import quiet_loading

            with quiet_loading():
                self._model = SentenceTransformer(
                    str(self._folder),
                    device="cpu",
                    local_files_only=True,
                    model_kwargs={"use_safetensors": True},
                )
        vectors: Vectors = self._model.encode(
            list(texts),
            batch_size=self._batch_size,
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return vectors


class EmbeddingCache:
    """An encoder that asks the encoder below only for texts it has not seen.

    Vectors lie in pairs of `.npy` files, in half precision, read by memory map: ten
    million texts cost sixteen bytes of memory each, whatever the width of a vector.

    Args:
        folder: Where the files are kept; each encoder has its own subfolder.
        encoder: Computes what is missing.
    """

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        self.key = encoder.key
        self._encoder = encoder
        self._folder = folder / encoder.key
        self._shards: list[npt.NDArray[np.float16]] = []
        self._keys = np.empty(0, dtype=np.uint64)
        self._places = np.empty((0, 2), dtype=np.int32)  # (shard, row)
        # The keys are written last: their presence means the vectors are whole.
        for path in sorted(self._folder.glob("*.keys.npy")):
            self._remember(_load(path), _load(path.with_suffix("").with_suffix(".vectors.npy")))

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Give one row a text, computing and keeping those that are new."""
        keys = np.array([_text_key(text) for text in texts], dtype=np.uint64)
        places = self._find(keys)
        missing = {text: None for text, place in zip(texts, places, strict=True) if place < 0}
        if missing:
            self._add(list(missing))
            places = self._find(keys)
        rows = [self._shards[shard][row] for shard, row in self._places[places]]
        return np.array(rows, dtype=np.float32)

    def _find(self, keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        places = np.searchsorted(self._keys, keys)
        places[places == len(self._keys)] = 0
        is_known = self._keys[places] == keys if len(self._keys) else np.zeros(len(keys), bool)
        return np.where(is_known, places, -1)

    def _add(self, texts: list[str]) -> None:
        vectors = self._encoder.encode(texts).astype(np.float16)
        keys = np.array([_text_key(text) for text in texts], dtype=np.uint64)
        # Named by content: two processes that fill one folder never mix their pairs of files.
        stem = hashlib.blake2b(keys.tobytes(), digest_size=8).hexdigest()
        for name, array in (("vectors", vectors), ("keys", keys)):
            path = self._folder / f"{stem}.{name}.npy"
            with replacing(path) as temporary, temporary.open("wb") as written:
                np.save(written, array, allow_pickle=False)
        self._remember(keys, _load(self._folder / f"{stem}.vectors.npy"))

    def _remember(self, keys: npt.NDArray[np.uint64], vectors: npt.NDArray[np.float16]) -> None:
        places = np.empty((len(keys), 2), dtype=np.int32)
        places[:, 0] = len(self._shards)
        places[:, 1] = np.arange(len(keys))
        self._shards.append(vectors)
        joined = np.concatenate([self._keys, keys])
        order = np.argsort(joined, kind="stable")
        self._keys = joined[order]
        self._places = np.concatenate([self._places, places])[order]


def _text_key(text: str) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest)


def _load(path: Path) -> Any:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise FileError(
            f"{path} is not a readable part of the embedding cache ({error}); delete the folder "
            f"{path.parent} and run again, the embeddings are computed anew"
        ) from error
