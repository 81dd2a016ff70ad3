"""What a teacher's second look at its negatives is worth, beside the critic.

    python benchmarks/selfcheck.py --teacher smollm2
    python benchmarks/selfcheck.py --teacher qwen2.5-coder-1.5b --dtype bfloat16

Every accepted negative of `data/labels/` and as many rejected ones as asked for, drawn with a
fixed seed within each relation. The critic is measured on heads that it was not trained on, the
self-check, which is trained on nothing, on all of them.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kgbuild.core.config_file import load_config
from kgbuild.core.progress import QUIET
from kgbuild.core.records import LabelledTriple, Provenance, Split, Triple
from kgbuild.critic import load_critic, read_labels, settle_labels
from kgbuild.critic.candidate import Candidate
from kgbuild.critic.figures import find_auc
from kgbuild.critic.split import assign_part
from kgbuild.models import resolve_model
from kgbuild.runs.critics import ensure_critic
from kgbuild.runs.inputs import Inputs, find_inputs
from kgbuild.teacher.selfcheck import check_negatives
from kgbuild.teacher.transformers_teacher import TransformersTeacher

_CUTS = (0.5, 0.6, 0.7, 0.8, 0.9)
_SHARES = (0.25, 0.5, 0.75)
_DRAWS = 2_000
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def main() -> None:
    """Ask, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--teacher", default="smollm2")
    parser.add_argument("--dtype", default="float32", choices=("float32", "bfloat16"))
    parser.add_argument("--rejected", type=int, default=360, help="rejected negatives to draw")
    parser.add_argument("--out", type=Path, help="JSON Lines of every question and its answer")
    options = parser.parse_args()
    inputs = Inputs(load_config(None))
    rows = draw(inputs, options.rejected)
    truth = np.asarray([row.label.is_accepted for row in rows])
    file = resolve_model(options.teacher)
    started = time.monotonic()
    teacher = TransformersTeacher.load(
        file.path, dtype=options.dtype, name=file.name, sha256=file.sha256
    )
    loaded = time.monotonic()
    checks = list(check_negatives((_triple(row) for row in rows), teacher, inputs.all_relations))
    asked = time.monotonic()
    yes = np.asarray([check.yes for check in checks])
    rate = len(rows) / (asked - loaded)
    print(f"{file.name}, {options.dtype}: {len(rows)} negatives, {truth.sum()} accepted; loaded "
          f"in {loaded - started:.0f} s, {rate:.1f} questions a second\n")  # fmt: skip
    _print_check(rows, truth, yes)
    _print_critic(inputs, rows, truth, yes)
    if options.out:
        lines = [
            json.dumps({"question": check.question, "yes": check.yes, "label": row.label,
                        "relation": row.relation})
            for row, check in zip(rows, checks, strict=True)
        ]  # fmt: skip
        options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def draw(inputs: Inputs, rejected: int) -> list[LabelledTriple]:
    """Give every accepted negative, and rejected ones, the unseen heads of the critic's first."""
    labels = settle_labels(read_labels(find_inputs(inputs.config.critic.labels)))
    negative = {relation.name for relation in inputs.all_relations if relation.negates}
    rows = [row for row in labels if row.relation in negative]
    random.Random(5).shuffle(rows)
    rows.sort(key=lambda row: assign_part(row.head) is Split.TRAIN)
    wanted = [row for row in rows if row.label.is_accepted]
    for name in sorted(negative):
        others = [row for row in rows if row.relation == name and not row.label.is_accepted]
        wanted += others[: rejected // len(negative)]
    return wanted


def _print_check(rows: Sequence[LabelledTriple], truth: Flags, yes: Floats) -> None:
    print(f"AUC of no {_ranked(-yes, truth)}")
    for name in sorted({row.relation for row in rows}):
        chosen = np.asarray([row.relation == name for row in rows])
        print(f"- {name}: {_ranked(-yes[chosen], truth[chosen])}, {chosen.sum()} rows")
    print("\n| rejected where yes is at least | left | of them accepted | of all accepted, kept |"
          "\n|---|---|---|---|")  # fmt: skip
    for cut in (1.1, *reversed(_CUTS)):
        kept = yes < cut
        print(f"| {'never' if cut > 1 else cut} | {kept.sum()} | {truth[kept].mean():.3f} | "
              f"{truth[kept].sum() / truth.sum():.3f} |")  # fmt: skip


def _print_critic(
    inputs: Inputs, rows: Sequence[LabelledTriple], truth: Flags, yes: Floats
) -> None:
    """Compare what the critic ranks first with what of it passes the self-check."""
    unseen = np.asarray([assign_part(row.head) is not Split.TRAIN for row in rows])
    critic = load_critic(ensure_critic(inputs, progress=QUIET))
    chosen = [Candidate.of(row) for row, is_unseen in zip(rows, unseen, strict=True) if is_unseen]
    scores = np.asarray([opinion.probability for opinion in critic.score(chosen)])
    truth, yes = truth[unseen], yes[unseen]
    print(f"\nHeads that the critic was not trained on: {len(scores)} rows, {truth.sum()} "
          f"accepted. AUC of the critic {_ranked(scores, truth)}, of the self-check "
          f"{_ranked(-yes, truth)}.\n\n| the critic's | right | of as many where yes < 0.5 | "
          "by the sum of both logits |\n|---|---|---|---|")  # fmt: skip
    logit = np.log(scores / (1 - scores)) - np.log((yes + 1e-6) / (1 - yes + 1e-6))
    passed = np.where(yes < _CUTS[0], scores, scores - 1)
    for share in _SHARES:
        count = max(round(share * truth.sum()), 1)
        cells = [
            truth[np.argsort(-order, kind="stable")[:count]].mean()
            for order in (scores, passed, logit)
        ]
        print(f"| the first {count} | " + " | ".join(f"{cell:.3f}" for cell in cells) + " |")


def _ranked(scores: Floats, truth: Flags) -> str:
    found = find_auc(scores, truth)
    chance = np.random.default_rng(0)
    draws = []
    for _ in range(_DRAWS):
        places = chance.integers(len(truth), size=len(truth))
        drawn = find_auc(scores[places], truth[places])
        if drawn is not None:
            draws.append(drawn)
    low, high = np.quantile(draws, (0.05, 0.95))
    return f"{found:.3f} (90 %: {low:.3f} to {high:.3f})"


def _triple(row: LabelledTriple) -> Triple:
    provenance = Provenance(
        source="labels", teacher=row.teacher, teacher_hash="", prompt_id="", decoding="",
        log_probability=row.log_probability, mean_log_probability=row.mean_log_probability,
        tokens=row.tokens, clauses=0, clauses_met=0,
    )  # fmt: skip
    return Triple.of(row.head, row.relation, row.tail, kind=row.kind, provenance=provenance)


if __name__ == "__main__":
    main()
