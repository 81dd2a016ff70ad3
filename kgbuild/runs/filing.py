"""A stage in the teacher's place: triples of files become the triples of a run."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import get_args

from kgbuild.core.config import BuildConfig, CandidatesConfig, plain
from kgbuild.core.errors import LabelError, did_you_mean
from kgbuild.core.files import hash_file
from kgbuild.core.ids import content_key
from kgbuild.core.progress import Progress
from kgbuild.core.records import Provenance, Rejection, Triple
from kgbuild.core.shards import count_rows, read_columns, write_shard
from kgbuild.corpus.incoming import IncomingRow, read_incoming
from kgbuild.corpus.incoming_lines import FileFormat, read_lines
from kgbuild.runs.folder import Counts, RunFolder
from kgbuild.runs.inputs import Inputs, find_inputs

STAGE = "candidates"
_HASH_DIGITS = 20


def make_filing_config(
    config: BuildConfig,
    files: Sequence[Path],
    *,
    format: str | None = None,
    skip_unknown: bool = False,
    skip_broken: bool = False,
    min_weight: float | None = None,
    against: Sequence[Path] = (),
) -> BuildConfig:
    """Give a build config whose run files the triples of these files.

    It trains no student: what others wrote has its own terms, and `kgbuild student train` takes
    the exported corpus.

    Raises:
        LabelError: If a file or the format is none.
    """
    known = get_args(FileFormat)
    if format is not None and format not in known:
        raise LabelError(
            f"--format {format!r} is not one of {', '.join(known)}{did_you_mean(format, known)}"
        )
    for file in files:
        _check_file(file)
    if min_weight is not None and not math.isfinite(min_weight):
        raise LabelError(f"--min-weight {min_weight} is no number that a weight can reach")
    candidates = CandidatesConfig.model_validate(
        {
            **plain(config.candidates),
            "files": [str(file) for file in files],
            "format": format,
            "skip_unknown": skip_unknown,
            "skip_broken": skip_broken,
            "min_weight": min_weight,
        }
    )
    held = (*config.dedup.against, *(str(place) for place in against))
    return config.model_copy(
        update={
            "candidates": candidates,
            "dedup": config.dedup.model_copy(update={"against": held}),
            "student": config.student.model_copy(update={"is_enabled": False}),
        }
    )


def file_triples(run: RunFolder, inputs: Inputs, *, progress: Progress) -> Path:
    """Read the files of a config into the triples stage, a shard at a time.

    The whole of every file is read before any model is loaded, so a mistake in a last line costs
    nothing. After an interruption the shards that are there are not written again.

    Raises:
        LabelError: With file and line, if a file or a row breaks a rule.
        RelationError: With file and line, if a relation is unknown.
    """
    config = inputs.config.candidates
    files = [(path, hash_file(_check_file(path))) for path in find_inputs(config.files)]
    settings = {name: value for name, value in plain(config).items() if name != "files"}
    kinds = [[one.name, one.head_kind] for one in inputs.all_relations]
    key = [STAGE, [[path.name, sha256] for path, sha256 in files], settings, kinds]
    run.name_run(content_key(key))

    def make(folder: Path) -> Counts:
        rows = (
            (row, f"{path.name}@sha256:{sha256[:_HASH_DIGITS]}")
            for path, sha256 in files
            for row in read_incoming(
                path,
                relations=inputs.all_relations,
                format=config.format,
                skip_unknown=config.skip_unknown,
                skip_broken=config.skip_broken,
                stage=STAGE,
            )
        )
        shards = iter(lambda: list(islice(rows, config.shard_rows)), [])
        total = sum(-(-_count_lines(path) // config.shard_rows) for path, _ in files)
        steps = progress.track(shards, stage=STAGE, total=total, unit="shards")
        for number, shard in enumerate(steps):
            part = folder / f"part-{number:05}.parquet"
            if part.exists():
                continue
            entries = [_file(row, source, run, inputs) for row, source in shard]
            dropped = [entry for entry in entries if isinstance(entry, Rejection)]
            triples = [entry for entry in entries if isinstance(entry, Triple)]
            if dropped:
                write_shard(folder / f"rejected-{number:05}.parquet", dropped, Rejection)
            # Written last: its presence means that the shard is whole.
            write_shard(part, triples, Triple)
        return _count(folder)

    return run.stage("triples", key, make)


def _check_file(path: Path) -> Path:
    if not path.exists():
        raise LabelError(f"{path} does not exist; check the path")
    # A pipe can be read only once, and the file's hash is part of what is written.
    if not path.is_file():
        raise LabelError(f"{path} is no regular file; save the triples in one and name that")
    return path


def _count_lines(path: Path) -> int:
    return sum(1 for _ in read_lines(path))


def _file(
    row: IncomingRow | Rejection, source: str, run: RunFolder, inputs: Inputs
) -> Triple | Rejection:
    if isinstance(row, Rejection):
        return row
    if row.accept is not None:
        raise LabelError(
            f"{row.where} has a person's answer, which the critic must not overrule; kgbuild "
            "import takes answers into a run"
        )
    least = inputs.config.candidates.min_weight
    if least is not None and row.weight is not None and row.weight < least:
        return Rejection(
            stage=STAGE,
            reason="low_weight",
            detail=f"{row.where}: {row.weight:g} is less than {least:g}",
            head=row.head,
            relation=row.relation,
            text=row.tail,
        )
    # No tokens: nobody of ours wrote it, so the critic has the text alone.
    provenance = Provenance(
        source=source,
        teacher=row.teacher,
        teacher_hash="",
        prompt_id="",
        decoding="",
        log_probability=0.0,
        mean_log_probability=0.0,
        tokens=0,
        clauses=0,
        clauses_met=0,
        run=run.manifest.run_id,
    )
    kind = inputs.all_relations.get(row.relation).head_kind
    return Triple.of(row.head, row.relation, row.tail, kind=kind, provenance=provenance)


def _count(folder: Path) -> Counts:
    """Count what lies in the shards, those of an earlier start among them."""
    parts = sum(count_rows(path) for path in folder.glob("part-*.parquet"))
    reasons: Counter[str] = Counter()
    for path in sorted(folder.glob("rejected-*.parquet")):
        reasons.update(read_columns(path, ["reason"])["reason"].to_pylist())
    dropped = reasons.total()
    named = dict(sorted(reasons.items()))
    return {"read": parts + dropped, "parsed": parts, "dropped": dropped, **named}
