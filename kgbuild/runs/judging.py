"""The middle stages: scores, verdicts, merges.

Scores need the critic, merges need the encoder; verdicts need neither, so that a new threshold
takes seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from kgbuild.core.config import plain
from kgbuild.core.progress import Progress
from kgbuild.core.records import Merge, Rejection, Score, Triple, Verdict
from kgbuild.core.shards import read_shard, write_shard
from kgbuild.critic import decide, judge_triples
from kgbuild.runs.earlier import find_graphs, held_by, key_graphs
from kgbuild.runs.folder import Counts, RunFolder
from kgbuild.runs.inputs import Inputs
from kgbuild.runs.workers import Workers


def score(
    run: RunFolder, triples: Path, critic: Path, *, workers: Workers, progress: Progress
) -> Path:
    """Score every triple, a shard of scores for a shard of triples."""

    def make(folder: Path) -> Counts:
        count = 0
        shards = sorted(triples.glob("part-*.parquet"))
        for shard in progress.track(shards, stage="critic", total=len(shards), unit="shards"):
            target = folder / shard.name
            if not target.exists():
                scores = judge_triples(read_shard(shard, Triple), workers.critic(critic))
                write_shard(target, scores, Score)
            count += sum(1 for _ in read_shard(target, Score))
        return {"scored": count}

    return run.stage("scores", [run.key("triples"), run.key("critic")], make)


def give_verdicts(
    run: RunFolder,
    inputs: Inputs,
    triples: Path,
    scores: Path,
    critic: Path,
    *,
    workers: Workers,
    promises: Mapping[str, str],
) -> Path:
    """Accept or reject every scored triple by the threshold of its relation.

    Args:
        run: The run.
        inputs: Its config.
        triples: What was asked.
        scores: What the critic said.
        critic: Its folder.
        workers: Gives the thresholds.
        promises: What still is promised in this run, by relation.
    """
    config = inputs.config.critic

    def make(folder: Path) -> Counts:
        thresholds = workers.thresholds(critic)
        counts = {"accepted": 0, "below_threshold": 0}
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
            rejections = [
                Rejection(
                    stage="critic",
                    reason="below_threshold",
                    detail=verdict.shortfall,
                    head=triple.head,
                    relation=triple.relation,
                    text=triple.tail,
                    triple_id=triple.triple_id,
                )
                for triple, verdict in zip(asked, verdicts, strict=True)
                if not verdict.is_accepted
            ]
            counts["below_threshold"] += len(rejections)
            counts["accepted"] += len(verdicts) - len(rejections)
            number = shard.stem.removeprefix("part-")
            write_shard(folder / f"rejected-{number}.parquet", rejections, Rejection)
            write_shard(folder / shard.name, verdicts, Verdict)
        return counts

    key = [run.key("scores"), plain(config)["threshold"]]
    return run.stage("verdicts", [*key, dict(promises)] if promises else key, make)


def read_judged(triples: Path, verdicts: Path) -> Iterator[tuple[Triple, Verdict]]:
    """Give every triple with its verdict, in the order of the prompts."""
    for shard in sorted(triples.glob("part-*.parquet")):
        yield from zip(
            read_shard(shard, Triple), read_shard(verdicts / shard.name, Verdict), strict=True
        )


def read_accepted(triples: Path, verdicts: Path) -> Iterator[tuple[Triple, Verdict]]:
    """Give every accepted triple with its verdict, in the order of the prompts."""
    return (pair for pair in read_judged(triples, verdicts) if pair[1].is_accepted)


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
        from kgbuild.dedup import EmbeddingCache, cluster_triples, to_columns

        progress.say("Merging tails that say the same")
        # Beside the stages, not under a key: a new similarity finds every vector again.
        cache = EmbeddingCache(run.path / "stages" / "embeddings", workers.encoder())
        accepted = list(read_accepted(triples, verdicts))
        columns = to_columns(
            (triple for triple, _ in accepted),
            {triple.triple_id: verdict.probability for triple, verdict in accepted},
        )
        with held_by(graphs, config=inputs.config.store) as existing:
            merges = list(
                cluster_triples([columns], embeddings=cache, config=config, existing=existing)
            )
        counts: Counts = {"clusters": len({merge.cluster_id for merge in merges})}
        for entry in merges:
            counts[entry.reason] = counts.get(entry.reason, 0) + 1
        write_shard(folder / "part-00000.parquet", merges, Merge)
        return counts

    settings = {
        name: value
        for name, value in plain(config).items()
        if name not in ("batch_size", "against")
    }
    key = [run.key("verdicts"), settings, workers.encoder_key]
    return run.stage("merges", [*key, key_graphs(graphs)] if graphs else key, make)
