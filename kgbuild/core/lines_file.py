"""A file of JSON Lines that is only added to: held against others, mended after a kill."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from filelock import FileLock, Timeout

from kgbuild.core.errors import LabelError
from kgbuild.core.files import write_error
from kgbuild.core.records import Record

_LONGEST_LINE = 100_000
_BEGINNING = b'{"triple_id": "'


class LinesFile:
    """Records whose first field is `triple_id`, one a line; what `append` was given is on disk.

    Args:
        path: Made if it is not there.
        busy: What to say if another process has it open.

    Attributes:
        path: Where it is.
        taken_out: Bytes of a last line that a kill cut off and that were taken out; mostly 0.

    Raises:
        LabelError: If another process holds the file, or it cannot be one of plain lines.
        FileError: If it cannot be written.
    """

    def __init__(self, path: Path, *, busy: str) -> None:
        self.path = path
        self.taken_out = 0
        self._descriptor = -1
        self._lock = FileLock(path.with_name(f".{path.name}.lock"))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise LabelError(busy) from error
        except OSError as error:
            raise write_error(path, error) from error
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    @property
    def is_open(self) -> bool:
        """Whether rows can be added."""
        return self._descriptor >= 0

    def append(self, rows: Iterable[Record]) -> None:
        """Add rows and wait for the disk once.

        Raises:
            FileError: If they cannot be written; then nothing of them is left.
        """
        text = "".join(
            json.dumps(row.model_dump(mode="json"), ensure_ascii=False) + "\n" for row in rows
        )
        size = os.fstat(self._descriptor).st_size
        try:
            content = memoryview(text.encode("utf-8"))
            while content:
                content = content[os.write(self._descriptor, content) :]
            os.fsync(self._descriptor)
        except OSError as error:
            os.ftruncate(self._descriptor, size)
            raise write_error(self.path, error) from error

    def close(self) -> None:
        """Let go of the file."""
        if self.is_open:
            os.close(self._descriptor)
            self._descriptor = -1
        self._lock.release()

    def _open(self) -> None:
        is_new = not self.path.exists()
        try:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            self._mend()
            if is_new:
                _sync_folder(self.path.parent)
        except OSError as error:
            raise write_error(self.path, error) from error

    def _mend(self) -> None:
        """See to a last line without its end: a whole row gets one, a part of a row goes.

        What does not begin as a row does is somebody's text, and stays for a reader to refuse.
        """
        size = os.fstat(self._descriptor).st_size
        start = max(0, size - _LONGEST_LINE)
        last = os.pread(self._descriptor, size - start, start).rpartition(b"\n")[2]
        if not last:
            return
        try:
            json.loads(last)
        except ValueError:
            begun = min(len(last), len(_BEGINNING))
            if last[:begun] != _BEGINNING[:begun]:
                return
            os.ftruncate(self._descriptor, size - len(last))
            self.taken_out = len(last)
        else:
            os.write(self._descriptor, b"\n")
        os.fsync(self._descriptor)


def _sync_folder(folder: Path) -> None:
    """Put a new file's name on disk, too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
