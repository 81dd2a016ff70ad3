"""The server's process: found by the mark on its command line, never by its number alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import psutil

from kgbuild.core.errors import ServerError
from kgbuild.core.files import write_error
from kgbuild.core.server_config import ServerConfig
from kgbuild.store.neo4j_server.home import ServerHome, choose_port

OPENED = [
    f"--add-opens=java.base/{package}=ALL-UNNAMED"
    for package in ("java.nio", "java.io", "sun.nio.ch")
]
_SERVER = "org.neo4j.server.CommunityEntryPoint"
_STOP_SECONDS = 120


def spawn_server(
    place: ServerHome, config: ServerConfig, *, java: str, jars: Path
) -> psutil.Process:
    """Start the server's process; it outlives ours.

    Raises:
        ServerError: If a port that was asked for is taken.
    """
    last = place.read_state()
    bolt = choose_port("bolt", config.bolt_port, last=last.get("bolt"))
    http = choose_port("http", config.http_port, last=last.get("http"))
    if bolt == http:
        raise ServerError(f"Bolt and HTTP cannot share port {bolt}; give them different ones")
    place.write_config(config, bolt=bolt, http=http)
    place.clear_scratch()
    mark = secrets.token_hex(16)
    words = [
        java,
        *OPENED,
        f"-Xms{config.heap_megabytes}m",
        f"-Xmx{config.heap_megabytes}m",
        "-XX:+UseG1GC",
        "-XX:+ExitOnOutOfMemoryError",
        f"-Djava.io.tmpdir={place.scratch}",
        f"-Dkgbuild.mark={mark}",
        "-cp",
        f"{jars}/*",
        _SERVER,
        f"--home-dir={place.path}",
        f"--config-dir={place.conf}",
    ]
    # The mark before the process: if we die in between, the process can still be found by it.
    place.write_state(mark=mark, bolt=bolt, http=http)
    try:
        console = os.open(place.console, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            pid = os.posix_spawn(
                java,
                words,
                os.environ,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, console, 1),
                    (os.POSIX_SPAWN_DUP2, console, 2),
                ],
                setsid=True,
            )
        finally:
            os.close(console)
    except OSError as error:
        raise write_error(place.path, error) from error
    process = psutil.Process(pid)
    place.write_state(mark=mark, pid=pid, bolt=bolt, http=http)
    return process


def find_server(place: ServerHome) -> psutil.Process | None:
    """Give the living process that bears this home's mark, wherever its pid was written."""
    state = place.read_state()
    if "mark" not in state:
        return None
    wanted = f"-Dkgbuild.mark={state['mark']}"
    if "pid" in state:
        try:
            process = psutil.Process(state["pid"])
            if _bears(process, wanted):
                return process
        except psutil.Error:
            pass  # Ended; its number may even be another program's by now.
    for process in psutil.process_iter():
        if _bears(process, wanted):
            return process
    return None


def _bears(process: psutil.Process, mark: str) -> bool:
    try:
        words = process.cmdline()
        return is_alive(process) and mark in words and _SERVER in words
    except psutil.Error:
        return False


def end_process(process: psutil.Process) -> None:
    """Ask a process to end and wait until it has.

    Raises:
        ServerError: If it does not.
    """
    try:
        process.terminate()
        process.wait(_STOP_SECONDS)
    except psutil.NoSuchProcess:
        pass
    except psutil.TimeoutExpired as error:
        raise ServerError(
            f"The server (process {process.pid}) has not ended in {_STOP_SECONDS} s; look into its "
            "logs, and end it by hand if it does not write any more"
        ) from error


def is_alive(process: psutil.Process) -> bool:
    """Whether a process still runs; one that ended unobserved does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
