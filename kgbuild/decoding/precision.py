"""Which floating type a model's weights are read as on this machine."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeAlias

Dtype: TypeAlias = Literal["float32", "bfloat16"]

# Processors with these multiply bfloat16 in hardware; on others it is slower than float32.
_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
_PROCESSORS = Path("/proc/cpuinfo")


def choose_dtype(wanted: Literal["auto", "float32", "bfloat16"]) -> Dtype:
    """Give the type that is asked for; `auto` is bfloat16 where the processor multiplies it.

    >>> choose_dtype("float32")
    'float32'
    """
    if wanted != "auto":
        return wanted
    return "bfloat16" if _FLAGS & read_processor_flags() else "float32"


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
