"""The last stage: what a run's records say about it, as a report."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kgbuild.core.config import plain
from kgbuild.core.files import read_text, write_text
from kgbuild.core.manifest import Manifest, read_manifest
from kgbuild.core.relations import RelationSet, verbalise
from kgbuild.core.shards import read_columns, read_shards
from kgbuild.critic import read_report
from kgbuild.evaluation import (
    RelationCount,
    RunFacts,
    Sample,
    StageCost,
    distinct_n,
    duplicate_rate,
    measure_novelty,
    near_duplicate_rate,
    self_bleu,
    write_report,
)
from kgbuild.prompts import PromptRow
from kgbuild.runs.edge_tables import EdgeTables
from kgbuild.runs.folder import Counts, RunFolder
from kgbuild.runs.inputs import Inputs, find_input
from kgbuild.runs.promises import gather_promise

_BINS = 10
# Comparing tails with tails takes a minute for so many edges.
_COMPARED = 50_000
_PROVENANCE = tuple(
    f"provenance.{name}" for name in ("clauses", "clauses_met", "teacher", "teacher_hash")
)


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
    judged = _Judged(manifest)
    edges = _Edges(manifest)
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


class _Judged:
    """Counts of the judged triples of a run."""

    def __init__(self, manifest: Manifest) -> None:
        self._triples, self._verdicts = (
            manifest.stage_folder(stage) for stage in ("triples", "verdicts")
        )
        self._seed = int(manifest.stages["verdicts"].key, 16)
        self.parsed: Counter[str] = Counter()
        self.accepted: Counter[str] = Counter()
        self.bins = np.zeros(_BINS, dtype=np.int64)
        self.met = 0
        self.teacher = self.teacher_hash = ""
        for path in self._shards():
            said = read_columns(path, ("relation", *_PROVENANCE))
            verdicts = read_columns(self._verdicts / path.name, ("probability", "is_accepted"))
            self.parsed.update(said["relation"].to_pylist())
            self.accepted.update(said["relation"].filter(verdicts["is_accepted"]).to_pylist())
            places = (verdicts["probability"].to_numpy() * _BINS).astype(int)
            self.bins += np.bincount(np.minimum(places, _BINS - 1), minlength=_BINS)
            given = said["provenance"].combine_chunks()
            asked, met = (pc.struct_field(given, name) for name in ("clauses", "clauses_met"))
            self.met += pc.sum(pc.equal(asked, met)).as_py() or 0
            if not self.teacher and len(given):
                first = given[0].as_py()
                self.teacher, self.teacher_hash = first["teacher"], first["teacher_hash"]

    def _shards(self) -> list[Path]:
        return sorted(self._triples.glob("part-*.parquet"))

    @property
    def count(self) -> int:
        """The number of judged triples."""
        return self.parsed.total()

    def sample(
        self, relations: RelationSet, *, is_accepted: bool, count: int
    ) -> tuple[Sample, ...]:
        """Draw some of those that were accepted, or of the others, the same ones every time."""
        accepted = self.accepted.total()
        total = accepted if is_accepted else self.count - accepted
        places = random.Random(self._seed).sample(range(total), min(count, total))
        found: dict[int, Sample] = {}
        seen = 0
        for path in self._shards():
            verdicts = read_columns(
                self._verdicts / path.name, ("probability", "threshold", "is_accepted")
            )
            chosen = np.flatnonzero(verdicts["is_accepted"].to_numpy() == is_accepted)
            wanted = [place for place in places if seen <= place < seen + len(chosen)]
            if wanted:
                rows = pa.array([int(chosen[place - seen]) for place in wanted])
                said = read_columns(path, ("head", "relation", "tail")).take(rows).to_pylist()
                told = verdicts.take(rows).to_pylist()
                for place, triple, verdict in zip(wanted, said, told, strict=True):
                    found[place] = Sample(
                        sentence=verbalise(
                            relations.get(triple["relation"]), triple["head"], triple["tail"]
                        ),
                        relation=triple["relation"],
                        probability=verdict["probability"],
                        threshold=verdict["threshold"],
                    )
            seen += len(chosen)
        return tuple(found[place] for place in places)


class _Edges:
    """Counts of the edges of a run, and the triples of so many whole heads as can be compared."""

    def __init__(self, manifest: Manifest) -> None:
        tables = EdgeTables(manifest.stage_folder("edges"))
        self.relations: Counter[str] = Counter()
        for table in tables():
            self.relations.update(table["relation"].to_pylist())
        # Ids are hashes, so the heads whose ids come first are drawn at random.
        share = min(1.0, _COMPARED / max(self.relations.total(), 1))
        last = f"{int(share * 16**8):08x}" if share < 1 else "g"
        self.triples: list[tuple[str, str, str]] = []
        for table in tables():
            near = table.filter(pc.less(table["head_id"], last))
            self.triples += zip(
                *(near[name].to_pylist() for name in ("head", "relation", "tail")), strict=True
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
    manifest: Manifest, judged: _Judged, stored: Counter[str]
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
