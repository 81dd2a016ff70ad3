"""A judge's soft verdicts on a run's candidates: what a small critic learns from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

from kgbuild.core.errors import LabelError
from kgbuild.core.files import user_path
from kgbuild.core.ids import content_key
from kgbuild.core.lines_file import LinesFile
from kgbuild.core.manifest import read_manifest
from kgbuild.core.progress import Progress
from kgbuild.core.records import SilverTriple, Triple
from kgbuild.core.relations import RelationSet, verbalise
from kgbuild.core.shards import read_shards
from kgbuild.critic import Candidate, Critic, CriticCard, load_critic, read_card, read_silver

_BATCH = 256


def judge_runs(
    runs: Sequence[Path], critic: Path, out: Path, *, limit: int = 0, progress: Progress
) -> tuple[int, int]:
    """Append a critic's verdict on every candidate of some runs to a file of silver.

    What the file holds already is not judged again, so a judge that was stopped goes on. The
    candidate is shown without its teacher's evidence, as a reader sees it.

    Args:
        runs: Run folders; the teacher's answers are read, accepted or not.
        critic: Folder of the judge.
        out: JSON Lines; made if it is not there, added to if it is.
        limit: Stop when the file holds this many verdicts; 0 is no limit.
        progress: Is shown the batches.

    Returns:
        How many verdicts were added, and how many the file holds now.

    Raises:
        LabelError: If the file holds verdicts of another judge, is no silver, is not plain JSON
            Lines, or is open in another judge.
        FileError: If it cannot be written; what was judged before is kept.
    """
    out = user_path(out)
    if out.is_dir() or out.suffix != ".jsonl":
        raise LabelError(
            f"{out} is a folder or does not end in .jsonl; verdicts are added to a plain JSON "
            "Lines file, name one such as silver/mine.jsonl"
        )
    card = read_card(critic)
    busy = f"{out} is open in another judge; end that one, or name another file with --out"
    with closing(LinesFile(out, busy=busy)) as lines:
        known = _read_known(out, critic, card=card)
        waiting = [one for one in _read_candidates(runs) if one.triple_id not in known]
        if limit:
            waiting = waiting[: max(0, limit - len(known))]
        if not waiting:
            return 0, len(known)
        loaded = load_critic(critic)
        source = iter(waiting)
        batches = range(-(-len(waiting) // _BATCH))
        for _ in progress.track(batches, stage="judge", total=len(batches), unit="batches"):
            lines.append(_judge(list(islice(source, _BATCH)), loaded, loaded.relations, card))
    return len(waiting), len(known) + len(waiting)


def _judge(
    triples: Sequence[Triple],
    critic: Critic,
    relations: RelationSet,
    card: CriticCard,
) -> Iterator[SilverTriple]:
    opinions = critic.score([Candidate.of(one).without_evidence() for one in triples])
    for triple, opinion in zip(triples, opinions, strict=True):
        source = triple.provenance
        yield SilverTriple(
            triple_id=triple.triple_id,
            head=triple.head,
            relation=triple.relation,
            tail=triple.tail,
            kind=triple.kind,
            sentence=verbalise(relations.get(triple.relation), triple.head, triple.tail),
            probability=round(opinion.probability, 4),
            judge=_name(card),
            judge_hash=card.weights_hash,
            prompt_id=content_key(card.config.get("question")),
            arm=source.decoding,
            teacher=source.teacher,
            log_probability=source.log_probability,
            mean_log_probability=source.mean_log_probability,
            prior_log_probability=source.prior_log_probability,
            tokens=source.tokens,
        )


def _read_candidates(runs: Sequence[Path]) -> list[Triple]:
    """Give the parsed answers of some runs, each triple once."""
    found: dict[str, Triple] = {}
    for run in runs:
        for triple in read_shards(read_manifest(run).stage_folder("triples"), Triple):
            found.setdefault(triple.triple_id, triple)
    return list(found.values())


def _read_known(out: Path, critic: Path, *, card: CriticCard) -> set[str]:
    rows = read_silver([out]) if out.stat().st_size else []
    others = {row.judge_hash for row in rows} - {card.weights_hash}
    if others:
        raise LabelError(
            f"{out} holds verdicts of a judge with the hash {min(others)[:12]}, but {critic} has "
            f"{card.weights_hash[:12]}; name another file with --out"
        )
    return {row.triple_id for row in rows}


def _name(card: CriticCard) -> str:
    """Name a judge by the model that it reads with."""
    return Path(card.base.path).stem if card.base is not None else "encoder"
