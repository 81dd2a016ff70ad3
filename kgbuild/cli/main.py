"""The command line: groups of commands, and what becomes of errors."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from kgbuild import __version__
from kgbuild.cli import (
    build_commands,
    critic_commands,
    data_commands,
    decode_commands,
    evaluate_commands,
    label_commands,
    labels_commands,
    model_commands,
    neo4j_commands,
    push_commands,
    query_commands,
    review_commands,
    serve_commands,
    student_commands,
)
from kgbuild.core.errors import KgbuildError
from kgbuild.core.files import write_error


class _Root(TyperGroup):
    """The root command: what a signal or a reader that left means, before typer decides it."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo("kgbuild: interrupted; the same command goes on from here", err=True)
            raise SystemExit(130) from None
        except BrokenPipeError:
            # Who read us has gone; the interpreter must not complain when it flushes.
            _drop_stdout()
            raise SystemExit(0) from None


app = typer.Typer(
    name="kgbuild",
    cls=_Root,
    help="Build commonsense knowledge graphs by distilling them from language models.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _root(
    version: bool = typer.Option(False, "--version", help="Show the version."),
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit()


build_commands.register(app)
push_commands.register(app)
query_commands.register(app)
decode_commands.register(app)
app.add_typer(query_commands.query_app, name="query")
app.add_typer(critic_commands.critic_app, name="critic")
app.add_typer(evaluate_commands.evaluate_app, name="evaluate")
app.add_typer(data_commands.relations_app, name="relations")
app.add_typer(data_commands.seeds_app, name="seeds")
app.add_typer(data_commands.dedup_app, name="dedup")
data_commands.register(app)
review_commands.register(app)
label_commands.register(app)
serve_commands.register(app)
app.add_typer(labels_commands.labels_app, name="labels")
app.add_typer(model_commands.models_app, name="models")
app.add_typer(neo4j_commands.neo4j_app, name="neo4j")
app.add_typer(student_commands.student_app, name="student")


def main() -> None:
    """Run the command line; an error that the user can mend is one paragraph and exit code 2."""
    try:
        try:
            app()
        finally:
            # Now, not when the interpreter ends: a full disk behind stdout must not pass for done.
            sys.stdout.flush()
    except KgbuildError as error:
        typer.echo(f"kgbuild: {error}", err=True)
        raise SystemExit(2) from None
    except OSError as error:
        # The last net: files of kgbuild's own have better words.
        if error.strerror is None:
            raise
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            _drop_stdout()
        named = os.fsdecode(error.filename)[:200] if error.filename else "the output"
        typer.echo(f"kgbuild: {write_error(Path(named), error)}", err=True)
        raise SystemExit(2) from None


def _drop_stdout() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
