"""Where the server listens, what it is called there, and how it ends."""

from __future__ import annotations

import socket
from pathlib import Path

import psutil
import pytest

from kgbuild.core.errors import ServerError
from kgbuild.core.server_config import PageConfig
from kgbuild.web import open_server
from kgbuild.web.serving import name_hosts
from tests.web.conftest import GUIDELINE, open_session


def open_on(folder: Path, host: str, port: int = 0) -> tuple[str, int, bool]:
    """The address, the port and whether it is loopback's."""
    with open_session(folder) as session:
        wanted = PageConfig(host=host, port=port)
        with open_server(session, guideline=GUIDELINE, config=wanted) as server:
            return server.url, server.port, server.is_loopback


def test_without_a_wish_it_listens_on_loopback_alone(tmp_path: Path) -> None:
    with (
        open_session(tmp_path) as session,
        open_server(session, guideline=GUIDELINE, config=PageConfig()) as server,
    ):
        bound = [
            one.laddr.ip
            for one in psutil.Process().net_connections("tcp")
            if one.status == psutil.CONN_LISTEN and one.laddr.port == server.port
        ]
        assert bound == ["127.0.0.1"]
        assert server.is_loopback


def test_every_server_has_a_token_of_its_own(tmp_path: Path) -> None:
    tokens = {open_on(tmp_path, "127.0.0.1")[0].split("token=")[1] for _ in range(3)}
    assert len(tokens) == 3
    assert min(map(len, tokens)) >= 43, "32 random bytes"


def test_a_port_that_is_taken_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ServerError, match=rf"127\.0\.0\.1 port {port} .*--port 0"):
            open_on(tmp_path, "127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "a" * 300, "::g", "\x00"])
def test_a_host_that_is_not_this_machine_is_an_error(tmp_path: Path, host: str) -> None:
    with pytest.raises(ServerError, match="--host 127.0.0.1 is this machine alone"):
        open_on(tmp_path, host)


@pytest.mark.parametrize("host", ["", "  "])
def test_no_host_is_not_every_address(tmp_path: Path, host: str) -> None:
    with pytest.raises(ServerError, match="empty"):
        open_on(tmp_path, host)


def test_on_all_addresses_it_is_known_by_each_and_not_as_loopback(tmp_path: Path) -> None:
    url, port, is_loopback = open_on(tmp_path, "0.0.0.0")
    assert url.startswith(f"http://{socket.gethostname()}:{port}/?token=")
    assert not is_loopback
    names = name_hosts("0.0.0.0", bound="0.0.0.0")
    assert {"127.0.0.1", "localhost", socket.gethostname().lower()} <= set(names)
    own = [
        one.address
        for addresses in psutil.net_if_addrs().values()
        for one in addresses
        if one.family == socket.AF_INET
    ]
    assert set(own) <= set(names)
    assert "*" not in "".join(names)


def test_an_address_of_its_own_is_known_by_it_only() -> None:
    names = name_hosts("192.168.0.7", bound="192.168.0.7")
    assert names == ["127.0.0.1", "localhost", "[::1]", "192.168.0.7"]
