"""The base model of a student: loaded, wrapped for training, saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model

from kgbuild.core.base_weights import BaseWeights
from kgbuild.core.config import StudentConfig
from kgbuild.core.errors import ModelError
from kgbuild.decoding import find_base, load_base, quiet_peft


def wrap_for_training(model: Any, *, config: StudentConfig) -> Any:
    """Give the model whose trainable parameters are a LoRA adapter, or all of them."""
    if config.method == "full":
        return model.requires_grad_(True)
    with torch.random.fork_rng(devices=[]), quiet_peft():
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


def save_trained(model: Any, tokenizer: Any, *, base: BaseWeights, folder: Path) -> None:
    """Save an adapter with the path of its base, or a whole model with its tokenizer."""
    if isinstance(model, PeftModel):
        model.peft_config["default"].base_model_name_or_path = base.path
        # Without this peft looks the base up to learn whether its vocabulary grew; it did not.
        model.save_pretrained(folder / "adapter", save_embedding_layers=False)
    else:
        model.save_pretrained(folder / "model")
        tokenizer.save_pretrained(folder / "model")


def load_trained(folder: Path, *, base: BaseWeights, base_path: Path | None) -> tuple[Any, Any]:
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
    path = find_base(base, place=base_path, owner=f"The student in {folder}")
    model, tokenizer = load_base(path)
    with quiet_peft():
        return PeftModel.from_pretrained(model, str(folder / "adapter")), tokenizer
