"""build, populate, plan, report, export: the chain and what comes out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kgbuild.cli.options import JsonOption, RunOption, SetOption
from kgbuild.cli.output import RUNS, Bars, find_run, print_json, print_table, say

ConfigPath = Annotated[Path, typer.Argument(help="A YAML config, such as data/configs/demo.yaml.")]
SeedsOption = Annotated[
    Path | None, typer.Option("--seeds", help="Seed file to use instead of the config's.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the main app."""
    app.command("build")(build)
    app.command("populate")(populate)
    app.command("plan")(plan)
    app.command("report")(report)
    app.command("export")(export)


def build(
    config: ConfigPath,
    seeds: SeedsOption = None,
    run: Annotated[
        Path | None, typer.Option("--run", help="Run folder; made or continued.")
    ] = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build a graph and a student from seeds; the same command again goes on where it stopped."""
    from kgbuild.runs import run_flow
    from kgbuild.runs.inputs import read_build_config

    loaded = read_build_config(config, seeds=seeds, settings=settings or ())
    folder = run or RUNS / loaded.name
    summary = run_flow(loaded, folder, progress=Bars())
    if as_json:
        print_json(summary.model_dump(mode="json"))
    elif not summary.made:
        say(f"Nothing to do: 0 teacher calls, 0 writes; {folder} is whole.")
    else:
        say(
            f"{summary.asked} prompts, {summary.parsed} tails parsed, {summary.accepted} accepted, "
            f"{summary.edges} edges between {summary.nodes} phrases, in {summary.seconds:.0f} s."
        )
    if not as_json:
        _say_next(folder)
    for floor in summary.floors:
        say(f"Below a floor: {floor}")
    if summary.floors:
        raise typer.Exit(1)


def populate(
    files: Annotated[
        list[Path], typer.Argument(help="TSV, JSON Lines or ConceptNet lines; plain or gzip.")
    ],
    into: Annotated[
        Path, typer.Option("--into", help="Run folder of their own; made or continued.")
    ],
    config: Annotated[
        Path | None, typer.Option("--config", help="A build config, for critic, dedup and packs.")
    ] = None,
    settings: SetOption = None,
    format: Annotated[
        str | None,
        typer.Option("--format", help="tsv, jsonl, conceptnet, cn100k or csv; else they tell."),
    ] = None,
    skip_unknown: Annotated[
        bool, typer.Option("--skip-unknown", help="Leave out rows of unknown relations.")
    ] = False,
    skip_broken: Annotated[
        bool, typer.Option("--skip-broken", help="Leave out rows that are no triple.")
    ] = False,
    min_weight: Annotated[
        float | None, typer.Option("--min-weight", help="Leave out rows whose weight is less.")
    ] = None,
    against: Annotated[
        list[Path] | None,
        typer.Option("--against", help="Run or graph whose triples are not filed again."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Judge triples from elsewhere, merge those that say the same, and file them as a graph.

    The critic and the merging are those of a build. The same command again goes on where it
    stopped. What is left out stays in the run folder, with its reason.
    """
    from kgbuild.runs import run_flow
    from kgbuild.runs.filing import make_filing_config
    from kgbuild.runs.inputs import read_build_config

    loaded = make_filing_config(
        read_build_config(config, settings=settings or ()),
        files,
        format=format,
        skip_unknown=skip_unknown,
        skip_broken=skip_broken,
        min_weight=min_weight,
        against=against or (),
    )
    summary = run_flow(loaded, into, progress=Bars())
    if as_json:
        print_json(summary.model_dump(mode="json"))
        return
    if not summary.made:
        say(f"Nothing to do: 0 candidates scored, 0 writes; {into} is whole.")
    else:
        say(
            f"{summary.read} rows read, {summary.parsed} triples judged, {summary.accepted} "
            f"accepted, {summary.edges} edges between {summary.nodes} phrases, in "
            f"{summary.seconds:.0f} s."
        )
    for reason, count in summary.left_out.items():
        say(f"{count} left out: {reason}")
    _say_next(into)


def _say_next(folder: Path) -> None:
    from kgbuild.runs.examples import example_edge

    say(f"Graph    {folder}/manifest.json names it; report {folder}/report.html")
    example = example_edge(folder)
    if example is None:
        return
    say("Try next:")
    say(f'  kgbuild query tails "{example.head}" {example.relation} --run {folder}')
    say(f'  kgbuild why "{example.head}" {example.relation} "{example.tail}" --run {folder}')
    say(f'  kgbuild ask "PersonX adopts a puppy" xWant --run {folder}')


def plan(
    config: ConfigPath,
    seeds: SeedsOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how many prompts, tokens and minutes a build will take, from a short pilot."""
    from kgbuild.runs.inputs import read_build_config
    from kgbuild.runs.plan import make_plan

    found = make_plan(read_build_config(config, seeds=seeds, settings=settings or ()))
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    typer.echo(
        f"{found.heads} heads and {found.relations} relations make {found.prompts} prompts: about "
        f"{found.prompt_tokens:,} tokens to read and at most {found.completion_tokens:,} to write. "
        f"The teacher needs about {found.minutes:.1f} minutes here (a pilot of "
        f"{found.pilot_prompts} prompts took {found.pilot_seconds:.1f} s)."
    )


def report(run: RunOption = None, as_json: JsonOption = False) -> None:
    """Write the report of a run again and say where it is."""
    from kgbuild.core.files import read_json
    from kgbuild.runs.reporting import refresh_report

    folder = find_run(run)
    html = refresh_report(folder)
    if as_json:
        print_json(read_json(html.with_suffix(".json")))
    else:
        typer.echo(str(html))


def export(
    format: Annotated[
        str | None, typer.Option("--format", help="One of those that --list explains.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write, or a folder for hf, neo4j-admin.")
    ] = None,
    run: RunOption = None,
    licence: Annotated[
        str, typer.Option("--licence", help="Licence of your corpus, for hf and conceptnet.")
    ] = "other",
    list_formats: Annotated[
        bool, typer.Option("--list", help="Explain every format and stop.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --list: print JSON.")] = False,
) -> None:
    """Write the accepted graph of a run for another tool: TSV, Parquet, GraphML, RDF, Neo4j, ..."""
    from kgbuild.core.errors import ConfigError

    if list_formats:
        _list_formats(as_json=as_json)
        return
    if format is None or out is None:
        missing = "--format" if format is None else "--out"
        raise ConfigError(
            f"{missing} is missing; write kgbuild export --format NAME --out PATH. "
            "kgbuild export --list explains the formats"
        )
    from kgbuild.runs.exporting import export_run

    count = export_run(find_run(run), format=format, out=out, licence=licence)
    say(f"{count} {'triples' if count != 1 else 'triple'} in {out}")


def _list_formats(*, as_json: bool) -> None:
    from kgbuild.corpus.formats import FORMATS

    if as_json:
        print_json([entry.model_dump(mode="json") for entry in FORMATS.values()])
        return
    rows = [(entry.name, entry.example, entry.title, entry.read_by) for entry in FORMATS.values()]
    print_table("Formats", ("format", "--out", "what it is", "read by"), rows)
