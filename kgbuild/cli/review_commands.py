"""import, undo: what people decide comes back into a graph."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kgbuild.cli.options import JsonOption, RunOption
from kgbuild.cli.output import Bars, find_run, print_json, say
from kgbuild.core.errors import LabelError

if TYPE_CHECKING:
    from kgbuild.runs.reviewing import ReviewSummary

ByOption = Annotated[
    str | None, typer.Option("--by", help="Who decides; without it, your user name.")
]


AlsoOption = Annotated[
    str | None,
    typer.Option("--also", help="Address of a server that what is out is taken out of, too."),
]
CredentialsOption = Annotated[
    Path | None,
    typer.Option("--credentials", help="Of --also: file with its user and password."),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the main app."""
    app.command("import")(import_file)
    app.command("undo")(undo)


def import_file(
    file: Annotated[Path, typer.Argument(help="TSV, JSON Lines, ConceptNet lines or a sheet.")],
    run: RunOption = None,
    by: ByOption = None,
    format: Annotated[
        str | None,
        typer.Option("--format", help="tsv, jsonl, conceptnet or csv; else the file tells."),
    ] = None,
    guideline: Annotated[
        int, typer.Option("--guideline", min=1, help="Version of the labelling guideline.")
    ] = 1,
    skip_unknown: Annotated[
        bool, typer.Option("--skip-unknown", help="Leave out rows of unknown relations.")
    ] = False,
    also: AlsoOption = None,
    credentials: CredentialsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take triples and a reviewer's answers (accept, comment) into a run's graph.

    A new triple is added, a changed one replaces the old, and one answered no is taken out and
    stays out of later builds. Each answer is kept as a label under RUN/review.
    """
    from kgbuild.runs.reviewing import Review

    _check_server(also, credentials)
    review = Review(find_run(run), by=_user(by), progress=Bars())
    done = review.import_file(file, format=format, guideline=guideline, skip_unknown=skip_unknown)
    _show(done, as_json=as_json)
    _withdraw(Path(done.run), also, credentials)


def undo(
    why: Annotated[str, typer.Option("--why", help="The reason, kept with what is taken out.")],
    run: Annotated[
        str, typer.Option("--run", help="Everything of this run: its id, folder or import key.")
    ] = "",
    teacher: Annotated[
        str, typer.Option("--teacher", help="Everything that this language model wrote.")
    ] = "",
    triple: Annotated[str, typer.Option("--triple", help="One triple, by its id.")] = "",
    place: Annotated[
        Path | None,
        typer.Option("--in", help="Run folder to take it out of; without it, the newest."),
    ] = None,
    is_restored: Annotated[
        bool, typer.Option("--restore", help="Let it in again instead.")
    ] = False,
    by: ByOption = None,
    also: AlsoOption = None,
    credentials: CredentialsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take triples out of a run's graph again, also out of later builds, and record why."""
    from kgbuild.core.manifest import MANIFEST_NAME, read_manifest
    from kgbuild.runs.reviewing import Review

    _check_server(also, credentials)
    if run and (Path(run) / MANIFEST_NAME).is_file():
        place = place or Path(run)
        run = read_manifest(Path(run)).run_id
    review = Review(find_run(place), by=_user(by), progress=Bars())
    done = review.undo(why=why, run=run, teacher=teacher, triple=triple, is_restored=is_restored)
    _show(done, as_json=as_json)
    _withdraw(Path(done.run), also, credentials)


def _user(by: str | None) -> str:
    if by is not None:
        return by
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise LabelError("This machine has no name for you; say who decides with --by") from error


def _check_server(also: str | None, credentials: Path | None) -> None:
    """Refuse a wrong address before anything is decided."""
    if also is None:
        if credentials is not None:
            raise LabelError("--credentials belongs to a server; name one with --also")
        return
    from kgbuild.store.neo4j_store import find_address

    find_address(also, credentials=credentials)


def _withdraw(folder: Path, also: str | None, credentials: Path | None) -> None:
    if also is None:
        return
    from kgbuild.runs.withdrawing import withdraw
    from kgbuild.store.neo4j_store import find_address

    address = find_address(also, credentials=credentials)
    say(f"{withdraw(folder, address=address)} edges taken out of {address.uri}")


def _show(done: ReviewSummary, *, as_json: bool) -> None:
    if as_json:
        print_json(done.model_dump(mode="json"))
        return
    if not done.batch:
        say(f"Nothing new: {done.edges} edges, as before.")
    else:
        say(
            f"{done.triples} triples brought, {done.tombstones} tombstones, {done.labels} labels; "
            f"{done.edges_before} edges before, {done.edges} now."
        )
        say(f"Kept as {done.batch} in {done.run}/review")
    if done.still_out:
        say(f"{done.still_out} rows stay out: their triples were taken out before; accept=yes in "
            "a sheet lets them in again")  # fmt: skip
    for reason, count in done.left_out.items():
        say(f"{count} rows left out: {reason}")
    if done.edges != done.edges_before:
        say("The same kgbuild build as before trains the student and writes the report anew.")
