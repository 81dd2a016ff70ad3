"""A causal language model of transformers as a teacher."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch

from kgbuild.core.config import DecodingConfig
from kgbuild.decoding import (
    ConstraintSet,
    Hypothesis,
    beam_search,
    load_language_model,
    sample,
    score_completions,
)
from kgbuild.teacher.judge import judge_sentences


class TransformersTeacher:
    """Completes lines with a loaded model by the decoding room's search or sampling."""

    def __init__(self, model: Any, tokenizer: Any, *, name: str, sha256: str) -> None:
        self.model, self.tokenizer = model, tokenizer
        self._name, self._sha256 = name, sha256

    @classmethod
    def load(
        cls,
        path: Path,
        *,
        dtype: Literal["float32", "bfloat16"],
        device: str = "cpu",
        name: str,
        sha256: str,
    ) -> TransformersTeacher:
        """Load a teacher from a resolved model path.

        Raises:
            ModelError: If the model cannot be loaded, or the device is not there.
        """
        model, tokenizer = load_language_model(path, dtype=dtype, device=device)
        return cls(model, tokenizer, name=name, sha256=sha256)

    @property
    def name(self) -> str:
        """Name that provenance records."""
        return self._name

    @property
    def weights_hash(self) -> str:
        """The sha256 of the weights."""
        return self._sha256

    def complete(
        self,
        texts: Sequence[str],
        constraints: Sequence[ConstraintSet],
        *,
        prefixes: Sequence[str],
        settings: DecodingConfig,
        seed: int,
        at_once: int,
    ) -> list[list[Hypothesis]]:
        """Give the n-best completions of every text, best first."""
        with torch.inference_mode():
            if settings.method == "beam":
                return beam_search(
                    self.model,
                    self.tokenizer,
                    texts,
                    constraints,
                    settings=settings,
                    prefix=prefixes,
                    at_once=at_once,
                )
            generator = torch.Generator().manual_seed(seed)
            return sample(
                self.model,
                self.tokenizer,
                texts,
                constraints,
                settings=settings,
                generator=generator,
                prefix=prefixes,
                at_once=at_once,
            )

    def score(
        self, texts: Sequence[str], completions: Sequence[str], *, prefix: str, batch_size: int
    ) -> list[tuple[float, int]]:
        """Give the log-probability sum and token count of each completion behind its text."""
        with torch.inference_mode():
            return score_completions(
                self.model,
                self.tokenizer,
                texts,
                completions,
                prefix=prefix,
                batch_size=batch_size,
            )

    def judge(self, sentences: Sequence[str], *, prompt: str) -> list[float]:
        """Give the odds of yes against no behind each sentence, from 0 to 1."""
        return list(
            judge_sentences(self.model, self.tokenizer, sentences, prompt=prompt, is_chat=False)
        )
