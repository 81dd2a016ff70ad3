"""The header of a GGUF file, read only as far as is needed to know where its data must end.

The gguf library maps the whole file and fails inside numpy when it is cut off; a few hundred
lines of header tell the same in milliseconds and with a reason.
"""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path
from typing import BinaryIO

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_SCALAR_BYTES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_STRING, _ARRAY, _UINT32 = 8, 9, 4
_MOST = 2**24  # more entries than any real file has; a hostile count must not run for hours
_MOST_DIMENSIONS = 8


class GgufHeaderError(Exception):
    """The header cannot be read; the message says what is wrong."""


class _Reader:
    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file, self.size = file, size

    def take(self, count: int) -> bytes:
        if count > self.size - self.file.tell():
            raise GgufHeaderError("it is cut off inside the header")
        return self.file.read(count)

    def skip(self, count: int) -> None:
        if count > self.size - self.file.tell():
            raise GgufHeaderError("it is cut off inside the header")
        self.file.seek(count, 1)

    def number(self, form: str) -> int:
        return int(struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))[0])

    def string(self) -> bytes:
        return self.take(self.number("Q"))

    def skip_value(self, kind: int, *, depth: int = 0) -> None:
        if kind in _SCALAR_BYTES:
            self.skip(_SCALAR_BYTES[kind])
        elif kind == _STRING:
            self.skip(self.number("Q"))
        elif kind == _ARRAY and depth < 4:
            inner, count = self.number("I"), self.number("Q")
            if inner in _SCALAR_BYTES:
                self.skip(_SCALAR_BYTES[inner] * count)
            else:
                for _ in range(count):
                    self.skip_value(inner, depth=depth + 1)
        else:
            raise GgufHeaderError(f"it holds a value of the unknown type {kind}")


@cache
def _block_sizes() -> dict[int, tuple[int, int]]:
    """Give (values, bytes) of a block by tensor type."""
    from gguf.constants import GGML_QUANT_SIZES

    return {int(kind): sizes for kind, sizes in GGML_QUANT_SIZES.items()}


def find_end(path: Path) -> int:
    """Give the size in bytes that the file must have at least.

    Raises:
        GgufHeaderError: If it is no GGUF file or is cut off inside the header.
    """
    with path.open("rb") as file:
        reader = _Reader(file, path.stat().st_size)
        if reader.take(4) != _MAGIC:
            raise GgufHeaderError("it does not begin with the letters GGUF")
        version = reader.number("I")
        if version not in _VERSIONS:
            raise GgufHeaderError(f"it is of version {version}; kgbuild reads versions 2 and 3")
        tensors, keys = reader.number("Q"), reader.number("Q")
        if max(tensors, keys) > _MOST:
            raise GgufHeaderError(f"it claims {tensors:,} tensors and {keys:,} keys")
        alignment = 32
        for _ in range(keys):
            name, kind = reader.string(), reader.number("I")
            if name == b"general.alignment" and kind == _UINT32:
                alignment = max(1, reader.number("I"))
            else:
                reader.skip_value(kind)
        ends = [_read_tensor_end(reader) for _ in range(tensors)]
        start = -(-file.tell() // alignment) * alignment
        if not ends:
            raise GgufHeaderError("it holds no tensors, only a vocabulary or nothing")
        return start + max(ends)


def _read_tensor_end(reader: _Reader) -> int:
    reader.skip(reader.number("Q"))  # its name
    dimensions = reader.number("I")
    if dimensions > _MOST_DIMENSIONS:
        raise GgufHeaderError(f"a tensor claims {dimensions} dimensions")
    values = 1
    for _ in range(dimensions):
        values *= reader.number("Q")
    kind, offset = reader.number("I"), reader.number("Q")
    if kind not in _block_sizes():
        raise GgufHeaderError(f"a tensor has the unknown type {kind}")
    block_values, block_bytes = _block_sizes()[kind]
    return offset + values // block_values * block_bytes
