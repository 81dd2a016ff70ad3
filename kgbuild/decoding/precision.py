"""Where a model stands on this machine, and which floating type its weights are read as."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeAlias

from kgbuild.core.config import DEVICE
from kgbuild.core.errors import ModelError

Dtype: TypeAlias = Literal["float32", "bfloat16"]

# Processors with these multiply bfloat16 in hardware; on others it is slower than float32.
_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
_PROCESSORS = Path("/proc/cpuinfo")


def choose_dtype(wanted: Literal["auto", "float32", "bfloat16"], *, device: str = "cpu") -> Dtype:
    """Give the type that is asked for; `auto` is bfloat16 where the device multiplies it.

    >>> choose_dtype("float32")
    'float32'
    """
    if wanted != "auto":
        return wanted
    if device.startswith("cuda"):
        import torch

        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    return "bfloat16" if _FLAGS & read_processor_flags() else "float32"


def check_device(device: str) -> None:
    """Refuse a device that is not there.

    Args:
        device: `cpu`, `cuda` or `cuda:1`.

    Raises:
        ModelError: If it is none of these, or torch sees no such card.
    """
    if device == "cpu":
        return
    if not re.fullmatch(DEVICE, device):
        raise ModelError(f"device {device!r} is none; use cpu, cuda, or cuda:1 for a second card")
    import torch

    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(device.partition(":")[2] or 0) >= cards:
        raise ModelError(
            f"device {device} is not there: torch sees {cards} CUDA cards; use cpu, or install a "
            "torch that was built for the card's driver"
        )


@lru_cache(maxsize=1)
def read_processor_flags() -> frozenset[str]:
    """Give what the first processor says it can do; nothing where the system does not tell."""
    if not _PROCESSORS.exists():
        return frozenset()
    for line in _PROCESSORS.read_text().splitlines():
        name, _, rest = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return frozenset(rest.split())
    return frozenset()
