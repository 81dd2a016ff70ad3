"""One server's folder: its data, config, logs, password and the mark of its process."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
from pathlib import Path
from typing import Any

import platformdirs

from kgbuild.core.errors import FileError, ServerError
from kgbuild.core.files import read_json, write_error, write_json, write_text
from kgbuild.core.server_config import ServerConfig

USER = "neo4j"
HOST = "127.0.0.1"
_USUAL_PORTS = {"bolt": 7687, "http": 7474}

_CONFIG = """\
# Written by kgbuild at each start; put settings of your own into kgbuild's options.
server.default_listen_address={host}
server.default_advertised_address={host}
server.bolt.listen_address={host}:{bolt}
server.bolt.advertised_address={host}:{bolt}
server.http.listen_address={host}:{http}
server.http.advertised_address={host}:{http}
server.https.enabled=false
server.memory.pagecache.size={page_cache}m
db.tx_log.preallocate=false
db.tx_log.rotation.retention_policy=1 files
dbms.usage_report.enabled=false
client.allow_telemetry=false
"""


def default_home() -> Path:
    """Give the folder of the user's own server; `KGBUILD_NEO4J_HOME` moves it."""
    moved = os.environ.get("KGBUILD_NEO4J_HOME")
    return Path(moved).expanduser() if moved else platformdirs.user_data_path("kgbuild") / "neo4j"


class ServerHome:
    """The files of one server.

    Args:
        path: The folder; `default_home()` without it.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = Path(path or default_home()).expanduser().absolute()
        self.conf = self.path / "conf"
        self.console = self.path / "logs" / "console.log"
        self.credentials = self.path / "credentials"
        self.lock = self.path / "kgbuild.lock"
        self.scratch = self.path / "tmp"
        self._state = self.path / "kgbuild.json"

    def make(self) -> None:
        """Make the folder, for its user only.

        Raises:
            FileError: If it cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path.chmod(0o700)
            for folder in (self.conf, self.console.parent):
                folder.mkdir(exist_ok=True)
        except OSError as error:
            raise write_error(self.path, error) from error

    def clear_scratch(self) -> None:
        """Empty the server's temporary folder: a server that was killed leaves its web pages there.

        Raises:
            FileError: If that cannot be done.
        """
        try:
            shutil.rmtree(self.scratch, ignore_errors=True)
            self.scratch.mkdir(exist_ok=True)
        except OSError as error:
            raise write_error(self.scratch, error) from error

    @property
    def has_data(self) -> bool:
        """Whether a server has run here, so that its password can no longer be set."""
        return (self.path / "data" / "databases" / "system").exists()

    def read_state(self) -> dict[str, Any]:
        """Give what the last start wrote: `mark`, `pid`, `bolt`, `http`; empty if there was none.

        A broken file is as good as none: whose a process is, only its command line tells.
        """
        try:
            state = read_json(self._state)
        except FileError:
            return {}
        if not isinstance(state, dict):
            return {}
        kinds = {"mark": str, "pid": int, "bolt": int, "http": int}
        return {
            name: state[name] for name, kind in kinds.items() if isinstance(state.get(name), kind)
        }

    def write_state(self, **state: str | int) -> None:
        """Keep what the next command needs to find the server."""
        write_json(self._state, state)

    def write_config(self, config: ServerConfig, *, bolt: int, http: int) -> None:
        """Write the server's own config file."""
        text = _CONFIG.format(
            host=HOST, bolt=bolt, http=http, page_cache=config.page_cache_megabytes
        )
        write_text(self.conf / "neo4j.conf", text)

    def make_password(self) -> str:
        """Write a new password into a file that only the user can read, and give it."""
        password = secrets.token_urlsafe(24)
        self._write_credentials(f"NEO4J_USERNAME={USER}\nNEO4J_PASSWORD={password}\n")
        return password

    def read_password(self) -> str:
        """Give the server's password.

        Raises:
            ServerError: If its file is gone or was changed.
        """
        try:
            lines = self.credentials.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            lines = []
        for line in lines:
            name, _, value = line.partition("=")
            if name == "NEO4J_PASSWORD" and value:
                return value
        raise ServerError(
            f"{self.credentials} does not hold the password of the server in {self.path} any "
            "more; put the file back, or move that folder away and push the graph again"
        )

    def _write_credentials(self, text: str) -> None:
        try:
            self.credentials.unlink(missing_ok=True)
            # Born with these rights: there is no moment in which others could read it.
            descriptor = os.open(self.credentials, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as written:
                written.write(text)
        except OSError as error:
            raise write_error(self.credentials, error) from error


def choose_port(name: str, asked: int, *, last: int | None) -> int:
    """Give a free port: the one asked for, or the last one, the usual one, any.

    Raises:
        ServerError: If the one asked for is taken.
    """
    if asked:
        if not _is_free(asked):
            raise ServerError(
                f"Port {asked} on {HOST} is taken by another program; choose another with "
                f"--{name}-port, or leave the option out and a free one is taken"
            )
        return asked
    for port in (last, _USUAL_PORTS[name]):
        if port and _is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the server itself binds: a port that only waits after a connection is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
