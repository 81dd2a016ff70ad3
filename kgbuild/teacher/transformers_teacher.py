"""A causal language model of transformers as a teacher."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    modeling_gguf_pytorch_utils,
)
from transformers.utils import logging as transformers_logging

from kgbuild.core.config import DecodingConfig
from kgbuild.core.errors import ModelError
from kgbuild.decoding import ConstraintSet, Hypothesis, beam_search, sample, score_completions


def load_language_model(path: Path, *, dtype: Literal["float32", "bfloat16"]) -> tuple[Any, Any]:
    """Load a causal language model and its tokenizer from a folder or a GGUF file.

    Only safetensors and GGUF are read, nothing is downloaded and no code of the model's runs. A
    GGUF file is dequantised to `dtype`.

    Raises:
        ModelError: If transformers cannot load it; the message holds its reason.
    """
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    if path.is_file():
        options["gguf_file"] = path.name
    folder = str(path.parent if path.is_file() else path)
    weights = {} if path.is_file() else {"use_safetensors": True}
    try:
        with _quiet():
            tokenizer = AutoTokenizer.from_pretrained(folder, **options)
            model = AutoModelForCausalLM.from_pretrained(
                folder, dtype=getattr(torch, dtype), **options, **weights
            )
    # transformers has no error of its own for a model it cannot read.
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        said = " ".join(str(error).split())[:300]
        raise ModelError(
            f"{path} cannot be loaded as a causal language model: {said}. Give a folder with "
            "config.json, tokenizer and *.safetensors, or a GGUF file, of an architecture that "
            "transformers knows."
        ) from error
    model.requires_grad_(False)
    return model.eval(), tokenizer


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers' own loading bars off the terminal, and give them back after."""
    had_bars = transformers_logging.is_progress_bar_enabled()
    level = transformers_logging.get_verbosity()
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    # The bar of dequantisation asks nobody whether it may show.
    own_bar = modeling_gguf_pytorch_utils.tqdm
    modeling_gguf_pytorch_utils.tqdm = lambda tensors, **_: tensors
    try:
        yield
    finally:
        modeling_gguf_pytorch_utils.tqdm = own_bar
        transformers_logging.set_verbosity(level)
        if had_bars:
            transformers_logging.enable_progress_bar()


class TransformersTeacher:
    """Completes lines with a loaded model by the decoding room's search or sampling."""

    def __init__(self, model: Any, tokenizer: Any, *, name: str, sha256: str) -> None:
        self.model, self.tokenizer = model, tokenizer
        self._name, self._sha256 = name, sha256

    @classmethod
    def load(
        cls, path: Path, *, dtype: Literal["float32", "bfloat16"], name: str, sha256: str
    ) -> TransformersTeacher:
        """Load a teacher from a resolved model path.

        Raises:
            ModelError: If the model cannot be loaded.
        """
        model, tokenizer = load_language_model(path, dtype=dtype)
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
        prefix: str,
        settings: DecodingConfig,
        seed: int,
    ) -> list[list[Hypothesis]]:
        """Give the n-best completions of every text, best first."""
        with torch.inference_mode():
            if settings.method == "beam":
                return beam_search(
                    self.model, self.tokenizer, texts, constraints, settings=settings, prefix=prefix
                )
            generator = torch.Generator().manual_seed(seed)
            return sample(
                self.model,
                self.tokenizer,
                texts,
                constraints,
                settings=settings,
                generator=generator,
                prefix=prefix,
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
