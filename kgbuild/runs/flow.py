"""The order of the stages."""

from __future__ import annotations

import time
from pathlib import Path

from pydantic import Field

from kgbuild.core.config import BuildConfig
from kgbuild.core.progress import QUIET, Progress
from kgbuild.core.records import Record
from kgbuild.decoding.precision import check_device
from kgbuild.runs import asking, filing, judging, storing
from kgbuild.runs.critics import critic_inputs, place_critic
from kgbuild.runs.earlier import find_graphs
from kgbuild.runs.folder import RunFolder
from kgbuild.runs.inputs import Inputs, find_input
from kgbuild.runs.promises import check_promise
from kgbuild.runs.reporting import report
from kgbuild.runs.workers import Workers


class RunSummary(Record):
    """What one build did and what stands at its end."""

    run: str = Field(description="Path of the run folder")
    run_id: str
    made: tuple[str, ...] = Field(description="Stages that had to be made; empty: nothing to do")
    prompts_asked: int = Field(description="Prompts that the teacher was asked in this build")
    asked: int
    read: int = Field(default=0, description="Rows of candidate files, instead of prompts")
    parsed: int
    accepted: int
    edges: int
    nodes: int
    left_out: dict[str, int] = Field(default={}, description="Rejected, by reason")
    seconds: float
    floors: tuple[str, ...] = Field(default=(), description="Floors that the run stays below")


def run_flow(
    config: BuildConfig,
    folder: Path,
    *,
    progress: Progress | None = None,
    workers: Workers | None = None,
) -> RunSummary:
    """Build a graph from seeds or candidates, going on from whatever the folder already holds.

    Args:
        config: All settings.
        folder: The run folder; made if it is not there.
        progress: Who is told.
        workers: Models already loaded, such as doubles, instead of the config's.
    """
    started = time.monotonic()
    progress = progress or QUIET
    inputs = Inputs(config)
    workers = workers or Workers(inputs)
    run = RunFolder(folder, config=config)
    with run.locked():
        asked = 0
        if config.candidates.files:
            _look_up(inputs, workers)
            triples = filing.file_triples(run, inputs, progress=progress)
        else:
            heads = asking.collect(run, inputs)
            prompts = asking.prepare(run, inputs, heads)
            _look_up(inputs, workers)
            triples, asked = asking.ask(run, inputs, prompts, workers=workers, progress=progress)
        checks = judging.self_check(run, inputs, triples, workers=workers, progress=progress)
        workers.dismiss_language_models()
        critic = place_critic(run, inputs, workers=workers, progress=progress)
        scores = judging.score(run, triples, critic, workers=workers, progress=progress)
        workers.dismiss_language_models()
        promises = check_promise(
            run, inputs, triples, scores, critic, workers=workers, progress=progress
        )
        verdicts = judging.give_verdicts(
            run, inputs, triples, scores, critic, checks, workers=workers, promises=promises
        )
        merges = judging.merge(run, inputs, triples, verdicts, workers=workers, progress=progress)
        edges = storing.join_edges(run, inputs, triples, verdicts, merges)
        storing.store(run, inputs, edges, progress=progress)
        corpus = storing.write_corpora(run, inputs, edges)
        if run.made:
            # Queries can begin while the student learns.
            run.save()
        if config.student.is_enabled and run.manifest.stages["corpus"].counts.get("train"):
            storing.train_student(run, inputs, corpus, progress=progress)
        report(run, inputs)
        run.save()
    counts = {name: entry.counts for name, entry in run.manifest.stages.items()}
    return RunSummary(
        run=str(folder),
        run_id=run.manifest.run_id,
        made=tuple(run.made),
        prompts_asked=asked,
        asked=counts["triples"].get("asked", 0),
        read=counts["triples"].get("read", 0),
        parsed=counts["triples"]["parsed"],
        accepted=counts["verdicts"]["accepted"],
        edges=counts["graph"]["edges"],
        nodes=counts["graph"]["nodes"],
        left_out=_count_left_out(counts),
        seconds=round(time.monotonic() - started, 1),
        floors=tuple(_find_floors(config, counts)),
    )


def _look_up(inputs: Inputs, workers: Workers) -> None:
    """Find what the later stages read, so that a wrong name is told before the teacher works."""
    config = inputs.config
    if not config.candidates.files or config.teacher.self_check is not None:
        _ = workers.teacher_hash
        check_device(config.teacher.device)
    find_graphs(config.dedup.against)
    if workers.given_critic is None:
        critic_inputs(inputs)
    _ = workers.encoder_key
    if config.student.is_enabled:
        _ = inputs.student_file
    if config.report.reference:
        find_input(config.report.reference)


def _count_left_out(counts: dict[str, dict[str, int]]) -> dict[str, int]:
    """Say how many were rejected for which reason, and how many were merged."""
    known = ("asked", "answered", "read", "parsed", "clauses_met", "dropped", "accepted")
    found: dict[str, int] = {}
    for stage in ("triples", "verdicts"):
        found |= {name: count for name, count in counts[stage].items() if name not in known}
    for reason in ("exact", "semantic", "in_graph"):
        found[reason] = counts["merges"].get(reason, 0)
    return {reason: count for reason, count in sorted(found.items()) if count}


def _find_floors(config: BuildConfig, counts: dict[str, dict[str, int]]) -> list[str]:
    floors = []
    edges, scored = counts["graph"]["edges"], counts["scores"]["scored"]
    if edges < config.report.min_edges:
        floors.append(f"{edges} edges are fewer than report.min_edges = {config.report.min_edges}")
    share = counts["verdicts"]["accepted"] / scored if scored else 0.0
    if share < config.report.min_acceptance:
        floors.append(
            f"{share:.3f} accepted is less than report.min_acceptance = "
            f"{config.report.min_acceptance}"
        )
    return floors
