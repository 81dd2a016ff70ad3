"""Single keys from a terminal, or the characters of a pipe."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager

END = ""  # what a pipe gives when it is read to its end
_ESCAPE = "\x1b"
_END_OF_INPUT = "\x04"
_ESCAPE_SECONDS = 0.05


class Keyboard:
    """Reads standard input a key at a time. `open_keyboard` makes one."""

    def __init__(self, terminal: int | None) -> None:
        self._terminal = terminal

    def forget(self) -> None:
        """Drop what was typed before now: nobody answers a sentence that is not shown yet."""
        if self._terminal is not None:
            import termios

            termios.tcflush(self._terminal, termios.TCIFLUSH)

    def read_key(self) -> str:
        """Give the next key in lower case; `END` when there are no more."""
        if self._terminal is None:
            # Bytes: what is no text is no key, and no reason to end.
            return sys.stdin.buffer.read(1).decode("ascii", errors="replace").lower()
        key = os.read(self._terminal, 1).decode("ascii", errors="replace").lower()
        if key == _ESCAPE:
            # An arrow key sends several characters, and its letter is no answer.
            while select.select([self._terminal], [], [], _ESCAPE_SECONDS)[0]:
                os.read(self._terminal, 1)
        return END if key == _END_OF_INPUT else key

    def read_line(self) -> str:
        """Give a line, typed with the terminal's own editing."""
        if self._terminal is None:
            return sys.stdin.buffer.readline().decode("utf-8", errors="replace")
        with _mode(self._terminal, is_single=False):
            return sys.stdin.buffer.readline().decode("utf-8", errors="replace")


@contextmanager
def open_keyboard() -> Iterator[Keyboard]:
    """Give the keyboard; a terminal is as it was when the block ends."""
    if not sys.stdin.isatty():
        yield Keyboard(None)
        return
    terminal = sys.stdin.fileno()
    with _mode(terminal, is_single=True):
        yield Keyboard(terminal)


@contextmanager
def _mode(terminal: int, *, is_single: bool) -> Iterator[None]:
    """Let a terminal give single keys without showing them, or whole lines, for a while."""
    import termios

    before = termios.tcgetattr(terminal)
    wanted = termios.tcgetattr(terminal)
    flags = termios.ICANON | termios.ECHO
    wanted[3] = wanted[3] & ~flags if is_single else wanted[3] | flags
    wanted[6][termios.VMIN], wanted[6][termios.VTIME] = 1, 0
    # Not TCSAFLUSH: a key that is pressed meanwhile counts.
    termios.tcsetattr(terminal, termios.TCSADRAIN, wanted)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
