"""Reading and writing whole files, or not at all."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kgbuild.core.errors import FileError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path` that replaces it when the block ends well.

    The file is flushed to disk before it takes the name, so after a crash the name stands for
    the old content or the new, never for a part of either.

    Raises:
        FileError: If the disk is full or the folder cannot be written.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(descriptor)
        temporary = Path(name)
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def user_path(name: str | Path) -> Path:
    """Give the path that a person wrote, with `~` and `~name` resolved.

    Raises:
        FileError: If nobody of that name has a home here.
    """
    try:
        return Path(name).expanduser()
    except RuntimeError as error:
        raise FileError(
            f"{name} begins with the home of somebody whom this machine does not know; write the "
            "path out, or begin it with ./"
        ) from error


@contextmanager
def replacing_folder(path: Path, *, known: Collection[str]) -> Iterator[Path]:
    """Give a temporary folder beside `path` that takes its place when the block ends well.

    Args:
        path: The folder; an earlier one with nothing but known names in it is replaced.
        known: What such a folder may hold, as paths below it.

    Raises:
        FileError: If `path` is a file or holds anything else, or cannot be written.
    """
    _refuse_other_content(path, known)
    building: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        yield building
        building.chmod(0o755)
        if path.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{path.name}.old.", dir=path.parent))
            path.rename(old / "old")
            building.rename(path)
            shutil.rmtree(old, ignore_errors=True)
        else:
            building.rename(path)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        if building is not None:
            shutil.rmtree(building, ignore_errors=True)


def _refuse_other_content(path: Path, known: Collection[str]) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        raise FileError(f"{path} is a file; this format needs the path of a folder")
    # The first foreign name is enough: nobody's folder is walked to its end.
    for entry in path.rglob("*"):
        name = entry.relative_to(path).as_posix()
        if name not in known:
            raise FileError(
                f"{path} holds {name}, which no export of this format wrote, and replacing the "
                "folder would delete it; choose a new or empty folder"
            )


def write_error(path: Path, error: OSError) -> FileError:
    """Say in one paragraph why a file could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return FileError(
            f"{path} was not written: the disk is full. Nothing already written is lost; free "
            "some space and run the same command again."
        )
    return FileError(f"{path} cannot be written ({error.strerror or error}); choose another folder")


def write_text(path: Path, text: str) -> None:
    """Write a whole text file as UTF-8, or leave the old one."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file with sorted keys, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def read_text(path: Path, *, limit_bytes: int = 64 * 2**20) -> str:
    """Read a text file as UTF-8, with or without a byte order mark.

    Raises:
        FileError: If it is missing, a folder, over the limit, not UTF-8, or holds NUL.
    """
    try:
        if path.stat().st_size > limit_bytes:
            raise FileError(
                f"{path} has more than {limit_bytes:,} bytes; split it into smaller files"
            )
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise FileError(f"{path} does not exist; check the path") from error
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}") from error
    return decode_text(content, name=path)


def decode_text(content: bytes, *, name: Path | str) -> str:
    """Give bytes as text.

    Raises:
        FileError: If they are not UTF-8 or hold NUL; it names the line.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise FileError(
            f"{name}:{line} is not UTF-8 (byte {error.start} is 0x{content[error.start]:02x}); "
            "save the file as UTF-8"
        ) from error
    if "\x00" in text:
        line = text[: text.index("\x00")].count("\n") + 1
        raise FileError(f"{name}:{line} holds a NUL character; save the file as plain UTF-8 text")
    return text


def hash_file(path: Path) -> str:
    """Give the sha256 of a file's content.

    Raises:
        FileError: If it cannot be read.
    """
    try:
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}") from error


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        FileError: If it cannot be read or is not JSON.
    """
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise FileError(f"{path}:{error.lineno} is not JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise FileError(f"{path} is not JSON that can be read: {error}") from error
