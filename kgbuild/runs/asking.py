"""The first stages: heads, prompts and the teacher's answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kgbuild.core.config import plain
from kgbuild.core.errors import RelationError, SeedError
from kgbuild.core.ids import content_key
from kgbuild.core.progress import Progress
from kgbuild.core.records import Head, Rejection, Triple
from kgbuild.core.relations import check_names
from kgbuild.core.shards import read_shards, write_shard
from kgbuild.decoding.precision import choose_dtype
from kgbuild.prompts import Prompt, PromptRow, build_prompts
from kgbuild.runs.folder import Counts, RunFolder
from kgbuild.runs.inputs import Inputs, hash_files
from kgbuild.runs.workers import Workers
from kgbuild.teacher.generate import generate_triples, shard_prompts


def read_heads(inputs: Inputs) -> tuple[list[Head], list[Rejection]]:
    """Read the seed files: the heads to ask about, and what was dropped.

    Raises:
        SeedError: If the files are no seeds, or a head names a relation of no pack.
    """
    from kgbuild.seeds import collect_heads

    heads: list[Head] = []
    dropped: list[Rejection] = []
    for entry in collect_heads(inputs.seed_files, config=inputs.config.seeds):
        if isinstance(entry, Head):
            heads.append(entry)
        else:
            dropped.append(entry)
    for head in heads:
        try:
            check_names(head.relations, inputs.all_relations)
        except RelationError as error:
            raise SeedError(f"{head.source}: {error}") from error
    return heads, dropped


def write_prompts(inputs: Inputs, heads: list[Head]) -> list[Prompt]:
    """Build every prompt of a run.

    Raises:
        SeedError: If no relation takes any of the heads.
    """
    config = inputs.config
    prompts = list(
        build_prompts(
            heads, inputs.relations, inputs.shots, config=config.prompts, seed=config.seed
        )
    )
    if not prompts:
        raise SeedError(
            "No relation takes any of the heads; check their kinds (event, concept) and "
            "prompts.relations"
        )
    return prompts


def collect(run: RunFolder, inputs: Inputs) -> list[Head]:
    """Read the seeds into the heads stage."""
    config = inputs.config.seeds

    def make(folder: Path) -> Counts:
        heads, dropped = read_heads(inputs)
        write_shard(folder / "rejected-00000.parquet", dropped, Rejection)
        return {
            "heads": write_shard(folder / "part-00000.parquet", heads, Head),
            "dropped": len(dropped),
        }

    settings = {name: value for name, value in plain(config).items() if name != "files"}
    folder = run.stage("heads", [settings, hash_files(inputs.seed_files)], make)
    return list(read_shards(folder, Head))


def prepare(run: RunFolder, inputs: Inputs, heads: list[Head]) -> list[Prompt]:
    """Build the prompts and write them down in full."""
    config = inputs.config
    prompts = write_prompts(inputs, heads)

    def make(folder: Path) -> Counts:
        rows = [prompt.row() for prompt in prompts]
        return {"prompts": write_shard(folder / "part-00000.parquet", rows, PromptRow)}

    # The constraints are part of the question, though no part of its text.
    asked = [[prompt.prompt_id, repr(prompt.constraints), prompt.prior_text] for prompt in prompts]
    run.stage("prompts", content_key(asked), make)
    run.name_run(content_key([run.key("prompts"), plain(config.decoding), config.teacher.model]))
    return prompts


def ask(
    run: RunFolder,
    inputs: Inputs,
    prompts: list[Prompt],
    *,
    workers: Workers,
    progress: Progress,
) -> tuple[Path, int]:
    """Ask the teacher, a shard at a time, and give the folder and the number of prompts asked.

    The teacher is loaded only if a shard is missing.
    """
    config = inputs.config
    asked = 0

    def missing(folder: Path) -> Iterator[tuple[int, tuple[Prompt, ...]]]:
        shards = list(enumerate(shard_prompts(prompts, config.teacher.shard_prompts)))
        for number, shard in progress.track(
            shards, stage="teacher", total=len(shards), unit="shards"
        ):
            if not (folder / f"part-{number:05}.parquet").exists():
                yield number, shard

    def make(folder: Path) -> Counts:
        nonlocal asked
        for number, shard in missing(folder):
            answers = list(
                generate_triples(
                    shard,
                    workers.teacher(),
                    config=config.teacher,
                    decoding=config.decoding,
                    seed=config.seed,
                    run=run.manifest.run_id,
                )
            )
            asked += len(shard)
            dropped = [answer for answer in answers if isinstance(answer, Rejection)]
            triples = [answer for answer in answers if isinstance(answer, Triple)]
            write_shard(folder / f"rejected-{number:05}.parquet", dropped, Rejection)
            # Written last: its presence means that the shard was answered.
            write_shard(folder / f"part-{number:05}.parquet", triples, Triple)
        triples = list(read_shards(folder, Triple))
        dropped = list(read_shards(folder, Rejection, "rejected"))
        return {
            "asked": len(prompts),
            "answered": len({triple.provenance.prompt_id for triple in triples}),
            "parsed": len(triples),
            "clauses_met": sum(
                triple.provenance.clauses == triple.provenance.clauses_met for triple in triples
            ),
            "dropped": len(dropped),
        }

    # What it is asked afterwards has a stage of its own, and where it stands changes no answer.
    others = ("self_check", "device")
    asks = {name: value for name, value in plain(config.teacher).items() if name not in others}
    dtype = choose_dtype(config.teacher.dtype, device=config.teacher.device)
    teacher = {**asks, "dtype": dtype}
    settings = [teacher, plain(config.decoding), config.seed]
    folder = run.stage("triples", [run.key("prompts"), workers.teacher_hash, settings], make)
    return folder, asked
