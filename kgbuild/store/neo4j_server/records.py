"""What a running server is to those who connect to it."""

from __future__ import annotations

from pathlib import Path

from kgbuild.core.records import Record


class Server(Record):
    """A server that kgbuild started and that answers, or answered when it was asked.

    The password is not among it: it stands in `credentials`, which only the user can read.
    """

    home: Path
    pid: int
    uri: str
    browser: str
    credentials: Path
    was_running: bool = False
