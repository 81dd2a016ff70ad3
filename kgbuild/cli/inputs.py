"""What commands read: files, or standard input where a name is `-`."""

from __future__ import annotations

import sys
from pathlib import Path


def read_input(path: Path) -> str:
    """Read a text file, or standard input for `-`, as UTF-8.

    Raises:
        FileError: If it cannot be read, is not UTF-8 or holds NUL.
    """
    from kgbuild.core.files import decode_text, read_text

    if str(path) == "-":
        return decode_text(sys.stdin.buffer.read(), name="standard input")
    return read_text(path)
