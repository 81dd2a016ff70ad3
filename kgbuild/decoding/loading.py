"""Language models and their tokenizers, read from this disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import gguf
import torch
from safetensors import SafetensorError
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    modeling_gguf_pytorch_utils,
)
from transformers.utils import logging as transformers_logging

from kgbuild.core.errors import ModelError
from kgbuild.decoding.precision import check_device


def load_language_model(
    path: Path, *, dtype: Literal["float32", "bfloat16"], device: str = "cpu"
) -> tuple[Any, Any]:
    """Load a causal language model and its tokenizer from a folder or a GGUF file.

    Only safetensors and GGUF are read, nothing is downloaded and no code of the model's runs. A
    GGUF file is dequantised to `dtype`.

    Raises:
        ModelError: If transformers cannot load it; the message holds its reason. Or if the device
            is not there.
    """
    check_device(device)
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    if path.is_file():
        options["gguf_file"] = path.name
    folder = str(path.parent if path.is_file() else path)
    weights = {} if path.is_file() else {"use_safetensors": True}
    try:
        with quiet_loading(), _gguf_read_once():
            tokenizer = AutoTokenizer.from_pretrained(folder, **options)
            model = AutoModelForCausalLM.from_pretrained(
                folder, dtype=getattr(torch, dtype), **options, **weights
            ).to(device)
    # transformers has no error of its own for a model it cannot read.
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError) as error:
        said = " ".join(str(error).split())[:300]
        raise ModelError(
            f"{path} cannot be loaded as a causal language model: {said}. Give a folder with "
            "config.json, tokenizer and *.safetensors, or a GGUF file, of an architecture that "
            "transformers knows."
        ) from error
    model.requires_grad_(False)
    return model.eval(), tokenizer


@contextmanager
def _gguf_read_once() -> Iterator[None]:
    """Keep what transformers asks of a GGUF file more than once.

    It parses the header three times and makes the table of tensor names anew for each of
    hundreds of modules; kept, a load takes 10 s instead of 24 s (SmolLM2, two cores).
    """
    kept = gguf.GGUFReader, gguf.get_tensor_name_map
    gguf.GGUFReader, gguf.get_tensor_name_map = (lru_cache(maxsize=4)(one) for one in kept)
    try:
        yield
    finally:
        gguf.GGUFReader, gguf.get_tensor_name_map = kept


@contextmanager
def quiet_loading() -> Iterator[None]:
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
