"""Arrays that a critic keeps beside its weights: a dataclass of them as one safetensors file."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from kgbuild.core.errors import CriticError, FileError
from kgbuild.core.files import hash_file, replacing

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")


def save_arrays(arrays: DataclassInstance, file: Path) -> str:
    """Write a dataclass whose fields are arrays, and give the file's hash."""
    from safetensors.numpy import save_file

    with replacing(file) as temporary:
        save_file(
            {one.name: np.ascontiguousarray(getattr(arrays, one.name)) for one in fields(arrays)},
            temporary,
        )
    return hash_file(file)


def load_arrays(
    kind: type[T], file: Path, *, sha256: str, known_by: str, what: str, cure: str
) -> T:
    """Read what `save_arrays` wrote.

    Args:
        kind: The dataclass.
        file: Where it is.
        sha256: The hash that `save_arrays` gave.
        known_by: Name of the file that keeps the hash, for errors.
        what: What it holds, for errors.
        cure: What to do if the file is another one, for errors.

    Raises:
        CriticError: If the file is another one, is gone or does not fit the dataclass.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        if hash_file(file) != sha256:
            raise CriticError(f"{file} is not the file that {known_by} speaks of; {cure}")
        return kind(**load_file(file))
    except (OSError, FileError, SafetensorError, TypeError) as error:
        raise CriticError(f"{file} holds no {what}: {error}; {cure}") from error
