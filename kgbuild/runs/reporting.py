"""The last stage: what a run's records say about it, as a report."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kgbuild.core.config import plain
from kgbuild.core.files import read_text, write_text
from kgbuild.core.manifest import Manifest, read_manifest
from kgbuild.core.shards import read_columns, read_shards
from kgbuild.critic import read_report
from kgbuild.evaluation import (
    RelationCount,
    RunFacts,
    StageCost,
    distinct_n,
    duplicate_rate,
    measure_novelty,
    near_duplicate_rate,
    self_bleu,
    write_report,
)
from kgbuild.prompts import PromptRow
from kgbuild.runs.counting import EdgeCounts, JudgedCounts
from kgbuild.runs.folder import Counts, RunFolder
from kgbuild.runs.inputs import Inputs, find_input
from kgbuild.runs.promises import gather_promise


def report(run: RunFolder, inputs: Inputs) -> Path:
    """Write the report of the run as it stands, unless it is written already."""
    keys = {name: entry.key for name, entry in run.manifest.stages.items() if name != "report"}

    def make(folder: Path) -> Counts:
        page = write_report(gather_facts(run.manifest, inputs), folder)
        # The newest report also lies where people look.
        for written in (page.with_suffix(".json"), page):
            write_text(run.path / written.name, read_text(written))
        return {}

    settings = plain(inputs.config.report)
    return run.stage("report", [keys, settings], make)


def refresh_report(folder: Path) -> Path:
    """Write the report of a finished run again and give the path of its page."""
    manifest = read_manifest(folder)
    inputs = Inputs(manifest.read_config())
    return write_report(gather_facts(manifest, inputs), folder)


def gather_facts(manifest: Manifest, inputs: Inputs) -> RunFacts:
    """Count through every stage of a run, a shard at a time."""
    config = inputs.config.report
    judged = JudgedCounts(manifest)
    edges = EdgeCounts(manifest)
    triples = edges.triples
    student = _read_student(manifest)
    return RunFacts(
        name=inputs.config.name,
        run_id=manifest.run_id,
        teacher=judged.teacher,
        teacher_hash=judged.teacher_hash,
        counts=_count(manifest),
        rejected=_count_rejections(manifest),
        relations=tuple(_count_relations(manifest, judged, edges.relations)),
        scores=tuple(float(count) for count in judged.bins),
        diversity={
            "distinct-1": distinct_n((tail for _, _, tail in triples), 1),
            "distinct-2": distinct_n((tail for _, _, tail in triples), 2),
            "self-BLEU of tails": self_bleu([tail for _, _, tail in triples]),
            "exact duplicates in the graph": duplicate_rate(triples),
            "near duplicates of a head and relation": near_duplicate_rate(triples),
        },
        measured_edges=len(triples),
        novelty=(
            measure_novelty(triples, find_input(config.reference)) if config.reference else {}
        ),
        constraint_satisfaction=judged.met / judged.count if judged.count else 0.0,
        critic=_read_critic(manifest),
        promise=gather_promise(manifest),
        accepted=judged.sample(inputs.all_relations, is_accepted=True, count=config.samples),
        refused=judged.sample(inputs.all_relations, is_accepted=False, count=config.samples),
        stages=tuple(
            StageCost(stage=name, seconds=entry.seconds, peak_mib=entry.peak_mib)
            for name, entry in manifest.stages.items()
        ),
        student_loss=tuple(step["loss"] for step in student.get("curve", [])),
        student=_held_out(student),
    )


def _count(manifest: Manifest) -> dict[str, int]:
    stages = {name: entry.counts for name, entry in manifest.stages.items()}
    merged = sum(stages["merges"].get(reason, 0) for reason in ("exact", "semantic", "in_graph"))
    begun = {"heads": stages["heads"]["heads"]} if "heads" in stages else {}
    # Prompts that were asked and answered, or rows of files that were read.
    named = ("read", "asked", "answered", "parsed")
    return {
        **begun,
        **{name: stages["triples"][name] for name in named if name in stages["triples"]},
        "accepted": stages["verdicts"]["accepted"],
        "merged": merged,
        "stored": stages["graph"]["edges"],
    }


def _count_rejections(manifest: Manifest) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for stage in ("heads", "triples", "verdicts", "edges"):
        if stage not in manifest.stages:
            continue
        for path in sorted(manifest.stage_folder(stage).glob("rejected-*.parquet")):
            table = read_columns(path, ("stage", "reason"))
            pairs = zip(table["stage"].to_pylist(), table["reason"].to_pylist(), strict=True)
            counts.update(f"{where}: {reason}" for where, reason in pairs)
    return dict(counts.most_common())


def _count_relations(
    manifest: Manifest, judged: JudgedCounts, stored: Counter[str]
) -> Iterator[RelationCount]:
    asked = judged.parsed
    if "prompts" in manifest.stages:
        prompts = read_shards(manifest.stage_folder("prompts"), PromptRow)
        asked = Counter(prompt.relation for prompt in prompts)
    for name in asked:
        yield RelationCount(
            relation=name,
            asked=asked[name],
            parsed=judged.parsed[name],
            accepted=judged.accepted[name],
            stored=stored[name],
        )


def _read_critic(manifest: Manifest) -> dict[str, Any]:
    folder = manifest.stage_folder("critic")
    # A critic that was handed in, such as a table, has no report.
    if not (folder / "report.json").is_file():
        return {}
    return read_report(folder).model_dump(mode="json")


def _read_student(manifest: Manifest) -> dict[str, Any]:
    if "student" not in manifest.stages:
        return {}
    path = manifest.stage_folder("student") / "student.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def _held_out(student: dict[str, Any]) -> dict[str, float | int]:
    return {
        f"{part['split']} {name}": round(value, 4) if isinstance(value, float) else value
        for part in student.get("held_out", [])
        for name, value in part.items()
        if name != "split" and isinstance(value, int | float)
    }
