"""critic train, calibrate, evaluate, score."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kgbuild.cli.critic_tables import print_report
from kgbuild.cli.options import JsonOption, SetOption
from kgbuild.cli.output import Bars, print_json, print_table, say

if TYPE_CHECKING:
    from kgbuild.critic import CriticReport, Guarantee

critic_app = typer.Typer(help="Train, measure and use the critic.", no_args_is_help=True)

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="A build config; its critic section counts.")
]
CriticOption = Annotated[
    Path | None,
    typer.Option("--critic", help="Critic folder; without it, the config's, trained if need be."),
]


@critic_app.command("train")
def train(
    config: ConfigOption = None,
    settings: SetOption = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the critic.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Train the critic on labels and silver verdicts, or find it trained already."""
    from kgbuild.runs.critics import ensure_critic, train
    from kgbuild.runs.inputs import Inputs, read_build_config

    inputs = Inputs(read_build_config(config, settings=settings or ()))
    if out is not None:
        train(inputs, out, progress=Bars())
        folder = out
    else:
        folder = ensure_critic(inputs, progress=Bars())
    if as_json:
        print_json({"critic": str(folder)})
    else:
        typer.echo(str(folder))


class PromiseScope(StrEnum):
    """Of what a promise of precision speaks."""

    EACH = "each"
    ALL = "all"
    GRAPH = "graph"


@critic_app.command("calibrate")
def calibrate(
    out: Annotated[Path, typer.Option("--out", help="Folder for the critic that promises it.")],
    precision: Annotated[
        float, typer.Option("--precision", help="Share of what is kept that shall be right.")
    ] = 0.9,
    confidence: Annotated[
        float, typer.Option("--confidence", help="How sure the promise is to hold.")
    ] = 0.95,
    scope: Annotated[
        PromiseScope,
        typer.Option(
            "--scope",
            help="Promise it of each relation by itself, of all of them at once, or of the graph.",
        ),
    ] = PromiseScope.EACH,
    labels: Annotated[
        list[Path] | None,
        typer.Option("--labels", help="Judged triples; without it, those of the config."),
    ] = None,
    is_unseen: Annotated[
        bool,
        typer.Option(
            "--unseen",
            help="The critic was not made with these labels: all their heads count but those of "
            "the test part and of the config's own labels, not the dev part alone.",
        ),
    ] = False,
    critic: CriticOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Choose thresholds that promise a precision, and say what is missing where they cannot."""
    from kgbuild.runs.promises import calibrate

    guarantee, report = calibrate(
        critic,
        labels or [],
        precision=precision,
        confidence=confidence,
        scope=scope.value,
        out=out,
        is_unseen=is_unseen,
        config=config,
        settings=settings or (),
        progress=Bars(),
    )
    if as_json:
        measured = report.evidence or report.plain
        print_json(
            {
                "critic": str(out),
                "guarantee": guarantee.model_dump(mode="json"),
                "measured": measured.model_dump(mode="json"),
            }
        )
        return
    print_table(
        f"Promise {guarantee.text}, on {guarantee.labels} labels of {guarantee.heads} heads",
        ("relation", "threshold", "heads right", "at least", "test right", "labels missing"),
        _promise_rows(guarantee, report),
    )
    for line in _promise_notes(guarantee):
        say(line)
    typer.echo(str(out))


def _promise_rows(guarantee: Guarantee, report: CriticReport) -> list[tuple[str, ...]]:
    figures = report.evidence or report.plain
    test = {one.relation: (one.kept_plausible, one.kept) for one in figures.relations}
    if guarantee.scope == "graph":
        test = {"": (sum(right for right, _ in test.values()), sum(n for _, n in test.values()))}
    rows: list[tuple[str, ...]] = []
    for one in guarantee.promises:
        right, kept = test.get(one.relation, (0, 0))
        rows.append(
            (
                one.relation or "the graph",
                f"{one.threshold:.2f}" if one.is_given else "refused",
                f"{one.right_heads} of {one.kept_heads}",
                "" if one.low is None else f"{one.low:.3f}",
                f"{right} of {kept}" if kept else "",
                "" if one.more_labels is None else f"{one.more_labels:,}",
            )
        )
    return rows


def _promise_notes(guarantee: Guarantee) -> list[str]:
    refused = [one for one in guarantee.promises if not one.is_given]
    notes = []
    if refused:
        notes.append(
            f"{len(refused)} of {len(guarantee.promises)} are refused and accept nothing; "
            "--json says why"
        )
    given = len(guarantee.promises) - len(refused)
    if guarantee.scope == "each" and given > 1:
        notes.append(
            f"Each promise holds by itself; of {given} about "
            f"{given * (1 - guarantee.confidence):.1f} may be broken. --scope all promises all"
        )
    for count, what in (
        (guarantee.chosen_labels, "were not drawn at random"),
        (guarantee.seen_labels, "are of heads that the critic was made with"),
    ):
        if count:
            notes.append(f"{count:,} labels are left out: they {what}")
    return notes


@critic_app.command("evaluate")
def evaluate(
    labels: Annotated[
        list[Path] | None,
        typer.Option("--labels", help="Judged triples; without it, the critic's own test part."),
    ] = None,
    critic: CriticOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print AUC, precision and yield at the thresholds, and calibration, with intervals."""
    from kgbuild.runs.critics import evaluate_files, find_critic

    folder = find_critic(critic, config=config, settings=settings or (), progress=Bars())
    report = evaluate_files(folder, labels or [])
    if as_json:
        print_json(report.model_dump(mode="json"))
        return
    print_report(report)


@critic_app.command("silver")
def silver(
    runs: Annotated[list[Path], typer.Argument(help="Run folders whose candidates are judged.")],
    out: Annotated[
        Path, typer.Option("--out", help="JSON Lines of verdicts; a file that is there grows.")
    ],
    limit: Annotated[
        int, typer.Option("--limit", min=0, help="Stop at this many verdicts; 0 is no limit.")
    ] = 0,
    critic: CriticOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Let a large critic judge candidates, for a small one to learn from (critic.silver)."""
    from kgbuild.runs.critics import find_critic
    from kgbuild.runs.silver import judge_runs

    folder = find_critic(critic, config=config, settings=settings or (), progress=Bars())
    added, held = judge_runs(runs, folder, out, limit=limit, progress=Bars())
    say(f"{added:,} verdicts added; {out} holds {held:,}")


@critic_app.command("score")
def score(
    file: Annotated[
        Path,
        typer.Argument(help="TSV or JSON Lines with head, relation, tail; - is standard input."),
    ],
    skip_unknown: Annotated[
        bool, typer.Option("--skip-unknown", help="Leave out rows of unknown relations.")
    ] = False,
    critic: CriticOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Score triples of your own: JSON Lines on stdout, in the order of the file."""
    from kgbuild.runs.critics import find_scoring_critic, score_file

    if str(file) == "-":
        file = Path("/dev/stdin")
    folder = find_scoring_critic(
        critic,
        file,
        config=config,
        settings=settings or (),
        skip_unknown=skip_unknown,
        progress=Bars(),
    )
    skipped = 0
    for row in score_file(folder, file, skip_unknown=skip_unknown):
        if row is None:
            skipped += 1
        else:
            typer.echo(json.dumps(row, ensure_ascii=False))
    if skipped:
        say(f"{skipped} rows of unknown relations left out")
