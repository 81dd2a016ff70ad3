"""What a weight file is: whole or cut off, and its sha256, computed once."""

from __future__ import annotations

import contextlib
import hashlib
import json
import struct
from pathlib import Path

from kgbuild.core.errors import FileError, ModelError
from kgbuild.core.files import hash_file, read_json, write_json
from kgbuild.core.ids import content_key
from kgbuild.core.resources import cache_folder
from kgbuild.models.gguf_header import GgufHeaderError, find_end

_HEADER_LIMIT = 100 * 2**20


def check_weights(path: Path) -> None:
    """Check that a GGUF or safetensors file is as long as its own header says.

    Raises:
        ModelError: If it is cut off or is no such file.
    """
    if path.suffix == ".gguf":
        try:
            end = find_end(path)
        except GgufHeaderError as fault:
            raise ModelError(
                f"{path} is not a readable GGUF file: {fault}. Download it again."
            ) from fault
    else:
        end = _find_safetensors_end(path)
    size = path.stat().st_size
    if size < end:
        raise ModelError(
            f"{path} is cut off: its header describes {end:,} bytes, the file has {size:,}. "
            "Download it again."
        )


def _find_safetensors_end(path: Path) -> int:
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        try:
            if not 2 <= length <= _HEADER_LIMIT:
                raise ValueError(f"a header of {length:,} bytes")
            header = json.loads(file.read(length))
            ends = [
                entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"
            ]
            return int(8 + length + max(ends, default=0))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise ModelError(
                f"{path} is not a readable safetensors file ({error}); it is cut off or of "
                "another kind. Download it again."
            ) from error


def recall_hash(path: Path) -> str:
    """Give the sha256 of a file, remembered in the cache by path, size and time of change."""
    path = path.resolve()
    state = path.stat()
    now = {"path": str(path), "size": state.st_size, "mtime_ns": state.st_mtime_ns}
    memory = cache_folder() / "hashes" / f"{content_key(str(path))}.json"
    if memory.is_file():
        try:
            known = read_json(memory)
        except FileError:
            known = None
        if isinstance(known, dict) and known.items() >= now.items():
            return str(known["sha256"])
    digest = hash_file(path)
    # A cache that cannot be written costs time, nothing else.
    with contextlib.suppress(FileError):
        write_json(memory, now | {"sha256": digest})
    return digest


def hash_weights(paths: list[Path]) -> str:
    """Give one sha256 for a model: of its only weight file, or of the list of their hashes."""
    if len(paths) == 1:
        return recall_hash(paths[0])
    listed = "".join(f"{recall_hash(path)}  {path.name}\n" for path in sorted(paths))
    return hashlib.sha256(listed.encode()).hexdigest()
