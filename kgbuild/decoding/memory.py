"""How much memory there is, and the error that says there was too little."""

from __future__ import annotations

from pathlib import Path

import torch

_MEMORY = Path("/proc/meminfo")


def is_out_of_memory(error: Exception) -> bool:
    """Say whether an error means that memory ran out; torch's CPU allocator has no own class."""
    return isinstance(error, MemoryError) or any(
        sign in str(error)
        for sign in ("out of memory", "can't allocate memory", "not enough memory")
    )


def read_free_bytes(device: torch.device) -> int | None:
    """Give the memory that is free on a device, or None where nobody says."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if not _MEMORY.exists():
        return None
    for line in _MEMORY.read_text().splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) * 1024
    return None
