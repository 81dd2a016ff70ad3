"""relations, seeds, dedup, schemas: looking at what goes in and at what was merged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from kgbuild.cli.inputs import read_input
from kgbuild.cli.options import JsonOption, RunOption
from kgbuild.cli.output import find_run, print_json, print_table, say
from kgbuild.core.errors import RunError

relations_app = typer.Typer(help="List relations; check a pack of your own.")
seeds_app = typer.Typer(help="Take heads out of running text.", no_args_is_help=True)
dedup_app = typer.Typer(help="See why tails were merged.", no_args_is_help=True)

DEFAULT_PACKS = ["atomic2020.en", "generics.en"]


def register(app: typer.Typer) -> None:
    """Add the commands that stand alone to the main app."""
    app.command("schemas")(schemas)


@relations_app.callback(invoke_without_command=True)
def relations(
    context: typer.Context,
    pack: Annotated[
        list[str] | None, typer.Option("--pack", help="Pack name or file; repeatable.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the relations of the packs."""
    if context.invoked_subcommand is not None:
        return
    from kgbuild.core.relations import load_relations

    found = list(load_relations(pack or DEFAULT_PACKS))
    if as_json:
        print_json([relation.model_dump(mode="json", by_alias=True) for relation in found])
        return
    print_table(
        "Relations",
        ("name", "head", "polarity", "sentence", "gloss"),
        [
            (
                relation.name,
                relation.head_kind,
                relation.polarity,
                relation.sentence,
                relation.gloss,
            )
            for relation in found
        ],
    )


@relations_app.command("lint")
def lint(
    file: Annotated[Path, typer.Argument(help="A relation pack of your own.")],
    as_json: JsonOption = False,
) -> None:
    """Check a relation pack: every finding with its line, its rule and the nearest valid word."""
    from kgbuild.core.relation_lint import lint_pack

    findings = lint_pack(file)
    if as_json:
        print_json([finding.model_dump(mode="json") for finding in findings])
    else:
        for finding in findings:
            typer.echo(f"{file}:{finding.line}: {finding.rule}: {finding.message}")
    if findings:
        raise typer.Exit(2)
    say(f"{file} keeps every rule")


@seeds_app.command("extract")
def extract(
    texts: Annotated[list[Path], typer.Argument(help="Text files; - is standard input.")],
    kind: Annotated[str, typer.Option("--kind", help="event, concept or all.")] = "all",
) -> None:
    """Print events (PersonX-normalised) and concepts of running text as TSV: head, kind."""
    from kgbuild.core.config import SeedsConfig
    from kgbuild.core.errors import SeedError, did_you_mean
    from kgbuild.core.records import Head
    from kgbuild.seeds import extract_heads

    if kind not in ("all", "event", "concept"):
        raise SeedError(
            f"--kind {kind!r} is not event, concept or all"
            f"{did_you_mean(kind, ('event', 'concept', 'all'))}"
        )
    contents = (read_input(path) for path in texts)
    typer.echo("head\tkind")
    skipped = 0
    for found in extract_heads(contents, config=SeedsConfig()):
        if not isinstance(found, Head):
            skipped += 1
        elif kind in ("all", found.kind):
            typer.echo(f"{found.text}\t{found.kind}")
    say(f"{skipped} clauses and repeats left out")


@dedup_app.command("explain")
def explain(
    head: str,
    relation: str,
    tail: str,
    run: RunOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the cluster of a triple: what was merged into what, how near, and why."""
    from kgbuild.query import open_graph

    folder = find_run(run)
    with open_graph(folder) as graph:
        cluster = graph.why(head, relation, tail).cluster
    if cluster is None:
        raise RunError(
            f"{folder} accepted no triple {head!r} {relation} {tail!r}; kgbuild why says what "
            "became of it"
        )
    members = [member.model_dump(mode="json") for member in cluster.members]
    if as_json:
        print_json(members)
        return
    print_table(
        f"{head} · {relation}",
        ("tail", "probability", "similarity", "reason"),
        [
            (member["tail"], f"{member['probability']:.3f}", f"{member['similarity']:.3f}",
             member["reason"])
            for member in members
        ],
    )  # fmt: skip


def schemas(
    out: Annotated[Path, typer.Option("--out", help="Folder for the JSON Schemas.")] = Path(
        "schemas/json"
    ),
) -> None:
    """Write the JSON Schema of every record that leaves kgbuild."""
    from kgbuild.core.files import write_text
    from kgbuild.core.schemas import export_schemas

    for name, schema in export_schemas().items():
        write_text(out / f"{name}.json", json.dumps(schema, indent=2, sort_keys=True) + "\n")
    say(f"Schemas in {out}")
