"""A small language model trained on the corpus, in the form of COMET.

Reads: corpus rows, their relations, a base model (a folder with safetensors, or GGUF). Writes: a
student folder with adapter or model, loss curve and held-out figures. Refuses: pickled weights,
a base other than the one an adapter was trained on, and a corpus without train rows.

`train_student` and `load_student` are the doors. They are found on first use, so that importing
the room loads no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kgbuild.student.records import HeldOut, TrainStep
from kgbuild.student.schedule import count_steps

if TYPE_CHECKING:
    from kgbuild.student.ask import Student, load_student
    from kgbuild.student.train import train_student

__all__ = ["HeldOut", "Student", "TrainStep", "count_steps", "load_student", "train_student"]

_LAZY = {
    "train_student": "kgbuild.student.train",
    "load_student": "kgbuild.student.ask",
    "Student": "kgbuild.student.ask",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
