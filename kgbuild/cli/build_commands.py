"""build, plan, report, export: the chain and what comes out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kgbuild.cli.options import JsonOption, RunOption, SetOption
from kgbuild.cli.output import RUNS, Bars, find_run, print_json, say

ConfigPath = Annotated[Path, typer.Argument(help="A YAML config, such as data/configs/demo.yaml.")]
SeedsOption = Annotated[
    Path | None, typer.Option("--seeds", help="Seed file to use instead of the config's.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the main app."""
    app.command("build")(build)
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
    format: Annotated[str, typer.Option("--format", help="jsonl, tsv, parquet or hf.")],
    out: Annotated[Path, typer.Option("--out", help="File to write, or a folder for hf.")],
    run: RunOption = None,
) -> None:
    """Write the accepted graph of a run as a corpus."""
    from kgbuild.runs.exporting import export_run

    count = export_run(find_run(run), format=format, out=out)
    say(f"{count} rows in {out}")
