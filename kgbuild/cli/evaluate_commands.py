"""evaluate critic: public benchmarks, beside baselines and others' scores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kgbuild.cli.critic_commands import ConfigOption, CriticOption
from kgbuild.cli.options import JsonOption, SetOption
from kgbuild.cli.output import Bars, print_json, print_table, say

if TYPE_CHECKING:
    from kgbuild.critic import PublicReport

evaluate_app = typer.Typer(help="Measure on public benchmarks.", no_args_is_help=True)


@evaluate_app.command("critic")
def critic(
    benchmark: Annotated[
        str, typer.Option("--benchmark", help="ckbp-v2, ckbp-v1, comve, creak or csqa2.")
    ],
    data: Annotated[
        Path, typer.Option("--data", help="Folder of its files, or one in which that folder is.")
    ],
    part: Annotated[
        str | None, typer.Option("--part", help="dev, test_open, …; without it, the usual one.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Judge about so many rows, by whole heads.")
    ] = None,
    folder: CriticOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a critic on a public benchmark.

    AUC in all, by class and by relation, accuracy, calibration, with 90 % intervals over heads; and
    the same of the relation alone, the tail alone and the scores that come with the benchmark.
    """
    from kgbuild.runs.benchmarks import check_benchmark, evaluate_benchmark
    from kgbuild.runs.critics import find_critic

    if folder is None:
        # Before a critic is trained for it.
        check_benchmark(benchmark, data=data, part=part)
    found = find_critic(folder, config=config, settings=settings or (), progress=Bars())
    report = evaluate_benchmark(
        found, benchmark, data=data, part=part, limit=limit, progress=Bars()
    )
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        _print(report)


def _print(report: PublicReport) -> None:
    from kgbuild.critic.report import show_figure

    if report.caution:
        say(f"Beware: {report.caution}")
    figures = [name for name in _FIGURES if _has(report, name)]
    # What the benchmark is about comes first.
    figures.sort(key=lambda name: name != report.headline)
    print_table(
        f"{report.title}, {report.part}: {report.rows} rows, {report.right} right",
        ("", *figures),
        [(one.name, *(show_figure(_FIGURES[name](one)) for name in figures))
         for one in report.contestants],
    )  # fmt: skip
    groups = list(report.contestants[0].groups)
    if groups:
        print_table(
            "AUC by class",
            ("", *groups),
            [(one.name, *(show_figure(one.groups[group]) for group in groups))
             for one in report.contestants],
        )  # fmt: skip
    relations = list(report.contestants[0].relations)
    if relations:
        print_table(
            "AUC by relation",
            ("", *(one.name for one in report.contestants)),
            [(name, *(show_figure(one.relations[name]) for one in report.contestants))
             for name in relations],
        )  # fmt: skip
    for line in _notes(report):
        typer.echo(line)


_FIGURES = {
    "AUC": lambda one: one.auc,
    "mean AUC of relations": lambda one: one.mean_relation_auc,
    "accuracy in pairs": lambda one: one.pair_accuracy,
    "accuracy": lambda one: one.accuracy,
    "ECE": lambda one: one.calibration_error,
    "ECE refitted": lambda one: one.refitted_error,
}


def _has(report: PublicReport, name: str) -> bool:
    return any(_FIGURES[name](one) is not None for one in report.contestants)


def _notes(report: PublicReport) -> list[str]:
    skipped = ", ".join(f"{name} {count}" for name, count in report.skipped.items())
    notes = [
        f"Thresholds, calibration and baselines: fitted on {report.fitted_on} "
        f"({report.fitting_rows or 'the other folds'} rows, of which the critic judged "
        f"{report.judged_fitting_rows or 'all'}). Intervals: 90 %, over {report.units} units. "
        f"The more frequent answer alone is right in {report.majority:.3f}.",
        f"Critic {report.critic}, {report.seconds} s, {report.texts_per_second} texts/s, peak "
        f"{report.peak_mib} MiB.",
    ]
    return [*notes, f"Left out for their relation: {skipped}."] if skipped else notes
