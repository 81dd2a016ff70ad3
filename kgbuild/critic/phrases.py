"""Phrases as unit vectors, for finding the judged triples that a new one is like."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]

_BATCH = 64
_MAX_TOKENS = 64


class PhraseEncoder(Protocol):
    """Turns phrases into unit vectors, near ones for phrases that mean nearly the same."""

    def encode(self, phrases: Sequence[str]) -> Vectors:
        """Give (phrases, width), a row a phrase, in their order."""


class MeanEncoder:
    """A sentence encoder whose vector is the mean of its tokens (Reimers & Gurevych 2019).

    Args:
        path: Folder of the encoder.
        dtype: Of its weights; `auto` is bfloat16 where the processor multiplies it.
    """

    def __init__(
        self, path: Path, *, dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    ) -> None:
        import torch

        from kgbuild.critic.bodies import load_encoder
        from kgbuild.decoding import choose_dtype

        model, self._tokenizer = load_encoder(path)
        self._model = model.to(getattr(torch, choose_dtype(dtype))).eval()

    def encode(self, phrases: Sequence[str]) -> Vectors:
        """Give (phrases, width) unit vectors; a phrase that comes twice is read once."""
        from kgbuild.critic.cores import map_on_cores

        order = sorted(dict.fromkeys(phrases), key=len)
        # Before the threads: a tokenizer does not bear two of them.
        batches = [
            self._tokenizer(
                order[start : start + _BATCH],
                padding=True,
                truncation=True,
                max_length=_MAX_TOKENS,
                return_tensors="pt",
            )
            for start in range(0, len(order), _BATCH)
        ]
        found = list(map_on_cores(self._read, batches))
        place = {phrase: number for number, phrase in enumerate(order)}
        width = int(self._model.config.hidden_size)  # type: ignore[union-attr, arg-type]
        rows = np.concatenate(found) if found else np.zeros((0, width), dtype=np.float32)
        vectors: Vectors = rows[[place[phrase] for phrase in phrases]]
        return vectors

    def _read(self, tokens: Any) -> Vectors:
        import torch

        with torch.inference_mode():
            # (batch, tokens, width)
            states = self._model(**tokens).last_hidden_state.float()
            weights = tokens["attention_mask"].unsqueeze(-1).to(torch.float32)
            means = (states * weights).sum(1) / weights.sum(1)
            vectors: Vectors = torch.nn.functional.normalize(means).numpy()
        return vectors


class RememberingEncoder:
    """An encoder that reads a phrase once in its life, for the few ten thousand of labels."""

    def __init__(self, encoder: PhraseEncoder) -> None:
        self._encoder = encoder
        self._known: dict[str, Vectors] = {}

    def encode(self, phrases: Sequence[str]) -> Vectors:
        """Give (phrases, width) unit vectors, in their order."""
        news = [phrase for phrase in dict.fromkeys(phrases) if phrase not in self._known]
        if news:
            self._known.update(zip(news, self._encoder.encode(news), strict=True))
        if not phrases:
            return self._encoder.encode([])
        return np.stack([self._known[phrase] for phrase in phrases])
