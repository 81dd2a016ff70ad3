"""Who has a store open: many readers or one writer, told by name.

The lock is the kernel's (`flock` on a file beside the store), so it ends with its process, even
by `kill -9`, and a stale file blocks nobody. The file's lines only say who asked for it.
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import socket
import sys
from pathlib import Path
from typing import IO, Any

import psutil

from kgbuild.core.errors import StoreLockedError


class StoreLock:
    """A shared or exclusive hold on one store file, until `release`.

    Args:
        path: The store file; the lock file is `path` with `.lock` at its end.
        is_shared: True for a reader. A reader in a folder it may not write to takes no lock when
            there is no lock file, since nobody else there can be writing either.

    Raises:
        StoreLockedError: If another process (or this one) holds it in a way that excludes ours.
    """

    def __init__(self, path: Path, *, is_shared: bool) -> None:
        self._path = path.with_name(path.name + ".lock")
        self._file = _open(self._path, is_shared=is_shared)
        while self._file is not None:
            _hold(self._file, path, is_shared=is_shared)
            if self._is_current(self._file):
                break
            # Whoever had it took the file away after we had opened it.
            self._file.close()
            self._file = _open(self._path, is_shared=is_shared)
        if self._file is not None and self._file.writable():
            if not is_shared:
                self._file.truncate(0)
            self._file.write(json.dumps(_own_entry(is_shared=is_shared)) + "\n")
            self._file.flush()

    def _is_current(self, file: IO[str]) -> bool:
        try:
            return os.path.samestat(os.fstat(file.fileno()), self._path.stat())
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Give the store back; the last one out takes the lock file away."""
        if self._file is None or self._file.closed:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self._file.writable() and self._is_current(self._file):
                self._file.truncate(0)
                self._path.unlink()
        except BlockingIOError:
            pass  # Other readers are still there; the list of names stays for them.
        except PermissionError:
            pass  # A folder that is not ours: the file stays, empty.
        self._file.close()


def _hold(file: IO[str], path: Path, *, is_shared: bool) -> None:
    mode = fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX
    try:
        fcntl.flock(file, mode | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        holder = describe_holder(file.read(), path)
        file.close()
        purpose = "read" if is_shared else "written"
        raise StoreLockedError(
            f"{path} cannot be {purpose} now: {holder} has it open. Readers share a store, a "
            "writer needs it alone; wait until that process ends, or stop it, and try again."
        ) from error


def _open(path: Path, *, is_shared: bool) -> IO[str] | None:
    try:
        return path.open("a+", encoding="utf-8")
    except OSError:
        if not is_shared:
            raise
    try:
        return path.open("r", encoding="utf-8")
    except OSError:
        return None


def _own_entry(*, is_shared: bool) -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "started": psutil.Process().create_time(),
        "host": socket.gethostname(),
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "mode": "reading" if is_shared else "writing",
    }


def describe_holder(record: str, path: Path) -> str:
    """Name the living process of a lock file's lines, or of those that have the store open."""
    for line in reversed(record.splitlines()):
        try:
            entry = json.loads(line)
            if entry["host"] != socket.gethostname() or _is_alive(entry):
                return (
                    f"process {entry['pid']} on {entry['host']} "
                    f"({entry['command']}, {entry['mode']})"
                )
        except (json.JSONDecodeError, KeyError, TypeError):
            continue  # A line half written by a process that was killed.
    return _find_opener(path) or "another process"


def _is_alive(entry: dict[str, Any]) -> bool:
    try:
        return bool(psutil.Process(entry["pid"]).create_time() == entry["started"])
    except psutil.NoSuchProcess:
        return False


def _find_opener(path: Path) -> str:
    wanted = str(path.resolve())
    for process in psutil.process_iter(["pid", "cmdline"]):
        try:
            if any(opened.path == wanted for opened in process.open_files()):
                command = shlex.join(process.info["cmdline"] or [])
                return f"process {process.pid} on {socket.gethostname()} ({command})"
        except psutil.Error:
            continue  # Gone meanwhile, or not ours to look into.
    return ""
