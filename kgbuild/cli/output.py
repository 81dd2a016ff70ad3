"""What commands print: messages to stderr, results to stdout."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import typer

from kgbuild.core.errors import RunError

T = TypeVar("T")
RUNS = Path("data/runs")
_QUIET_SECONDS = 2.0
_LINE_SECONDS = 15.0
_PIPE_COLUMNS = 2_000


def say(message: str) -> None:
    """Tell the user one line, on stderr."""
    typer.echo(message, err=True)


def print_json(value: Any) -> None:
    """Print a result for programs, on stdout."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a result for people, on stdout. Cell texts are data: no markup is read in them."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title), title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    # Whoever reads a pipe has no window that a row must fit into.
    Console(width=None if sys.stdout.isatty() else _PIPE_COLUMNS).print(table)


def find_run(run: Path | None) -> Path:
    """Give the run folder asked for, or the newest one.

    Raises:
        RunError: If there is none.
    """
    if run is not None:
        return run
    from kgbuild.core.manifest import MANIFEST_NAME

    manifests = sorted(
        RUNS.glob(f"*/{MANIFEST_NAME}"), key=lambda path: path.stat().st_mtime, reverse=True
    )
    if not manifests:
        raise RunError(
            f"There is no run below {RUNS}; build one with kgbuild build data/configs/demo.yaml, "
            "or name it with --run"
        )
    say(f"Reading {manifests[0].parent}")
    return manifests[0].parent


class Bars:
    """Progress on stderr: a bar on a terminal, a line now and then elsewhere."""

    def track(self, steps: Iterable[T], *, stage: str, total: int, unit: str) -> Iterator[T]:
        """Pass the steps on and show how many, how fast and how long it will still take."""
        if sys.stderr.isatty():
            yield from self._draw(steps, stage=stage, total=total, unit=unit)
        else:
            yield from self._write(steps, stage=stage, total=total, unit=unit)

    def say(self, message: str) -> None:
        """Tell one line about the run."""
        say(message)

    @staticmethod
    def _draw(steps: Iterable[T], *, stage: str, total: int, unit: str) -> Iterator[T]:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(unit),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        ) as progress:
            task = progress.add_task(stage, total=total)
            for step in steps:
                yield step
                progress.advance(task)

    @staticmethod
    def _write(steps: Iterable[T], *, stage: str, total: int, unit: str) -> Iterator[T]:
        started = said = time.monotonic()
        for number, step in enumerate(steps, start=1):
            yield step
            now = time.monotonic()
            if now - said > _LINE_SECONDS:
                said = now
                rate = number / (now - started)
                left = (total - number) / rate
                say(f"{stage}: {number}/{total} {unit}, {rate:.2f}/s, {left:.0f} s to go")
        seconds = time.monotonic() - started
        if seconds > _QUIET_SECONDS:
            say(f"{stage}: {total} {unit} in {seconds:.0f} s")
