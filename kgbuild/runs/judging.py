"""The middle stages: self-check, scores, verdicts, merges.

The self-check needs the teacher, scores the critic and merges the encoder; verdicts need none of
them, so that a new threshold takes seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from kgbuild.core.config import plain
from kgbuild.core.progress import Progress
from kgbuild.core.records import Merge, Record, Rejection, Score, Triple, Verdict
from kgbuild.core.shards import count_rows, read_columns, read_shard, write_shard
from kgbuild.critic import decide, judge_triples
from kgbuild.decoding.precision import choose_dtype
from kgbuild.runs.earlier import find_graphs, held_by, key_graphs
from kgbuild.runs.folder import Counts, RunFolder
from kgbuild.runs.inputs import Inputs
from kgbuild.runs.workers import Workers
from kgbuild.teacher.selfcheck import SelfCheck, check_negatives, prompt_key

_SAYS = ("triple_id", "head", "relation", "tail")


def self_check(
    run: RunFolder, inputs: Inputs, triples: Path, *, workers: Workers, progress: Progress
) -> Path | None:
    """Ask the teacher the positive question of every negative triple, if the config wants it."""
    if inputs.config.teacher.self_check is None:
        return None

    def check(shard: Path) -> Iterable[SelfCheck]:
        negatives = [
            triple
            for triple in read_shard(shard, Triple)
            if inputs.all_relations.get(triple.relation).negates
        ]
        # A shard without negatives does not load the teacher.
        if not negatives:
            return ()
        return check_negatives(negatives, workers.teacher(), inputs.all_relations)

    def make(folder: Path) -> Counts:
        return {"asked": _answer(triples, folder, check, SelfCheck, "self-check", progress)}

    frames = [[one.name, one.negates, one.sentence, one.whether] for one in inputs.all_relations]
    teacher = inputs.config.teacher
    dtype = choose_dtype(teacher.dtype, device=teacher.device)
    key = [run.key("triples"), workers.teacher_hash, dtype, prompt_key(), frames]
    return run.stage("self_check", key, make)


def score(
    run: RunFolder, triples: Path, critic: Path, *, workers: Workers, progress: Progress
) -> Path:
    """Score every triple, a shard of scores for a shard of triples."""

    def judge(shard: Path) -> Iterable[Score]:
        return judge_triples(read_shard(shard, Triple), workers.critic(critic))

    def make(folder: Path) -> Counts:
        return {"scored": _answer(triples, folder, judge, Score, "critic", progress)}

    return run.stage("scores", [run.key("triples"), run.key("critic")], make)


def _answer(
    triples: Path,
    folder: Path,
    answer: Callable[[Path], Iterable[Record]],
    record: type[Record],
    stage: str,
    progress: Progress,
) -> int:
    """Write a shard of answers for every shard of triples that has none yet, and count them all."""
    shards = sorted(triples.glob("part-*.parquet"))
    for shard in progress.track(shards, stage=stage, total=len(shards), unit="shards"):
        target = folder / shard.name
        if not target.exists():
            write_shard(target, answer(shard), record)
    return sum(count_rows(folder / shard.name) for shard in shards)


def give_verdicts(
    run: RunFolder,
    inputs: Inputs,
    triples: Path,
    scores: Path,
    critic: Path,
    checks: Path | None,
    *,
    workers: Workers,
    promises: Mapping[str, str],
) -> Path:
    """Accept or reject every scored triple by the threshold of its relation.

    A negative one whose teacher says yes to the positive question is rejected all the same.

    Args:
        run: The run.
        inputs: Its config.
        triples: What was asked.
        scores: What the critic said.
        critic: Its folder.
        checks: What the teacher answered about its negatives, if it was asked.
        workers: Gives the thresholds.
        promises: What still is promised in this run, by relation.
    """
    config = inputs.config.critic
    most = inputs.config.teacher.self_check

    def make(folder: Path) -> Counts:
        thresholds = workers.thresholds(critic)
        counts: Counter[str] = Counter(accepted=0, below_threshold=0)
        for shard in sorted(triples.glob("part-*.parquet")):
            asked = list(read_shard(shard, Triple))
            verdicts = list(
                decide(
                    read_shard(scores / shard.name, Score),
                    (triple.relation for triple in asked),
                    thresholds,
                    config=config,
                    promises=promises,
                )
            )
            answers = _read_answers(checks, shard.name) if checks and most else {}
            rejections = []
            for place, (triple, verdict) in enumerate(zip(asked, verdicts, strict=True)):
                answer = answers.get(triple.triple_id)
                if not verdict.is_accepted:
                    why = ("critic", "below_threshold", verdict.shortfall)
                elif most and answer and answer.yes >= most:
                    verdicts[place] = verdict.model_copy(update={"is_accepted": False})
                    said = f"the teacher says yes ({answer.yes:.4f}, from {most:.4f} on) to"
                    why = ("teacher", "self_check", f"{said} {answer.question!r}")
                else:
                    counts["accepted"] += 1
                    continue
                counts[why[1]] += 1
                rejections.append(_reject(triple, *why))
            number = shard.stem.removeprefix("part-")
            write_shard(folder / f"rejected-{number}.parquet", rejections, Rejection)
            write_shard(folder / shard.name, verdicts, Verdict)
        return dict(counts)

    key = [run.key("scores"), plain(config)["threshold"]]
    if promises:
        key.append(dict(promises))
    return run.stage("verdicts", [*key, run.key("self_check"), most] if checks else key, make)


def _read_answers(checks: Path, name: str) -> dict[str, SelfCheck]:
    return {check.triple_id: check for check in read_shard(checks / name, SelfCheck)}


def _reject(triple: Triple, stage: str, reason: str, detail: str) -> Rejection:
    return Rejection(
        stage=stage,
        reason=reason,
        detail=detail,
        head=triple.head,
        relation=triple.relation,
        text=triple.tail,
        triple_id=triple.triple_id,
    )


def read_judged(triples: Path, verdicts: Path) -> Iterator[tuple[Triple, Verdict]]:
    """Give every triple with its verdict, in the order of the prompts."""
    for shard in sorted(triples.glob("part-*.parquet")):
        yield from zip(
            read_shard(shard, Triple), read_shard(verdicts / shard.name, Verdict), strict=True
        )


def read_accepted(triples: Path, verdicts: Path) -> Iterator[pa.Table]:
    """Give the columns of the accepted triples and their probability, a shard at a time."""
    for shard in sorted(triples.glob("part-*.parquet")):
        judged = read_columns(verdicts / shard.name, ["probability", "is_accepted"])
        table = read_columns(shard, _SAYS).append_column("probability", judged["probability"])
        yield table.filter(judged["is_accepted"])


def merge(
    run: RunFolder,
    inputs: Inputs,
    triples: Path,
    verdicts: Path,
    *,
    workers: Workers,
    progress: Progress,
) -> Path:
    """Join the tails of one head and relation that say the same."""
    config = inputs.config.dedup
    graphs = find_graphs(config.against)

    def make(folder: Path) -> Counts:
        from kgbuild.dedup import EmbeddingCache, cluster_triples

        progress.say("Merging tails that say the same")
        # Beside the stages, not under a key: a new similarity finds every vector again.
        cache = EmbeddingCache(run.path / "stages" / "embeddings", workers.encoder())
        target = folder / "part-00000.parquet"
        with held_by(graphs, config=inputs.config.store) as existing:
            merges = cluster_triples(
                read_accepted(triples, verdicts),
                embeddings=cache,
                config=config,
                existing=existing,
            )
            write_shard(target, merges, Merge)
        written = read_columns(target, ["cluster_id", "reason"])
        clusters = pc.count_distinct(written["cluster_id"]).as_py()
        return {"clusters": clusters, **Counter(written["reason"].to_pylist())}

    settings = {
        name: value
        for name, value in plain(config).items()
        if name not in ("batch_size", "against")
    }
    key = [run.key("verdicts"), settings, workers.encoder_key]
    return run.stage("merges", [*key, key_graphs(graphs)] if graphs else key, make)
