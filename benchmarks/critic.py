"""How good the critic is: its test part, its learning curve, and public expert labels.

    python benchmarks/critic.py                          train as the demo does, measure on test
    python benchmarks/critic.py --curve                  the same on parts of the training heads
    python benchmarks/critic.py --ckbp DIR               also CKBP v2 (Fang et al. 2023), zero-shot

CKBP's rows are read from DIR/tst_open.tsv.gz and nowhere kept. Its relations that the packs lack
are left out and counted.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from kgbuild.core.config_file import load_config
from kgbuild.core.progress import QUIET
from kgbuild.core.records import LabelledTriple, Split
from kgbuild.critic import CriticReport, load_critic, read_labels
from kgbuild.critic.candidate import Candidate
from kgbuild.critic.figures import find_auc
from kgbuild.critic.report import Estimate, Figures
from kgbuild.critic.split import assign_part, find_place
from kgbuild.critic.trained_critic import TrainedCritic
from kgbuild.runs.critics import train
from kgbuild.runs.inputs import Inputs, find_inputs

_PARTS = (0.125, 0.25, 0.5, 1.0)


def main() -> None:
    """Train, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--curve", action="store_true", help="train on parts of the heads, too")
    parser.add_argument("--ckbp", type=Path, help="folder of CKBP v2")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    inputs = Inputs(load_config(None, settings=options.set))
    labels = read_labels(find_inputs(inputs.config.critic.labels))
    print("| share of training heads | labels | seconds | AUC | mean AUC of relations | precision |"
          " yield | ECE |\n|---|---|---|---|---|---|---|---|")  # fmt: skip
    for share in _PARTS if options.curve else (1.0,):
        with tempfile.TemporaryDirectory() as folder:
            started = time.monotonic()
            critic = Path(folder) / "critic"
            report = train(inputs, critic, labels=thin(labels, share), progress=QUIET)
            _print_row(share, report, time.monotonic() - started)
            if share == 1.0:
                _print_baselines(report)
                if options.ckbp:
                    _print_ckbp(load_critic(critic), options.ckbp)


def thin(labels: Sequence[LabelledTriple], share: float) -> list[LabelledTriple]:
    """Keep a share of the training heads; dev and test stay whole."""
    return [
        row
        for row in labels
        if assign_part(row.head) is not Split.TRAIN or find_place(row.head, purpose="thin") < share
    ]


def read_ckbp(folder: Path) -> Iterator[dict[str, str]]:
    """Read the open test rows."""
    with gzip.open(folder / "tst_open.tsv.gz", "rt", encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines, delimiter="\t")


def _print_row(share: float, report: CriticReport, seconds: float) -> None:
    shown: Figures = report.evidence or report.plain
    cells = [f"{share:g}", str(report.trained_on), f"{seconds:.0f}"]
    cells += [_show(shown.auc), _show(shown.mean_relation_auc)]
    cells += [_show(shown.precision), _show(shown.yielded), f"{shown.calibration_error:.3f}"]
    print("| " + " | ".join(cells) + " |", flush=True)


def _print_baselines(report: CriticReport) -> None:
    print(f"\nTest labels {report.plain.labels}, {report.plain.plausible} plausible. AUC of the "
          f"text alone {_show(report.plain.auc)}, of the relation alone "
          f"{report.relation_only_auc:.3f}, of the teacher's likelihood "
          f"{report.likelihood_auc:.3f}.")  # fmt: skip


def _print_ckbp(critic: TrainedCritic, folder: Path) -> None:
    rows = list(read_ckbp(folder))
    known = [row for row in rows if row["relation"] in critic.relations]
    opinions = critic.score([Candidate(r["head"], r["relation"], r["tail"]) for r in known])
    scores = np.asarray([opinion.probability for opinion in opinions])
    truth = np.asarray([float(row["label"]) for row in known])
    classes = np.asarray([row["class"] for row in known])
    parts = {"all": truth >= 0} | {name: classes == name for name in sorted(set(classes))}
    found = {name: find_auc(scores[chosen], truth[chosen]) for name, chosen in parts.items()}
    print(f"\nCKBP v2, {len(known)} of {len(rows)} open test rows, none trained on: "
          + ", ".join(f"{name} {value:.3f}" for name, value in found.items() if value))  # fmt: skip


def _show(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "undefined"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


if __name__ == "__main__":
    main()
