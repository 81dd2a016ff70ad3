"""Starting, stopping and looking at one server."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psutil
from filelock import FileLock

from kgbuild.core.errors import ServerError
from kgbuild.core.server_config import ServerConfig
from kgbuild.store.neo4j_server.home import HOST, USER, ServerHome
from kgbuild.store.neo4j_server.jars import fetch_jars, find_java
from kgbuild.store.neo4j_server.process import (
    OPENED,
    end_process,
    find_server,
    is_alive,
    spawn_server,
)
from kgbuild.store.neo4j_server.records import Server

_ADMIN = "org.neo4j.cli.AdminTool"
_POLL_SECONDS = 0.2
_REFUSED_SECONDS = 30
_REFUSED_POLL_SECONDS = 3
_ADMIN_SECONDS = 3600
_SHOWN_LINES = 3
_TELLING = ("Exception", "ERROR", "Caused by")


def start_server(home: Path | None = None, *, config: ServerConfig | None = None) -> Server:
    """Start the server of a home, unless it runs, and wait until Bolt and Browser answer.

    Args:
        home: The server's folder; `default_home()` without it.
        config: Ports, memory and patience.

    Raises:
        ServerError: If Java or Maven is missing, a port is taken, or the server does not come up.
    """
    config = config or ServerConfig()
    place = ServerHome(home)
    place.make()
    with FileLock(place.lock):
        process = find_server(place)
        if process is not None:
            _wait_until_up(place, process, seconds=config.start_seconds)
            server = _describe(place, process.pid, was_running=True)
            _check_ports(place, config)
            return server
        java, jars = find_java(), fetch_jars()
        if not place.credentials.exists() and not place.has_data:
            _set_password(place, place.make_password(), java=java, jars=jars)
        place.read_password()
        process = spawn_server(place, config, java=java, jars=jars)
        try:
            _wait_until_up(place, process, seconds=config.start_seconds)
        except BaseException:
            end_process(process)
            raise
        return _describe(place, process.pid, was_running=False)


def stop_server(home: Path | None = None) -> bool:
    """Stop the server that kgbuild started in this home; give whether there was one.

    Raises:
        ServerError: If it does not end.
    """
    place = ServerHome(home)
    if not place.path.is_dir():
        return False
    with FileLock(place.lock):
        process = find_server(place)
        if process is None:
            return False
        end_process(process)
        return True


def server_status(home: Path | None = None) -> Server | None:
    """Give the server of this home if its process lives."""
    place = ServerHome(home)
    process = find_server(place)
    return None if process is None else _describe(place, process.pid, was_running=True)


def run_admin(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `neo4j-admin` on a home whose server is stopped, such as `database import full …`.

    Raises:
        ServerError: If it fails; the message has its last lines.
    """
    place = ServerHome(home)
    place.make()
    if find_server(place) is not None:
        raise ServerError(f"The server in {place.path} runs; stop it with `kgbuild neo4j stop`")
    return _admin(place, *words, java=find_java(), jars=fetch_jars())


def _admin(
    place: ServerHome, *words: str, java: str, jars: Path
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [java, *OPENED, "-cp", f"{jars}/*", _ADMIN, *words],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=_ADMIN_SECONDS,
        env={**os.environ, "NEO4J_HOME": str(place.path), "NEO4J_CONF": str(place.conf)},
    )
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).strip().splitlines()[-_SHOWN_LINES:])
        raise ServerError(f"neo4j-admin {' '.join(words[:2])} failed in {place.path}: {said}")
    return done


def _set_password(place: ServerHome, password: str, *, java: str, jars: Path) -> None:
    # By a file: a command line can be read by every user of the machine.
    with tempfile.NamedTemporaryFile("w", dir=place.path, encoding="utf-8") as arguments:
        arguments.write(f'"{password}"')
        arguments.flush()
        try:
            _admin(
                place, "dbms", "set-initial-password", f"@{arguments.name}", java=java, jars=jars
            )
        except BaseException:
            place.credentials.unlink(missing_ok=True)
            raise


def _wait_until_up(place: ServerHome, process: psutil.Process, *, seconds: int) -> None:
    import neo4j
    from neo4j.exceptions import AuthError, DriverError, Neo4jError

    state = place.read_state()
    uri = f"bolt://{HOST}:{state['bolt']}"
    until = time.monotonic() + seconds
    refused_at: float | None = None
    with neo4j.GraphDatabase.driver(
        uri, auth=(USER, place.read_password()), connection_timeout=5, telemetry_disabled=True
    ) as driver:
        while True:
            try:
                driver.verify_connectivity()
                # The Browser listens a moment later than Bolt.
                socket.create_connection((HOST, state["http"]), timeout=5).close()
            except AuthError as error:
                # A server that starts slowly answers before it knows its users.
                refused_at = refused_at or time.monotonic()
                if time.monotonic() - refused_at > _REFUSED_SECONDS:
                    raise ServerError(
                        f"The server in {place.path} does not take the password in "
                        f"{place.credentials}; put back the one it was started with first, or "
                        "move that folder away and push the graph again"
                    ) from error
                time.sleep(_REFUSED_POLL_SECONDS)
            except (DriverError, Neo4jError, OSError) as error:
                if not is_alive(process):
                    raise ServerError(_why_it_ended(place)) from error
                if time.monotonic() > until:
                    raise ServerError(
                        f"The server in {place.path} has not answered in {seconds} s; its words "
                        f"are in {place.console}. Try again with a longer --wait"
                    ) from error
                time.sleep(_POLL_SECONDS)
            else:
                return


def _why_it_ended(place: ServerHome) -> str:
    lines = place.console.read_text(encoding="utf-8", errors="replace").splitlines()
    telling = [line.strip() for line in lines if any(word in line for word in _TELLING)]
    said = " ".join((telling or lines)[:_SHOWN_LINES]) or "it said nothing"
    return f"The server in {place.path} ended while starting: {said} (all of it in {place.console})"


def _describe(place: ServerHome, pid: int, *, was_running: bool) -> Server:
    state = place.read_state()
    return Server(
        home=place.path,
        pid=pid,
        uri=f"neo4j://{HOST}:{state['bolt']}",
        browser=f"http://{HOST}:{state['http']}/browser/",
        credentials=place.credentials,
        was_running=was_running,
    )


def _check_ports(place: ServerHome, config: ServerConfig) -> None:
    state = place.read_state()
    for name, asked in (("bolt", config.bolt_port), ("http", config.http_port)):
        if asked and asked != state[name]:
            raise ServerError(
                f"The server in {place.path} already runs with {name} port {state[name]}, not "
                f"{asked}; stop it with `kgbuild neo4j stop` first"
            )
