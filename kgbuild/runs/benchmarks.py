"""A critic on public benchmarks: files checked first, then the critic loaded, asked and timed."""

from __future__ import annotations

import resource
import time
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from kgbuild.core.progress import QUIET, Progress
from kgbuild.critic import (
    Benchmark,
    Critic,
    MeanEncoder,
    PhraseEncoder,
    PublicReport,
    PublicRow,
    compare_opinions,
    draw_rows,
    find_benchmark,
    load_critic,
    read_card,
    read_part,
)
from kgbuild.critic.protocol import TOGETHER
from kgbuild.models import resolve_model
from kgbuild.runs.critics import BASELINE_ENCODER

# Three numbers are fitted on the critic's answers; more rows would cost more than they bring.
_JUDGED_FITTING_ROWS = 1_000


@dataclass(frozen=True)
class _Material:
    """The rows of a benchmark that a command speaks of."""

    benchmark: Benchmark
    part: str
    rows: list[PublicRow]
    skipped: dict[str, int]
    fitting_part: str | None
    fitting: list[PublicRow]


def check_benchmark(name: str, *, data: Path, part: str | None = None) -> None:
    """Read the files of a benchmark and judge nothing, so that mistakes are said before training.

    Raises:
        LabelError: With file and line, if the files break a rule.
    """
    _read(name, data=data, part=part, relations=None)


def evaluate_benchmark(
    folder: Path,
    name: str,
    *,
    data: Path,
    part: str | None = None,
    limit: int | None = None,
    critic: Critic | None = None,
    encoder: PhraseEncoder | None = None,
    progress: Progress = QUIET,
) -> PublicReport:
    """Measure a critic on one part of a benchmark, whose files stay where they are.

    Args:
        folder: The critic's, whose card says which relations it knows.
        name: The benchmark's.
        data: Its folder, or one in which its folder stands.
        part: The benchmark's usual part if empty.
        limit: About how many rows to judge, by whole units drawn by a hash.
        critic: The same critic, where the caller has loaded it already.
        encoder: For the baseline; MiniLM if empty.
        progress: Is shown the texts judged.

    Raises:
        LabelError: With file and line, if the files break a rule.
        CriticError: If the folder is no critic, or the fitting rows are of one kind.
    """
    known = {relation.name for relation in read_card(folder).relations}
    found = _read(name, data=data, part=part, relations=known)
    rows = draw_rows(found.rows, limit)
    fitting = draw_rows(found.fitting)
    # All that can be wrong with the files is known by now; from here on it takes minutes.
    critic = critic or load_critic(folder)
    encoder = encoder or MeanEncoder(resolve_model(BASELINE_ENCODER).path)
    most = min(_JUDGED_FITTING_ROWS, limit or _JUDGED_FITTING_ROWS)
    shown = [row.shown for row in (*rows, *fitting[:most])]
    batches = range(0, len(shown), TOGETHER)
    opinions = []
    started = time.monotonic()
    for start in progress.track(batches, stage=name, total=len(batches), unit="batches"):
        opinions += critic.score(shown[start : start + TOGETHER])
    seconds = time.monotonic() - started
    report = compare_opinions(
        found.benchmark,
        rows,
        fitting,
        opinions,
        encoder=encoder,
        part=found.part,
        fitting_part=found.fitting_part,
        critic=critic.key,
    )
    return report.model_copy(
        update={
            "skipped": found.skipped,
            "seconds": round(seconds, 1),
            "texts_per_second": round(len(shown) / seconds, 1),
            "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        }
    )


def _read(
    name: str, *, data: Path, part: str | None, relations: Container[str] | None
) -> _Material:
    benchmark = find_benchmark(name)
    part = part or benchmark.part
    place = benchmark.find_folder(data)
    file = benchmark.need_file(place, part)
    rows, skipped = read_part(benchmark, file, relations=relations)
    fitting_part = benchmark.find_fitting(place, part)
    fitting: list[PublicRow] = []
    if fitting_part is not None:
        file = benchmark.need_file(place, fitting_part)
        fitting = read_part(benchmark, file, relations=relations)[0]
    return _Material(benchmark, part, rows, skipped, fitting_part, fitting)
