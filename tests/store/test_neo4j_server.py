"""What `kgbuild neo4j` promises, on a real server."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from kgbuild.core.errors import ServerError
from kgbuild.core.server_config import ServerConfig
from kgbuild.store.neo4j_server import (
    Server,
    ServerHome,
    fetch_jars,
    find_java,
    server_status,
    start_server,
    stop_server,
)
from kgbuild.store.neo4j_server.home import choose_port

server = pytest.mark.neo4j


@pytest.fixture
def idle() -> Iterator[subprocess.Popen[bytes]]:
    """A process of somebody else."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        yield process
        process.kill()


def edit_state(home: Path, **changes: object) -> None:
    path = home / "kgbuild.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@server
def test_only_the_user_can_read_the_password_and_nobody_sees_it(neo4j_server: Server) -> None:
    place = ServerHome(neo4j_server.home)
    assert stat.S_IMODE(place.credentials.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.path.stat().st_mode) == 0o700
    password = place.read_password()
    assert len(password) >= 32
    assert password not in repr(neo4j_server)
    assert password not in " ".join(psutil.Process(neo4j_server.pid).cmdline())
    others = [path for path in place.path.rglob("*") if path != place.credentials]
    held = [path for path in others if path.is_file() and password.encode() in path.read_bytes()]
    assert held == []


@server
def test_the_server_listens_on_loopback_only(neo4j_server: Server) -> None:
    connections = psutil.Process(neo4j_server.pid).net_connections(kind="inet")
    listening = {c.laddr for c in connections if c.status == psutil.CONN_LISTEN}
    ports = {
        int(re.search(r":(\d+)", a).group(1)) for a in (neo4j_server.uri, neo4j_server.browser)
    }  # type: ignore[union-attr]
    assert {address.port for address in listening} == ports
    assert {address.ip.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}


@server
def test_a_second_start_changes_nothing(neo4j_server: Server, neo4j_config: ServerConfig) -> None:
    again = start_server(neo4j_server.home, config=neo4j_config)
    assert again == neo4j_server.model_copy(update={"was_running": True})
    assert server_status(neo4j_server.home) == again
    with pytest.raises(ServerError, match="already runs with bolt port"):
        start_server(neo4j_server.home, config=neo4j_config.model_copy(update={"bolt_port": 1}))


@server
def test_a_lost_or_reused_pid_hides_no_server_and_harms_no_process(
    neo4j_server: Server, idle: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    for pid in (idle.pid, 2**22 - 1, "no number"):
        edit_state(neo4j_server.home, pid=pid)
        found = server_status(neo4j_server.home)
        assert found is not None
        assert found.pid == neo4j_server.pid
    # The file of a server that has ended, whose number another process has by now.
    place = ServerHome(tmp_path)
    place.make()
    place.write_state(mark="ab" * 16, pid=idle.pid, bolt=1, http=2)
    assert server_status(tmp_path) is None
    assert stop_server(tmp_path) is False
    assert idle.poll() is None
    (tmp_path / "kgbuild.json").write_text("{ half a fi")
    assert stop_server(tmp_path) is False


@server
def test_a_killed_server_starts_again_with_its_data_and_one_that_cannot_says_why(
    tmp_path: Path, neo4j_config: ServerConfig
) -> None:
    import neo4j

    def ask(running: Server, query: str) -> list[neo4j.Record]:
        auth = ("neo4j", ServerHome(home).read_password())
        with neo4j.GraphDatabase.driver(running.uri, auth=auth) as driver:
            return driver.execute_query(query).records

    home = tmp_path / "server with spaces"
    first = start_server(home, config=neo4j_config)
    try:
        ask(first, "CREATE (:Phrase {text: 'kept'})")
        os.kill(first.pid, signal.SIGKILL)
        psutil.Process(first.pid).wait(30)
        assert server_status(home) is None
        left = set((home / "tmp").iterdir())
        assert left, "its web pages, unpacked"
        second = start_server(home, config=neo4j_config)
        assert not left & set((home / "tmp").iterdir())
        assert second.pid != first.pid
        assert second.uri == first.uri, "ports stay where they were"
        assert ask(second, "MATCH (p:Phrase) RETURN p.text AS text")[0]["text"] == "kept"
    finally:
        assert stop_server(home) is True
    assert stop_server(home) is False
    # Now that it has data: a server that does not come up says why and leaves no process.
    with pytest.raises(ServerError, match="heap|memory|Heap"):
        start_server(home, config=neo4j_config.model_copy(update={"heap_megabytes": 10**9}))
    assert server_status(home) is None
    ServerHome(home).credentials.unlink()
    with pytest.raises(ServerError, match="does not hold the password"):
        start_server(home, config=neo4j_config)


def test_a_missing_java_or_maven_is_said_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KGBUILD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(ServerError, match=r"no java on the PATH.*openjdk-17"):
        find_java()
    with pytest.raises(ServerError, match=r"no mvn on the PATH.*maven"):
        fetch_jars()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))
    with pytest.raises(ServerError, match=r"JAVA_HOME=.*nowhere"):
        find_java()


def test_an_old_java_and_a_failing_maven_are_said_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = {
        "java": "echo 'openjdk version \"11.0.2\" 2019-01-15' >&2",
        "mvn": "echo '[ERROR] Could not resolve dependencies'; exit 1",
    }
    for name, body in programs.items():
        (tmp_path / name).write_text(f"#!{shutil.which('sh')}\n{body}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("KGBUILD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(ServerError, match=r"11\.0\.2.*Java 17 or newer"):
        find_java()
    with pytest.raises(ServerError, match="Could not resolve dependencies"):
        fetch_jars()
    assert list((tmp_path / "cache" / "neo4j").glob("*/")) == []


def test_a_port_that_is_taken_is_refused_or_left_alone() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServerError, match=f"Port {port}.*--bolt-port"):
            choose_port("bolt", port, last=None)
        assert choose_port("bolt", 0, last=port) != port
    assert choose_port("bolt", 0, last=port) == port
