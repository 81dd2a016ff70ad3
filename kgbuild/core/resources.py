"""Where the files that the package ships are found, and where a user's cache is."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from kgbuild.core.errors import FileError

_PACKAGE = Path(__file__).resolve().parent.parent


def resource_path(relative: str) -> Path:
    """Find a shipped file or folder, in an installed wheel or in a checkout.

    Args:
        relative: Path below the repository, such as `schemas/relations`.

    Raises:
        FileError: If neither place has it.
    """
    for root in (_PACKAGE / "_shipped", _PACKAGE.parent):
        path = root / relative
        if path.exists():
            return path
    raise FileError(
        f"{relative} is not shipped with this installation of kgbuild; reinstall the package or "
        "give the path of your own file."
    )


def cache_folder() -> Path:
    """Give the folder for models and trained critics; `KGBUILD_CACHE` moves it."""
    return Path(os.environ.get("KGBUILD_CACHE") or platformdirs.user_cache_path("kgbuild"))
