"""One driver, its transactions and what its errors mean; knows nothing of edges."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import neo4j
from neo4j.exceptions import (
    AuthConfigurationError,
    AuthError,
    ClientError,
    ConfigurationError,
    DriverError,
    IncompleteCommit,
    Neo4jError,
    ServiceUnavailable,
)

from kgbuild.core.errors import StoreError
from kgbuild.core.server_config import Neo4jConfig
from kgbuild.core.version import __version__
from kgbuild.store.neo4j_store.address import Address

T = TypeVar("T")
Work = Callable[[neo4j.ManagedTransaction], T]
_PAUSE_SECONDS = 1.0


class Connection:
    """A server that answered when we came, until `close`.

    Args:
        address: The server and the way in.
        config: Patience.
        is_read_only: Let the server refuse every write.

    Raises:
        StoreError: If the server is not there, refuses the credentials or has no such database.
    """

    def __init__(self, address: Address, *, config: Neo4jConfig, is_read_only: bool) -> None:
        self.name = address.uri + (f" (database {address.database})" if address.database else "")
        self.is_read_only = is_read_only
        self._address = address
        self._config = config
        self._is_open = True
        try:
            self._driver = neo4j.GraphDatabase.driver(
                address.uri,
                auth=(address.user, address.password.get_secret_value()),
                connection_timeout=config.connect_seconds,
                connection_acquisition_timeout=config.connect_seconds + config.retry_seconds,
                max_transaction_retry_time=config.retry_seconds,
                notifications_min_severity="OFF",
                telemetry_disabled=True,
                user_agent=f"kgbuild/{__version__}",
            )
        except (ConfigurationError, ValueError) as error:
            raise StoreError(f"{self.name} cannot be used: {error}") from error
        try:
            with self._explained():
                self._driver.verify_connectivity()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the connection. A second time does nothing."""
        if self._is_open:
            self._is_open = False
            self._driver.close()

    def read(self, work: Work[T]) -> T:
        """Run a unit of work in which the server refuses every write, again if it fell away."""
        with self._explained(), self._session(neo4j.READ_ACCESS) as session:
            return session.execute_read(work)

    def write(self, work: Work[T]) -> T:
        """Run a unit of work that is stored whole or not at all, again if the server fell away.

        Args:
            work: Must end in the same graph when it is done twice: whether a commit whose answer
                was lost took place, nobody can know.
        """
        if self.is_read_only:
            raise StoreError(f"{self.name} was opened read-only; open it for writing to change it")
        until = time.monotonic() + self._config.retry_seconds
        with self._explained(), self._session(neo4j.WRITE_ACCESS) as session:
            while True:
                try:
                    return session.execute_write(work)
                except IncompleteCommit:
                    if time.monotonic() > until:
                        raise
                    time.sleep(_PAUSE_SECONDS)

    def value(self, statement: str, /, **params: Any) -> Any:
        """Give the one value of a reading statement in one round trip, for questions in a hurry.

        A managed transaction takes three; it is what a failing try falls back on.
        """
        with self._explained():
            try:
                with self._session(neo4j.READ_ACCESS) as session:
                    return session.run(statement, params).single(strict=True)[0]
            except (DriverError, Neo4jError) as error:
                if not error.is_retryable():
                    raise
        return self.read(lambda tx: tx.run(statement, params).single(strict=True)[0])

    def rows(self, statement: str, /, **params: Any) -> list[dict[str, Any]]:
        """Give a small result as rows."""
        return self.read(lambda tx: tx.run(statement, params).data())

    def change(self, statement: str, /, **params: Any) -> None:
        """Run one statement that writes, such as one that makes an index."""
        self.write(lambda tx: tx.run(statement, params).consume())

    @contextmanager
    def _session(self, access: str) -> Iterator[neo4j.Session]:
        if not self._is_open:
            raise StoreError(f"{self.name} is closed; open it again to go on")
        with self._driver.session(
            database=self._address.database, default_access_mode=access
        ) as session:
            yield session

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (AuthError, AuthConfigurationError) as error:
            raise StoreError(
                f"{self.name} refuses user {self._address.user!r} with the password found in "
                f"{self._address.found_in}; correct it there, or name another file with "
                "--credentials"
            ) from error
        except ServiceUnavailable as error:
            raise StoreError(
                f"No Neo4j server answers at {self.name} ({_first_line(error)}); start it (yours "
                "with `kgbuild neo4j start`) or correct the address, and run the same command "
                "again: what was stored stays and is not stored twice"
            ) from error
        except ClientError as error:
            if error.code == "Neo.ClientError.Database.DatabaseNotFound":
                raise StoreError(
                    f"{self.name} has no such database; choose one that exists with --database, "
                    "or leave it out for the user's own"
                ) from error
            raise StoreError(f"{self.name}: {_first_line(error)}") from error
        except (DriverError, Neo4jError) as error:
            raise StoreError(f"{self.name}: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    said = getattr(error, "message", None) or str(error) or type(error).__name__
    return str(said).strip().partition("\n")[0]
