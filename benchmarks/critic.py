"""How good the critic is: own test labels, all and hard ones, public benchmarks, speed.

    make benchmark-critic DATA=../shared/data                 all of it, from a fresh clone
    python benchmarks/critic.py --part own                    own labels alone
    python benchmarks/critic.py --part ckbp-v2 --data DIR     one public benchmark, DIR keeps it
    python benchmarks/critic.py --part curve                  training on parts of the heads
    python benchmarks/critic.py --part speed [--judge DIR]    triples a second, all cores and one

The critic is that of the default config, trained as the demo does if no run has done so yet, or the
one of --critic. Rows of the public benchmarks are read where they are and nowhere kept; CSQA2 is
measured on request. --limit N judges about N rows of each of them.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from kgbuild.cli.output import Bars
from kgbuild.core.config_file import load_config
from kgbuild.core.progress import QUIET
from kgbuild.core.records import LabelledTriple, Split
from kgbuild.critic import (
    BENCHMARKS,
    Candidate,
    CriticReport,
    Figures,
    HardFigures,
    PublicReport,
    load_critic,
    read_labels,
    read_report,
    settle_labels,
)
from kgbuild.critic.report import show_figure
from kgbuild.critic.split import assign_part, find_place
from kgbuild.critic.trained_critic import TrainedCritic
from kgbuild.runs.benchmarks import evaluate_benchmark
from kgbuild.runs.critics import ensure_critic, evaluate_files, train
from kgbuild.runs.inputs import Inputs, find_inputs

_TIMED = 3000
_TIMED_OF_JUDGE = 200
_SHARES = (0.125, 0.25, 0.5, 1.0)
_PUBLIC = ("ckbp-v2", "ckbp-v1", "comve", "creak")


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--part", action="append", choices=("own", "curve", "speed", *BENCHMARKS), help="repeatable"
    )
    parser.add_argument("--data", type=Path, help="folder of the public benchmarks")
    parser.add_argument("--critic", type=Path, help="folder of another critic")
    parser.add_argument("--judge", type=Path, help="folder of a large critic to time beside it")
    parser.add_argument("--limit", type=int, help="rows to judge of each public benchmark")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    parts = options.part or ["own", "speed", *(_PUBLIC if options.data else ())]
    public = [part for part in parts if part in BENCHMARKS]
    if public and options.data is None:
        parser.error(f"--part {public[0]} needs --data, the folder that holds the benchmark")
    inputs = Inputs(load_config(None, settings=options.set))
    if "curve" in parts:
        print_curve(inputs)
    if parts == ["curve"]:
        return
    folder = options.critic or ensure_critic(inputs, progress=Bars())
    if "own" in parts:
        own = find_inputs(inputs.config.critic.labels)
        report = evaluate_files(folder, own) if options.critic else read_report(folder)
        print_own(report)
    critic = load_critic(folder) if public or "speed" in parts else None
    if critic and "speed" in parts:
        print_speed(critic, load_critic(options.judge) if options.judge else None, inputs)
    if critic and public:
        reports = [
            evaluate_benchmark(
                folder, name, data=options.data, limit=options.limit, critic=critic, progress=Bars()
            )
            for name in public
        ]
        print_public(reports)


def print_own(report: CriticReport) -> None:
    """Print the test part of the labels, and what AFLite leaves of it."""
    print(
        f"\nCritic {report.critic}, own test labels\n\n"
        "| test labels | heads | AUC | mean AUC of relations | precision | yield | ECE | AUC, text "
        "alone | relation alone | tail alone | likelihood |\n" + "|---" * 11 + "|"
    )
    parts: list[tuple[str, CriticReport | HardFigures | None]] = [
        ("all", report),
        ("hard", report.hard),
    ]
    for name, found in parts:
        if found is None:
            continue
        shown: Figures = found.evidence or found.plain
        cells = [f"{name}, {shown.labels}", f"{shown.heads}"]
        cells += [show_figure(shown.auc), show_figure(shown.mean_relation_auc)]
        cells += [
            show_figure(shown.precision),
            show_figure(shown.yielded),
            f"{shown.calibration_error:.3f}",
        ]
        cells += [show_figure(found.plain.auc), show_figure(found.relation_only_auc)]
        cells += [show_figure(found.tail_only_auc), show_figure(found.likelihood_auc)]
        print("| " + " | ".join(cells) + " |", flush=True)


def print_speed(critic: TrainedCritic, judge: TrainedCritic | None, inputs: Inputs) -> None:
    """Print triples a second over test heads: the whole of `score`, memory and calibration too."""
    labels = settle_labels(read_labels(find_inputs(inputs.config.critic.labels)))
    tested = [Candidate.of(row) for row in labels if assign_part(row.head) is Split.TEST]
    cores = torch.get_num_threads()
    # (name, critic, triples, threads)
    timed = [
        ("the critic", critic, tested[:_TIMED], cores),
        ("the critic", critic, tested[:_TIMED], 1),
    ]
    if judge is not None:
        timed.append(("the judge", judge, tested[:_TIMED_OF_JUDGE], cores))
    print(f"\nBest of three of {_TIMED} test triples ({_TIMED_OF_JUDGE} for a judge)\n")
    print("| | threads | triples a second | a CPU second |\n|---|---|---|---|")
    least = [(math.inf, math.inf)] * len(timed)
    for _ in range(3):
        for place, (_, one, triples, threads) in enumerate(timed):
            torch.set_num_threads(threads)
            began, burnt = time.perf_counter(), time.process_time()
            one.score(triples)
            wall, cpu = time.perf_counter() - began, time.process_time() - burnt
            least[place] = min(least[place][0], wall), min(least[place][1], cpu)
    torch.set_num_threads(cores)
    for (name, _, triples, threads), (wall, cpu) in zip(timed, least, strict=True):
        rates = f"{len(triples) / wall:.1f} | {len(triples) / cpu:.1f}"
        print(f"| {name} | {threads} | {rates} |", flush=True)


def print_public(reports: Sequence[PublicReport]) -> None:
    """Print the public benchmarks, a table each and then the speed."""
    for report in reports:
        print(
            f"\n{report.title}, {report.part}: {report.rows} rows, {report.right} right, "
            f"{report.units} units; fitted on {report.fitted_on}; its figure is the "
            f"{report.headline}"
            + (f". {report.caution}" if report.caution else "")
            + f"\n\n| | AUC | mean AUC of relations | pairs | accuracy | ECE | refitted "
            f"{''.join(f'| {group} ' for group in report.contestants[0].groups)}|\n"
            + "|---" * (7 + len(report.contestants[0].groups))
            + "|"
        )
        for one in report.contestants:
            cells = [one.name, show_figure(one.auc), show_figure(one.mean_relation_auc)]
            cells += [show_figure(one.pair_accuracy), show_figure(one.accuracy)]
            cells += [show_figure(one.calibration_error), show_figure(one.refitted_error)]
            cells += [show_figure(one.groups[name]) for name in one.groups]
            print("| " + " | ".join(cells) + " |", flush=True)
    print("\n| benchmark | texts a second | seconds | peak MiB |\n|---|---|---|---|")
    for report in reports:
        print(
            f"| {report.title} | {report.texts_per_second} | {report.seconds} | {report.peak_mib} |"
        )


def print_curve(inputs: Inputs) -> None:
    """Print what training on fewer heads brings; dev and test stay whole."""
    labels = read_labels(find_inputs(inputs.config.critic.labels))
    print("| share of training heads | labels | seconds | AUC | hard | mean AUC of relations |\n"
          "|---|---|---|---|---|---|")  # fmt: skip
    for share in _SHARES:
        with tempfile.TemporaryDirectory() as folder:
            started = time.monotonic()
            report = train(
                inputs, Path(folder) / "critic", labels=thin(labels, share), progress=QUIET
            )
            shown = report.evidence or report.plain
            hard = report.hard and (report.hard.evidence or report.hard.plain)
            cells = [f"{share:g}", str(report.trained_on), f"{time.monotonic() - started:.0f}"]
            cells += [show_figure(shown.auc), show_figure(hard.auc if hard else None)]
            cells += [show_figure(shown.mean_relation_auc)]
            print("| " + " | ".join(cells) + " |", flush=True)


def thin(labels: Sequence[LabelledTriple], share: float) -> list[LabelledTriple]:
    """Keep a share of the training heads."""
    return [
        row
        for row in labels
        if assign_part(row.head) is not Split.TRAIN or find_place(row.head, purpose="thin") < share
    ]


if __name__ == "__main__":
    main()
