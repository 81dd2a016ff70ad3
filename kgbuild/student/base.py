"""The base model of a student: loaded, wrapped for training, saved."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model

from kgbuild.core.config import StudentConfig
from kgbuild.core.errors import ModelError
from kgbuild.core.files import hash_file
from kgbuild.decoding import load_language_model
from kgbuild.student.records import BaseModel


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
            f"{path} holds neither *.safetensors nor a .gguf file. A student starts from one of "
            "these; pickled weights are refused, because loading them can run any program."
        )
    return files


def identify_base(path: Path) -> BaseModel:
    """Give the path and the hash of a base model's weights."""
    hashes = [hash_file(file) for file in weight_files(path)]
    joined = hashlib.sha256("\n".join(hashes).encode()).hexdigest()
    return BaseModel(path=str(path), sha256=hashes[0] if len(hashes) == 1 else joined)


def load_base(path: Path) -> tuple[Any, Any]:
    """Load a causal language model in float32, fit to be trained and saved, and its tokenizer.

    Raises:
        ModelError: If the files are missing, broken or of no known architecture.
    """
    first = weight_files(path)[0]
    model, tokenizer = load_language_model(
        first if first.suffix == ".gguf" else path, dtype="float32"
    )
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


def wrap_for_training(model: Any, *, config: StudentConfig) -> Any:
    """Give the model whose trainable parameters are a LoRA adapter, or all of them."""
    if config.method == "full":
        return model.requires_grad_(True)
    with torch.random.fork_rng(devices=[]), _quiet_peft():
        torch.manual_seed(config.seed)
        return get_peft_model(
            model,
            LoraConfig(
                r=config.lora_rank,
                lora_alpha=config.lora_alpha,
                lora_dropout=0.0,
                target_modules="all-linear",
                task_type="CAUSAL_LM",
            ),
        )


@contextmanager
def _quiet_peft() -> Iterator[None]:
    # peft asks transformers by a name that transformers has since replaced; both are theirs.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        yield


def save_trained(model: Any, tokenizer: Any, *, base: BaseModel, folder: Path) -> None:
    """Save an adapter with the path of its base, or a whole model with its tokenizer."""
    if isinstance(model, PeftModel):
        model.peft_config["default"].base_model_name_or_path = base.path
        # Without this peft looks the base up to learn whether its vocabulary grew; it did not.
        model.save_pretrained(folder / "adapter", save_embedding_layers=False)
    else:
        model.save_pretrained(folder / "model")
        tokenizer.save_pretrained(folder / "model")


def load_trained(folder: Path, *, base: BaseModel, base_path: Path | None) -> tuple[Any, Any]:
    """Load what `save_trained` saved.

    Raises:
        ModelError: If the adapter is missing, or its base is gone or has changed.
    """
    if (folder / "model").is_dir():
        return load_base(folder / "model")
    if not (folder / "adapter" / "adapter_model.safetensors").is_file():
        raise ModelError(
            f"{folder} holds neither model/ nor adapter/adapter_model.safetensors; train the "
            "student again"
        )
    path = base_path or Path(base.path)
    if not path.exists():
        raise ModelError(
            f"The student in {folder} was trained on {base.path}, which is gone; fetch that model "
            "again or give its new place"
        )
    found = identify_base(path)
    if found.sha256 != base.sha256:
        raise ModelError(
            f"{path} has the hash {found.sha256[:12]}, but the student in {folder} was trained on "
            f"{base.sha256[:12]}; give the place of that model"
        )
    model, tokenizer = load_base(path)
    with _quiet_peft():
        return PeftModel.from_pretrained(model, str(folder / "adapter")), tokenizer
