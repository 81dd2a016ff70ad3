"""A server for one labelling session: its socket, its address and its end."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING

import psutil
import uvicorn
from starlette.types import ASGIApp

from kgbuild.core.errors import ServerError
from kgbuild.core.server_config import PageConfig
from kgbuild.web.app import build_app
from kgbuild.web.desk import LabelDesk
from kgbuild.web.guard import Access
from kgbuild.web.pages import Pages

if TYPE_CHECKING:
    from kgbuild.labelling import LabelSession

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class LabelServer:
    """A server that listens already: what opens its address is answered once `run` is called."""

    def __init__(self, app: ASGIApp, listening: socket.socket, *, token: str) -> None:
        self._app = app
        self._listening = listening
        self._token = token

    @property
    def port(self) -> int:
        """The port that was asked for or found."""
        return int(self._listening.getsockname()[1])

    @property
    def url(self) -> str:
        """The address that lets one in."""
        host = self._listening.getsockname()[0]
        shown = socket.gethostname() if _is_wildcard(host) else _bracket(host)
        return f"http://{shown}:{self.port}/?token={self._token}"

    @property
    def is_loopback(self) -> bool:
        """Whether only programs of this machine reach it."""
        return ipaddress.ip_address(self._listening.getsockname()[0]).is_loopback

    def __enter__(self) -> LabelServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def run(self) -> None:
        """Serve until Ctrl-C; a request that is being answered is answered first."""
        config = uvicorn.Config(
            self._app,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            # The first address bears the token, and a log would keep it.
            access_log=False,
            log_config=None,
            log_level="warning",
            timeout_graceful_shutdown=5,
        )
        # uvicorn has ended in order when it raises the signal again; here it is the usual end.
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[self._listening])

    def close(self) -> None:
        """Give the port back."""
        self._listening.close()


def open_server(session: LabelSession, *, guideline: str, config: PageConfig) -> LabelServer:
    """Bind the port and give the server, with the address that lets one in.

    Args:
        session: What is asked and where answers go.
        guideline: How to judge, as Markdown.
        config: Host, port and limits.

    Raises:
        ServerError: If the host is none of this machine's or the port is taken.
    """
    listening = _bind(config.host, config.port)
    host, port = listening.getsockname()[:2]
    access = Access(port)
    app = build_app(
        LabelDesk(session),
        pages=Pages(guideline),
        access=access,
        hosts=name_hosts(config.host, bound=host),
        max_body_bytes=config.max_body_bytes,
    )
    return LabelServer(app, listening, token=access.token)


def name_hosts(asked: str, *, bound: str) -> list[str]:
    """Give what a Host header may call this server.

    On loopback only loopback's names; on an address, that too; on all addresses (0.0.0.0), each
    that this machine has, and its own name.

    >>> name_hosts("127.0.0.1", bound="127.0.0.1")
    ['127.0.0.1', 'localhost', '[::1]']
    """
    names = [*_LOOPBACK, asked.lower(), _bracket(bound)]
    if _is_wildcard(bound):
        own = socket.gethostname().lower()
        names += [own, f"{own}.local"]
        for addresses in psutil.net_if_addrs().values():
            names += [
                _bracket(one.address.split("%")[0])
                for one in addresses
                if one.family in (socket.AF_INET, socket.AF_INET6)
            ]
    return list(dict.fromkeys(names))


def _bind(host: str, port: int) -> socket.socket:
    if not host.strip():
        # To a socket, no host means every address that the machine has.
        raise ServerError("The host is empty; --host 127.0.0.1 is this machine alone")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, address = found[0]
        return socket.create_server(address[:2], family=family, backlog=64)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ServerError(
            f"Nothing can listen on {host[:80]} port {port} ({reason}); --port 0 takes a free "
            "port, and --host 127.0.0.1 is this machine alone"
        ) from error


def _is_wildcard(host: str) -> bool:
    return ipaddress.ip_address(host).is_unspecified


def _bracket(host: str) -> str:
    return f"[{host}]" if ":" in host else host
