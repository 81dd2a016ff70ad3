"""Who may speak to the page: the bearer of the token, and only through pages of this server.

A server on loopback can be reached by every page that the same browser shows, and by every user
of the machine. So the first request must bring the token, later ones the cookie that it is
exchanged for, and what changes something must come from a page of this server. Names that were
bound anew to its address (DNS rebinding) are refused before, by their Host header.
"""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STATIC = "/static"
_FORM = "application/x-www-form-urlencoded"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    # Not no-referrer: with it browsers send "Origin: null" beside this page's own forms.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Access:
    """The secrets of one server: the token in its address, the cookie it is exchanged for."""

    def __init__(self, port: int) -> None:
        self.token = secrets.token_urlsafe(32)
        self._session = secrets.token_urlsafe(32)
        # Cookies do not know ports: the name keeps those of two servers apart.
        self._cookie = f"kgbuild_{port}"

    def has_token(self, request: HTTPConnection) -> bool:
        """Whether the address bears the token."""
        return _is_same(request.query_params.get("token", ""), self.token)

    def has_cookie(self, request: HTTPConnection) -> bool:
        """Whether the request bears the cookie."""
        return _is_same(request.cookies.get(self._cookie, ""), self._session)

    def set_cookie(self, response: Response) -> None:
        """Give the cookie that lets in; no script and no page of another site can use it."""
        response.set_cookie(self._cookie, self._session, httponly=True, samesite="strict")


def _is_same(given: str, wanted: str) -> bool:
    # Bytes: compare_digest refuses text that is not ASCII.
    return secrets.compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode())


class Guard:
    """Refuses a request before its body is read, or lets it pass."""

    def __init__(self, app: ASGIApp, *, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request.

        Raises:
            HTTPException: 403 or 415, with words for the one who sent it.
        """
        request = HTTPConnection(scope)
        # The style and the script are no secret, and the page of a refusal needs them.
        if not request.url.path.startswith(f"{STATIC}/"):
            self._check_bearer(request)
        if scope["method"] not in ("GET", "HEAD"):
            _check_sender(request)
        await self._app(scope, receive, send)

    def _check_bearer(self, request: HTTPConnection) -> None:
        is_entering = request.url.path == "/" and self._access.has_token(request)
        if not (is_entering or self._access.has_cookie(request)):
            raise HTTPException(
                403,
                "This page opens with the address that kgbuild serve printed, token and all. "
                "If the server was started anew, its address is a new one.",
            )


def _check_sender(request: HTTPConnection) -> None:
    """Refuse what a page of another origin sends; browsers tell with every form."""
    origin = urlsplit(request.headers.get("origin", ""))
    if origin.scheme not in ("http", "https") or origin.netloc != request.headers.get("host"):
        raise HTTPException(403, "This did not come from a page of this server.")
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != _FORM:
        raise HTTPException(415, f"This takes {_FORM} only.")


class Marked:
    """Puts the headers that confine a page on every answer, errors included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, send_marked)
