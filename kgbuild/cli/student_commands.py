"""student train: a COMET-style model from any exported corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kgbuild.cli.options import SetOption
from kgbuild.cli.output import Bars, say

student_app = typer.Typer(help="Train the student.", no_args_is_help=True)


@student_app.command("train")
def train(
    corpus: Annotated[Path, typer.Argument(help="A corpus as kgbuild export writes it.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the student.")],
    config: Annotated[Path | None, typer.Option("--config", help="A build config.")] = None,
    settings: SetOption = None,
) -> None:
    """Train a student; the same command again goes on from its last checkpoint."""
    from kgbuild.core.records import Split
    from kgbuild.corpus import read_corpus
    from kgbuild.runs.inputs import Inputs, read_build_config
    from kgbuild.student import count_steps, train_student

    inputs = Inputs(read_build_config(config, settings=settings or ()))
    rows = list(read_corpus(corpus))
    steps = train_student(
        rows,
        inputs.all_relations,
        model_path=inputs.student_file.path,
        config=inputs.config.student,
        folder=out,
    )
    train_rows = sum(row.split == Split.TRAIN for row in rows)
    total = count_steps(train_rows, config=inputs.config.student)
    last = None
    for step in Bars().track(steps, stage="student", total=total, unit="steps"):
        last = step
    if last is not None:
        say(f"{last.step} steps, loss {last.loss:.3f}")
    typer.echo(str(out))
