"""What a long stage tells whoever watches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Shows how far a stage is. The command line draws bars; tests and scripts stay quiet."""

    def track(self, steps: Iterable[T], *, stage: str, total: int, unit: str) -> Iterator[T]:
        """Pass the steps on and count them."""

    def say(self, message: str) -> None:
        """Tell one line about the run."""


class Quiet:
    """Shows nothing."""

    def track(self, steps: Iterable[T], *, stage: str, total: int, unit: str) -> Iterator[T]:
        """Pass the steps on."""
        yield from steps

    def say(self, message: str) -> None:
        """Say nothing."""


QUIET = Quiet()
