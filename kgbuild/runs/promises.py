"""Promises of precision: made from labels by a command, and looked after in every run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from kgbuild.core.errors import CriticError, FileError, first_fault
from kgbuild.core.files import read_json, user_path, write_json
from kgbuild.core.ids import phrase_id
from kgbuild.core.manifest import Manifest
from kgbuild.core.progress import Progress
from kgbuild.core.records import Score, Triple
from kgbuild.core.relations import verbalise
from kgbuild.core.shards import read_shard
from kgbuild.critic import (
    Candidate,
    CriticReport,
    Drift,
    Guarantee,
    Profile,
    Scope,
    Sighting,
    calibrate_critic,
    check_shares,
    find_drift,
    read_card,
    read_labels,
)
from kgbuild.critic.phrases import PhraseEncoder
from kgbuild.runs.critics import begin_folder, end_folder, find_critic
from kgbuild.runs.folder import Counts, RunFolder
from kgbuild.runs.inputs import Inputs, find_inputs, read_build_config
from kgbuild.runs.workers import Workers

_FILE = "drift.json"


def calibrate(
    critic: Path | None,
    labels: Sequence[Path],
    *,
    precision: float,
    confidence: float,
    scope: Scope,
    out: Path,
    is_unseen: bool,
    config: Path | None,
    settings: Sequence[str],
    progress: Progress,
) -> tuple[Guarantee, CriticReport]:
    """Make a critic that promises a precision out of one that does not.

    Args:
        critic: Its folder; without it the config's, trained if need be.
        labels: Files or folders; without any, those of the config.
        precision: What is promised.
        confidence: How sure the promise is to hold.
        scope: Each relation, all at once, or the graph.
        out: Folder of the new critic.
        is_unseen: The labels are of heads that the critic was not made with, which is checked
            against the labels of the config: all but the test part choose then.
        config: A build config.
        settings: Changes to it.
        progress: Is told.

    Raises:
        CriticError: If no promise can be tested, or the folder holds anything but a critic.
        LabelError: With file and line, if a label breaks a rule.
    """
    # Before a critic is trained or asked, which takes minutes.
    check_shares(precision=precision, confidence=confidence)
    folder = user_path(out).resolve()
    making = begin_folder(folder)
    inputs = Inputs(read_build_config(config, settings=settings))
    own = find_inputs(inputs.config.critic.labels)
    rows = read_labels(list(labels) or own)
    learned_from = None
    if is_unseen:
        learned_from = frozenset(phrase_id(row.head) for row in read_labels(own))
    source = find_critic(critic, config=config, settings=settings, progress=progress)
    if source.resolve() == folder:
        raise CriticError(f"--out {out} is the critic itself; name a new folder")
    made = calibrate_critic(
        source,
        rows,
        precision=precision,
        confidence=confidence,
        scope=scope,
        out=making,
        learned_from=learned_from,
        progress=progress,
    )
    end_folder(folder)
    return made


def check_promise(
    run: RunFolder,
    inputs: Inputs,
    triples: Path,
    scores: Path,
    critic: Path,
    *,
    workers: Workers,
    progress: Progress,
) -> Mapping[str, str]:
    """Give what the critic still promises of this run's candidates, by relation.

    A run whose critic promises nothing has no such stage.
    """
    given = workers.guarantee(critic)
    if given is None:
        return {}
    guarantee, held_out = given
    promised = guarantee.promised()

    def make(folder: Path) -> Counts:
        encoder = _encoder(critic, guarantee, workers)
        found = Profile.of(
            _sightings(inputs, triples, scores),
            relations=guarantee.relations,
            encode=encoder.encode if encoder else None,
        )
        drift = find_drift(guarantee, held_out, found, reworded=_reworded(critic, inputs, workers))
        write_json(folder / _FILE, drift.model_dump(mode="json"))
        if drift.advice:
            progress.say(drift.advice)
        return {"promised": len(drift.kept), "withdrawn": len(drift.withdrawn)}

    sentences = [[relation.name, relation.sentence] for relation in inputs.all_relations]
    key = [run.key("scores"), guarantee.model_dump(mode="json"), sentences]
    drift = _read(run.stage("drift", key, make))
    return {name: text for name, text in promised.items() if name in drift.kept}


def read_drift(manifest: Manifest) -> Drift | None:
    """Give what became of the promise in a run, None if its critic made none."""
    return _read(manifest.stage_folder("drift")) if "drift" in manifest.stages else None


def _read(folder: Path) -> Drift:
    try:
        return Drift.model_validate(read_json(folder / _FILE))
    except (FileError, ValidationError) as error:
        raise FileError(
            f"{folder / _FILE} cannot be read: {first_fault(error)}; take the folder away and run "
            "the same build again"
        ) from error


def _encoder(critic: Path, guarantee: Guarantee, workers: Workers) -> PhraseEncoder | None:
    if not guarantee.encoder or workers.given_critic is not None:
        return None
    from kgbuild.critic.phrases import MeanEncoder
    from kgbuild.decoding import find_base

    base = read_card(critic).encoder
    if base is None or base.sha256 != guarantee.encoder:
        raise CriticError(f"{critic} promises with another encoder than its own; calibrate again")
    return MeanEncoder(find_base(base, place=None, owner=f"The critic in {critic}"))


def _sightings(inputs: Inputs, triples: Path, scores: Path) -> Iterator[Sighting]:
    relations = inputs.all_relations
    for shard in sorted(triples.glob("part-*.parquet")):
        pairs = zip(read_shard(shard, Triple), read_shard(scores / shard.name, Score), strict=True)
        for triple, score in pairs:
            yield Sighting(
                triple_id=triple.triple_id,
                head=triple.head,
                relation=triple.relation,
                sentence=verbalise(relations.get(triple.relation), triple.head, triple.tail),
                probability=score.probability,
                has_evidence=Candidate.of(triple).evidence is not None,
            )


def _reworded(critic: Path, inputs: Inputs, workers: Workers) -> list[str]:
    if workers.given_critic is not None:
        return []
    read = {relation.name: relation.sentence for relation in read_card(critic).relations}
    return [
        relation.name
        for relation in inputs.all_relations
        if read.get(relation.name, relation.sentence) != relation.sentence
    ]
