"""A training that can be killed: weights, optimiser and progress in one safetensors file.

One file that replaces the last one whole cannot be half old and half new. Order, learning rate
and random state are functions of the step, so the step is all that has to be kept of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from kgbuild.core.files import replacing
from kgbuild.core.records import Record
from kgbuild.student.records import TrainStep

_MOMENTS = ("exp_avg", "exp_avg_sq")


class Progress(Record):
    """Where a training stands."""

    key: str
    curve: tuple[TrainStep, ...] = ()
    losses_before: Mapping[str, float] = {}


def save_checkpoint(
    path: Path,
    progress: Progress,
    *,
    parameters: Mapping[str, torch.nn.Parameter],
    optimizer: torch.optim.AdamW,
) -> None:
    """Write a checkpoint in the place of the last one."""
    tensors: dict[str, torch.Tensor] = {}
    for name, parameter in parameters.items():
        tensors[f"weight/{name}"] = parameter.detach().contiguous()
        for moment in _MOMENTS:
            tensors[f"{moment}/{name}"] = optimizer.state[parameter][moment].contiguous()
    with replacing(path) as temporary:
        save_file(tensors, temporary, metadata={"progress": progress.model_dump_json()})


def load_checkpoint(
    path: Path,
    *,
    key: str,
    parameters: Mapping[str, torch.nn.Parameter],
    optimizer: torch.optim.AdamW,
) -> Progress | None:
    """Restore weights and optimiser, and say where the training stands.

    Gives None, and changes nothing, when there is no checkpoint or it belongs to other rows,
    settings or another base: its key tells.
    """
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as opened:
            progress = Progress.model_validate(json.loads(opened.metadata()["progress"]))
            if progress.key != key:
                return None
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except (SafetensorError, ValidationError, KeyError, TypeError, ValueError):
        # The file is not one of ours; training from the start is always right.
        return None
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(tensors[f"weight/{name}"])
            optimizer.state[parameter] = {
                "step": torch.tensor(float(len(progress.curve))),
                **{moment: tensors[f"{moment}/{name}"] for moment in _MOMENTS},
            }
    return progress
