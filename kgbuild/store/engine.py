"""One ladybug database file, its lock and its transactions; knows nothing of edges."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import ladybug
import pyarrow as pa

from kgbuild.core.errors import KgbuildError, StoreError, StoreLockedError
from kgbuild.core.files import write_error
from kgbuild.store import cypher
from kgbuild.store.lock import StoreLock, describe_holder

WAY_OUT = (
    "Name another path, or move the file away and run the same build again: the run's shards hold "
    "everything that a store is filled from."
)
# The engine's own default is most of the machine's memory, and a checkpoint rewrites the
# relation tables it touches, so it should come seldom while loading.
_POOL_BYTES = 2**30
_CHECKPOINT_BYTES = 256 * 2**20
_LEAST_FREE_BYTES = 2**20


class Engine:
    """An open database file, until `close`.

    Merely opening for writing rewrites the file's header, so a writer too begins as a reader and
    turns at its first transaction: a load that finds nothing new leaves every byte as it was.

    Raises:
        StoreLockedError: If another process holds the file.
        StoreError: If it is missing for a reader, or no database of this version.
    """

    def __init__(self, path: Path, *, is_read_only: bool) -> None:
        self.path = path
        self.is_read_only = is_read_only
        self._is_open = False
        self._has_written = False
        if is_read_only and not path.is_file():
            raise StoreError(f"There is no graph at {path}; build one with `kgbuild build`")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = StoreLock(path, is_shared=is_read_only)
        except OSError as error:
            raise write_error(path, error) from error
        try:
            has_content = path.exists() and (path.is_dir() or path.stat().st_size > 0)
            try:
                self._open(is_writing=not is_read_only and not has_content)
            except _UnfinishedError:
                if is_read_only:
                    raise
                self._open(is_writing=True)  # which finishes it
        except BaseException:
            self._lock.release()
            raise

    def _open(self, *, is_writing: bool) -> None:
        try:
            self._database = ladybug.Database(
                self.path,
                read_only=not is_writing,
                buffer_pool_size=_POOL_BYTES,
                checkpoint_threshold=_CHECKPOINT_BYTES,
            )
            self._connection = ladybug.Connection(self._database)
        except RuntimeError as error:
            raise _opening_error(self.path, error) from error
        self._is_writing = is_writing
        self._is_open = True

    def _shut(self) -> None:
        self._is_open = False
        self._connection.close()
        self._database.close()

    def close(self, *, is_kept: bool = True) -> None:
        """Put everything on disk and give the lock back. A second time does nothing.

        Args:
            is_kept: False for a file that is thrown away, after a failure for instance.
        """
        if not self._is_open:
            return
        try:
            if self._has_written and is_kept:
                self.run(cypher.CHECKPOINT)
        finally:
            self._shut()
            self._lock.release()

    def run(self, statement: str, /, **params: Any) -> None:
        """Run one statement; every value is a parameter, an Arrow table too."""
        with self._result(statement, params):
            pass

    def rows(self, statement: str, /, **params: Any) -> list[dict[str, Any]]:
        """Give a small result as rows."""
        with self._result(statement, params) as result:
            rows: list[dict[str, Any]] = result.rows_as_dict().get_all()
        return rows

    def table(self, schema: pa.Schema, statement: str, /, **params: Any) -> pa.Table:
        """Give a result as an Arrow table with just the columns of a schema."""
        with self._result(statement, params) as result:
            table = result.get_as_arrow()
        if not table.num_rows:
            return schema.empty_table()
        return table.select(schema.names).cast(schema)

    @contextmanager
    def _result(self, statement: str, params: dict[str, Any]) -> Iterator[ladybug.QueryResult]:
        if not self._is_open:
            raise StoreError(f"{self.path} is closed; open it again to go on")
        try:
            result = self._connection.execute(statement, params)
        except RuntimeError as error:
            raise self._failure(error) from error
        try:
            yield result
        finally:
            result.close()

    def _failure(self, error: RuntimeError) -> KgbuildError:
        said = str(error).strip()
        # On a full disk the engine may name only what it misses later.
        is_full = shutil.disk_usage(self.path.parent).free < _LEAST_FREE_BYTES
        if "No space left on device" in said or ("IO exception" in said and is_full):
            return write_error(self.path, OSError(errno.ENOSPC, said))
        return StoreError(f"{self.path}: {said}")

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold a transaction in which the engine refuses every write."""
        self.run(cypher.BEGIN_READING)
        try:
            yield
        except BaseException:
            self._roll_back()
            raise
        self.run(cypher.ROLLBACK)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold a transaction that is stored whole at the end of the block, or not at all."""
        if self.is_read_only:
            raise StoreError(f"{self.path} was opened read-only; open it for writing to change it")
        self._turn_to_writing()
        self.run(cypher.BEGIN)
        try:
            yield
        except BaseException:
            self._roll_back()
            raise
        self.run(cypher.COMMIT)
        self._has_written = True

    def _turn_to_writing(self) -> None:
        if not self._is_writing:
            self._shut()
            self._open(is_writing=True)

    def adopt(self, file: Path) -> None:
        """Put the file of a closed database in the place of this one, whole or not at all.

        Raises:
            OSError: If the file cannot be moved; this database is as it was.
        """
        # What the log holds goes into the old file: it would not fit the new one.
        self._turn_to_writing()
        self.run(cypher.CHECKPOINT)
        self._shut()
        try:
            with file.open("rb+") as copied:
                os.fsync(copied.fileno())
            file.replace(self.path)
        finally:
            self._open(is_writing=False)
        self._has_written = False

    def _roll_back(self) -> None:
        # Some failures end the transaction by themselves; the failure is what the user must see.
        with suppress(StoreError):
            self.run(cypher.ROLLBACK)


class _UnfinishedError(StoreError):
    """A process was killed while it brought the log into the file; a writer finishes that."""


def _opening_error(path: Path, error: RuntimeError) -> StoreError:
    said = str(error)
    if "Could not set lock" in said:
        return StoreLockedError(
            f"{path} is locked: {describe_holder('', path)} has it open. Wait until it ends, or "
            "stop it, and try again."
        )
    if "recovery is pending" in said:
        return _UnfinishedError(
            f"{path} cannot be read: the process that wrote it was killed. Nothing that was stored "
            "is lost; load the same edges again, or run the same build again, which mends the file."
        )
    if "different version" in said:
        reason = "was written by another version of the ladybug database"
    elif "not a valid" in said:
        reason = "is not a graph database"
    else:
        reason = f"cannot be opened ({said.strip()})"
    return StoreError(f"{path} {reason}. {WAY_OUT}")
