"""Where a server is and who may enter: addresses checked, credentials found, passwords hidden."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from kgbuild.core.errors import FileError, StoreError
from kgbuild.core.files import read_text
from kgbuild.core.records import Record
from kgbuild.store.neo4j_server import ServerHome, server_status
from kgbuild.store.neo4j_server.home import HOST

FILE_VARIABLE = "KGBUILD_NEO4J_CREDENTIALS"
_SCHEMES = ("neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc")
_PORT = 7687
_DATABASE = re.compile(r"[A-Za-z][A-Za-z0-9.-]{0,62}")
_NAMES = ("NEO4J_USERNAME", "NEO4J_PASSWORD", "NEO4J_DATABASE")
_WAYS = (
    "set NEO4J_USERNAME and NEO4J_PASSWORD, or let --credentials (or "
    f"{FILE_VARIABLE}) name a file of your own with these two lines"
)


class Address(Record):
    """A server, a database of it and the way in. Its repr and its JSON have no password."""

    uri: str
    database: str | None
    user: str
    password: SecretStr
    found_in: str


def find_address(
    uri: str = "neo4j://",
    *,
    database: str | None = None,
    credentials: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Address:
    """Give the checked address of a server with the credentials that belong to it.

    They come from the file that was asked for; else from our own server, if the address is its;
    else from the file that `KGBUILD_NEO4J_CREDENTIALS` names; else from `NEO4J_USERNAME` and
    `NEO4J_PASSWORD`.

    Args:
        uri: Such as `neo4j+s://example.org`; `neo4j://` is the server of `kgbuild neo4j start`.
        database: Name of the database; the user's home database without it.
        credentials: File with lines such as `NEO4J_PASSWORD=…`, readable by its user only.
        environment: The environment's variables.

    Raises:
        StoreError: If the address breaks a rule, or no credentials are found.
    """
    uri = _check_uri(uri)
    named = environment.get(FILE_VARIABLE)
    found_in = ""
    values: Mapping[str, str] = {}
    if credentials is not None:
        values, found_in = _read_credentials(credentials), str(credentials)
    elif (own := _own_credentials(uri)) is not None:
        values, found_in = _read_credentials(own), str(own)
    elif named:
        values, found_in = _read_credentials(Path(named).expanduser()), named
    elif "NEO4J_PASSWORD" in environment:
        values, found_in = environment, "NEO4J_PASSWORD"
    if not values.get("NEO4J_PASSWORD"):
        where = f"{found_in} has no" if found_in else "There is no"
        raise StoreError(f"{where} password for {uri}; {_WAYS}")
    return Address(
        uri=uri,
        database=_check_database(database or values.get("NEO4J_DATABASE") or None),
        user=values.get("NEO4J_USERNAME") or "neo4j",
        password=SecretStr(values["NEO4J_PASSWORD"]),
        found_in=found_in,
    )


def _check_uri(uri: str) -> str:
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise StoreError(
            f"The address has no readable host and port ({error}); write such as "
            "neo4j://127.0.0.1:7687"
        ) from error
    if "@" in parts.netloc:
        # The text is not repeated: it holds a password.
        raise StoreError(
            f"An address must not hold a user or a password, since addresses are shown and logged; "
            f"{_WAYS}"
        )
    if parts.scheme not in _SCHEMES:
        raise StoreError(
            f"{parts.scheme!r} is not a scheme of Neo4j addresses; use one of {', '.join(_SCHEMES)}"
            " (+s is TLS, +ssc TLS with a certificate that nobody signed)"
        )
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise StoreError(
            f"{uri!r} goes on after its port; name a database with --database, and leave the rest "
            "out"
        )
    if uri.isprintable() and host:
        shown = f"[{host}]" if ":" in host else host
        return f"{parts.scheme}://{shown}:{port or _PORT}"
    server = server_status() if not host else None
    if server is None:
        raise StoreError(
            f"{uri!r} names no host, and no server that kgbuild started runs; start one with "
            "`kgbuild neo4j start`, or write such as neo4j://127.0.0.1:7687"
        )
    return server.uri


def _check_database(name: str | None) -> str | None:
    if name is not None and not _DATABASE.fullmatch(name):
        raise StoreError(
            f"{name!r} cannot name a database: a letter and then letters, digits, dots or dashes, "
            "63 at most"
        )
    return name


def _own_credentials(uri: str) -> Path | None:
    parts = urlsplit(uri)
    if parts.hostname not in (HOST, "localhost"):
        return None
    home = ServerHome()
    if home.read_state().get("bolt") != parts.port or server_status() is None:
        return None
    return home.credentials


def _read_credentials(path: Path) -> dict[str, str]:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise FileError(
            f"{path} cannot be read: {error.strerror or error}; it should hold NEO4J_USERNAME and "
            "NEO4J_PASSWORD"
        ) from error
    if not stat.S_ISREG(mode) or mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise StoreError(
            f"{path} holds a password and others may read it; run chmod 600 on it (it must be a "
            "plain file)"
        )
    values = {}
    for line in read_text(path, limit_bytes=2**16).splitlines():
        name, separator, value = line.strip().partition("=")
        if separator and name.strip() in _NAMES:
            values[name.strip()] = value.strip()
    return values
