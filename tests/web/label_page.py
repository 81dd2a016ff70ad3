"""`kgbuild serve` as its own process, and its page in a headless Chromium."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = Path("/usr/bin/chromium")
ROOT = Path(__file__).resolve().parents[2]
_PATIENCE_MS = 30_000
_COMMAND = "from kgbuild.cli.main import main; main()"


class Serve:
    """The command, running."""

    def __init__(self, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _COMMAND, "serve", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            # Python leaves Ctrl-C ignored where its parent does; a test run may be such a parent.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{40,}", self.url), self.end()

    def __enter__(self) -> Serve:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.end(signal.SIGKILL)

    @property
    def origin(self) -> str:
        return self.url.split("/?")[0]

    @property
    def port(self) -> str:
        return self.origin.split(":")[2]

    def end(self, how: int = signal.SIGINT) -> tuple[int, str, str]:
        """Send a signal and give the exit code and what was said."""
        self.process.send_signal(how)
        out, said = self.process.communicate(timeout=30)
        return self.process.returncode, out, said


class LabelPage:
    """The page, as a person uses it. Whatever the browser's console says is kept."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.said: list[str] = []
        page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.said.append(f"error: {error}"))

    def enter(self, url: str) -> None:
        self.page.goto(url)
        # The sentence stands there before the script has run; a key pressed then is lost.
        self.page.wait_for_selector("body[data-script=ready] #sentence")

    @property
    def sentence(self) -> str:
        return str(self.page.inner_text("#sentence"))

    @property
    def turn(self) -> int:
        return int(self.page.get_attribute("#desk", "data-turn"))

    @property
    def focused(self) -> str:
        return str(self.page.evaluate("document.activeElement.id"))

    def press(self, key: str) -> None:
        """Press a key that answers or undoes, and wait for the turn that it begins."""
        turn = self.turn
        self.page.keyboard.press(key)
        self.wait_for_turn(turn + 1)

    def wait_for_turn(self, turn: int) -> None:
        self.page.wait_for_selector(f'#desk[data-turn="{turn}"]')


@contextmanager
def open_browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        try:
            yield chromium
        finally:
            chromium.close()


@contextmanager
def open_page(chromium: Any, **options: Any) -> Iterator[LabelPage]:
    """A window of its own, with its own cookies."""
    options.setdefault("viewport", {"width": 1100, "height": 780})
    context = chromium.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(_PATIENCE_MS)
    try:
        yield LabelPage(page)
    finally:
        context.close()
