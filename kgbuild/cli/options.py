"""Options that several commands share, so that they read the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON to stdout.")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="section.key=value, over the config; repeatable.")
]
RunOption = Annotated[
    Path | None, typer.Option("--run", help="Run folder; without it, the newest below data/runs.")
]
