"""Language models that are trained further: the base, found, named by its hash and loaded."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kgbuild.core.base_weights import BaseWeights
from kgbuild.core.errors import ModelError
from kgbuild.core.files import hash_file
from kgbuild.decoding.loading import load_language_model
from kgbuild.decoding.precision import Dtype


def weight_files(path: Path) -> list[Path]:
    """Give the GGUF or safetensors files of a model; anything that is pickled is not looked at.

    Raises:
        ModelError: If there are none.
    """
    if path.is_file() and path.suffix == ".gguf":
        return [path]
    files = sorted(path.glob("*.safetensors")) or sorted(path.glob("*.gguf"))[:1]
    if not files:
        raise ModelError(
            f"{path} holds neither *.safetensors nor a .gguf file. Training starts from one of "
            "these; pickled weights are refused, because loading them can run any program."
        )
    return files


def identify_base(path: Path) -> BaseWeights:
    """Give the path and the hash of a base model's weights."""
    hashes = [hash_file(file) for file in weight_files(path)]
    joined = hashlib.sha256("\n".join(hashes).encode()).hexdigest()
    return BaseWeights(path=str(path), sha256=hashes[0] if len(hashes) == 1 else joined)


def find_base(base: BaseWeights, *, place: Path | None, owner: str) -> Path:
    """Give the path of the model that an adapter goes with; its weights have the hash they had.

    Args:
        base: What the adapter was trained on.
        place: Where that model is now, if it has moved.
        owner: What holds the adapter, for errors, as in "The student in runs/a".

    Raises:
        ModelError: If the model is gone, or is another one.
    """
    path = place or Path(base.path)
    if not path.exists():
        raise ModelError(
            f"{owner} adapts the language model {path}, which is gone; fetch it again (kgbuild "
            "models get), give its new place, or train anew"
        )
    found = identify_base(path)
    if found.sha256 != base.sha256:
        raise ModelError(
            f"{path} has the hash {found.sha256[:12]}, but {owner[0].lower()}{owner[1:]} adapts a "
            f"model of {base.sha256[:12]}; give that model, or train anew"
        )
    return path


def load_base(path: Path, *, dtype: Dtype = "float32") -> tuple[Any, Any]:
    """Load a causal language model, fit to be trained and saved, and its tokenizer.

    Raises:
        ModelError: If the files are missing, broken or of no known architecture.
    """
    first = weight_files(path)[0]
    model, tokenizer = load_language_model(first if first.suffix == ".gguf" else path, dtype=dtype)
    _forget_quantisation(model)
    return model, tokenizer


def _forget_quantisation(model: Any) -> None:
    # GGUF weights were made plain floats on loading, but transformers still holds the model for
    # quantised and would refuse to train or save it.
    for owner, name in (
        (model, "hf_quantizer"),
        (model, "quantization_method"),
        (model, "is_quantized"),
        (model.config, "quantization_config"),
    ):
        if getattr(owner, name, None) is not None:
            delattr(owner, name)


def pad_token(tokenizer: Any) -> int:
    """Give a token to pad with; it is masked everywhere, so any will do."""
    for token in (tokenizer.pad_token_id, tokenizer.eos_token_id):
        if token is not None:
            return int(token)
    return 0


@contextmanager
def quiet_peft() -> Iterator[None]:
    """Keep peft's own deprecation warnings off the terminal."""
    # peft asks transformers by a name that transformers has since replaced; both are theirs.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        yield
