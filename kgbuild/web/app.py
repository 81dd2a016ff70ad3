"""The application: five addresses, each a page that also works without its script."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from kgbuild.core.errors import KgbuildError
from kgbuild.web.desk import LabelDesk, StaleTurnError
from kgbuild.web.forms import AnswerForm, TurnForm, read_form
from kgbuild.web.guard import STATIC, Access, Guard, Marked
from kgbuild.web.pages import Pages

_STATIC = Path(__file__).with_name("static")
# Set by the page's script, which puts the answer into the page that is shown.
_BY_SCRIPT = "x-kgbuild-script"
F = TypeVar("F", bound=TurnForm)


def build_app(
    desk: LabelDesk, *, pages: Pages, access: Access, hosts: Sequence[str], max_body_bytes: int
) -> ASGIApp:
    """Give the application that serves one labeller's session.

    Args:
        desk: The session.
        pages: What is shown.
        access: Who is let in.
        hosts: Names of this server, as a Host header may give them.
        max_body_bytes: A longer body is refused.
    """
    room = _LabelRoom(desk, pages=pages, access=access)
    guarded = Mount(
        "/",
        routes=[
            Route("/", room.show),
            Route("/guideline", room.show_guideline),
            Route("/answer", room.answer, methods=["POST"]),
            Route("/undo", room.undo, methods=["POST"]),
            Mount(STATIC, StaticFiles(directory=_STATIC)),
        ],
        middleware=[Middleware(Guard, access=access)],
    )
    app = Starlette(
        routes=[guarded],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False)
        ],
        exception_handlers={HTTPException: room.refuse, Exception: room.fail},
        max_body_size=max_body_bytes,
    )
    return Marked(app)


class _LabelRoom:
    """The handlers of all addresses."""

    def __init__(self, desk: LabelDesk, *, pages: Pages, access: Access) -> None:
        self._desk = desk
        self._pages = pages
        self._access = access

    async def show(self, request: Request) -> Response:
        """Show the current sentence; exchange a token for the cookie first."""
        if self._access.has_token(request):
            # Not a redirect: a browser that came from another site's link would not send the
            # cookie along. The page that it gets instead goes on by itself.
            entered = HTMLResponse(self._pages.entrance())
            self._access.set_cookie(entered)
            return entered
        return await self._page()

    async def show_guideline(self, request: Request) -> Response:
        """Show how a sentence is judged."""
        return HTMLResponse(self._pages.guideline())

    async def answer(self, request: Request) -> Response:
        """Keep one answer, then show the next sentence."""
        form = await _read(request, AnswerForm)
        try:
            await run_in_threadpool(self._desk.answer, form)
        except StaleTurnError as error:
            return await self._page(409, notice=str(error))
        except KgbuildError as error:
            return await self._page(503, notice=f"“{form.label}” was not saved: {error}")
        return await self._next(request)

    async def undo(self, request: Request) -> Response:
        """Take the last answer back, then show its sentence again."""
        form = await _read(request, TurnForm)
        try:
            is_undone = await run_in_threadpool(self._desk.undo, form)
        except StaleTurnError as error:
            return await self._page(409, notice=str(error))
        except KgbuildError as error:
            return await self._page(503, notice=f"Nothing was taken back: {error}")
        if not is_undone:
            return await self._page(notice="There is no answer to take back.")
        return await self._next(request)

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Show why a request is refused."""
        assert isinstance(error, HTTPException)
        text = self._pages.refusal(error.detail, status=error.status_code)
        return HTMLResponse(text, status_code=error.status_code, headers=error.headers)

    async def fail(self, request: Request, error: Exception) -> Response:
        """Say that there is a bug, without telling a browser more; the terminal has its trace."""
        return HTMLResponse(self._pages.refusal("kgbuild failed here.", status=500), 500)

    async def _next(self, request: Request) -> Response:
        if _BY_SCRIPT in request.headers:
            return await self._page()
        # So that a reload sends nothing again.
        return RedirectResponse("/", status_code=303)

    async def _page(self, status: int = 200, *, notice: str = "") -> Response:
        view = await run_in_threadpool(self._desk.view)
        text = self._pages.label(view, labeller=self._desk.labeller, notice=notice)
        return HTMLResponse(text, status_code=status)


async def _read(request: Request, form: type[F]) -> F:
    try:
        body = await request.body()
    except ClientDisconnect as error:
        raise HTTPException(400, "The connection was lost half-way.") from error
    return read_form(body, form)
