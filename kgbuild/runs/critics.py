"""The critic of a config: trained once, kept in the user's cache, copied into a run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from filelock import FileLock, Timeout

from kgbuild.core.config import plain
from kgbuild.core.errors import CriticError, RelationError, did_you_mean
from kgbuild.core.files import user_path
from kgbuild.core.ids import content_key
from kgbuild.core.progress import Progress
from kgbuild.core.records import LabelledTriple
from kgbuild.core.relations import RelationSet
from kgbuild.core.resources import cache_folder
from kgbuild.critic import (
    Candidate,
    CriticReport,
    MeanEncoder,
    evaluate_critic,
    find_artefacts,
    load_critic,
    read_artefacts,
    read_candidates,
    read_card,
    read_labels,
    read_report,
    read_silver,
    settle_labels,
    train_critic,
)
from kgbuild.critic.protocol import TOGETHER
from kgbuild.models import resolve_model
from kgbuild.runs.folder import Counts, RunFolder
from kgbuild.runs.inputs import Inputs, find_inputs, hash_files, read_build_config
from kgbuild.runs.workers import Workers

# Of the baselines that measuring sets beside a critic, whatever reads precedents for it.
BASELINE_ENCODER = "minilm"
# Training does not depend on the threshold; of the others the contents are hashed, not the names.
_AFTERWARDS = {
    "threshold",
    "labels",
    "silver",
    "unlabelled",
    "backbone",
    "start",
    "precedents",
    "folder",
}


def critic_inputs(inputs: Inputs) -> list[object]:
    """Give all that a critic's weights and calibration depend on."""
    if inputs.critic_folder is not None:
        _check_relations(inputs.critic_folder, inputs)
        return ["finished", hash_files([inputs.critic_folder])]
    config = inputs.config.critic
    return [
        {name: value for name, value in plain(config).items() if name not in _AFTERWARDS},
        hash_files(find_inputs(config.labels)),
        hash_files(find_inputs(config.silver)),
        hash_files(find_inputs(config.unlabelled)),
        hash_files([inputs.critic_start] if inputs.critic_start else []),
        inputs.critic_file.sha256,
        inputs.critic_encoder.sha256 if inputs.critic_encoder else None,
    ]


def _check_relations(folder: Path, inputs: Inputs) -> None:
    known = {relation.name for relation in read_card(folder).relations}
    strange = [relation.name for relation in inputs.relations if relation.name not in known]
    if strange:
        raise RelationError(
            f"critic.folder {folder} was made for another relation pack: it does not know "
            f"{strange[0]}{did_you_mean(strange[0], known)}; train a critic for these packs, or "
            f"leave it out with prompts.skip_relations=[{', '.join(strange)}]"
        )


def ensure_critic(inputs: Inputs, *, progress: Progress) -> Path:
    """Give the folder of the config's critic, training it if no run has done so yet."""
    if inputs.critic_folder is not None:
        read_card(inputs.critic_folder)
        return inputs.critic_folder
    folder = cache_folder() / "critics" / content_key(critic_inputs(inputs))
    if (folder / "critic.json").exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.with_suffix(".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress.say("Another process is training this critic; waiting for it")
        lock.acquire()
    try:
        if not (folder / "critic.json").exists():
            progress.say("Training the critic (once; it is kept for later runs)")
            train(inputs, folder, progress=progress)
    finally:
        lock.release()
    return folder


def train(
    inputs: Inputs,
    folder: Path,
    *,
    labels: Sequence[LabelledTriple] | None = None,
    progress: Progress,
) -> CriticReport:
    """Train the config's critic into a folder, on its own labels or on these.

    Raises:
        CriticError: If the folder holds anything but an earlier critic, which is replaced.
    """
    folder = user_path(folder).resolve()
    config = inputs.config.critic
    making = begin_folder(folder)
    report = train_critic(
        read_labels(find_inputs(config.labels)) if labels is None else labels,
        read_silver(find_inputs(config.silver)),
        inputs.all_relations,
        backbone_path=inputs.critic_file.path,
        start=inputs.critic_start,
        encoder_path=inputs.critic_encoder.path if inputs.critic_encoder else None,
        unlabelled=_read_unlabelled(inputs),
        config=config,
        folder=making,
        progress=progress,
    )
    end_folder(folder)
    return report


def _read_unlabelled(inputs: Inputs) -> list[Candidate]:
    return [
        candidate
        for path in find_inputs(inputs.config.critic.unlabelled)
        for candidate in read_candidates(path, relations=inputs.all_relations)
        if candidate is not None
    ]


def begin_folder(folder: Path) -> Path:
    """Give the place where a critic is made before it takes a folder's name.

    Raises:
        CriticError: If the folder holds anything but an earlier critic, which is replaced.
    """
    _refuse_foreign(folder)
    making = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(making, ignore_errors=True)
    return making


def end_folder(folder: Path) -> None:
    """Let the critic that was made take the folder's name."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.with_name(f"{folder.name}.part").rename(folder)


def _refuse_foreign(folder: Path) -> None:
    is_ours = (folder / "critic.json").is_file()
    if folder.exists() and not is_ours and (folder.is_file() or any(folder.iterdir())):
        raise CriticError(
            f"{folder} holds something that is no critic, and a new critic would take its place; "
            "name a new or empty folder with --out"
        )


def place_critic(run: RunFolder, inputs: Inputs, *, workers: Workers, progress: Progress) -> Path:
    """Put the critic into the run, so that the run can be read alone."""

    def make(folder: Path) -> Counts:
        if workers.given_critic is None:
            trained = ensure_critic(inputs, progress=progress)
            shutil.copytree(trained, folder, dirs_exist_ok=True)
        return {}

    given = workers.given_critic
    return run.stage("critic", given.key if given else critic_inputs(inputs), make)


def find_critic(
    folder: Path | None, *, config: Path | None, settings: Sequence[str], progress: Progress
) -> Path:
    """Give the critic that a command names: a folder, or the one of a config."""
    if folder is not None:
        return folder
    return ensure_critic(Inputs(read_build_config(config, settings=settings)), progress=progress)


def check_file(file: Path, *, relations: RelationSet, skip_unknown: bool) -> None:
    """Read a whole file of triples and score none.

    So a mistake in its last line is said before a critic is trained, and before a part of the
    answer has gone out. A pipe is let through: it can be read only once.

    Raises:
        LabelError: With file and line, if the file or a row breaks a rule.
        RelationError: With file and line, if a relation is unknown.
    """
    if file.exists() and not (file.is_file() or file.is_dir()):
        return
    for _ in read_candidates(file, relations=relations, skip_unknown=skip_unknown):
        pass


def find_scoring_critic(
    folder: Path | None,
    file: Path,
    *,
    config: Path | None,
    settings: Sequence[str],
    skip_unknown: bool,
    progress: Progress,
) -> Path:
    """Give the critic for a file, which is checked before one is trained for it."""
    if folder is not None:
        return folder
    inputs = Inputs(read_build_config(config, settings=settings))
    check_file(file, relations=inputs.all_relations, skip_unknown=skip_unknown)
    return ensure_critic(inputs, progress=progress)


def score_file(
    folder: Path, file: Path, *, skip_unknown: bool
) -> Iterator[dict[str, object] | None]:
    """Score the triples of a file in its order; None stands for a row that was left out."""
    critic = load_critic(folder)
    check_file(file, relations=critic.relations, skip_unknown=skip_unknown)
    source = read_candidates(file, relations=critic.relations, skip_unknown=skip_unknown)
    while batch := list(islice(source, TOGETHER)):
        known = [candidate for candidate in batch if candidate is not None]
        opinions = iter(critic.score(known))
        for candidate in batch:
            if candidate is None:
                yield None
                continue
            opinion = next(opinions)
            threshold = critic.thresholds.get(candidate.relation)
            yield {
                "head": candidate.head,
                "relation": candidate.relation,
                "tail": candidate.tail,
                "probability": round(opinion.probability, 6),
                "threshold": round(threshold, 6),
                "accepted": opinion.probability >= threshold,
            }


def evaluate_files(folder: Path, labels: Sequence[Path]) -> CriticReport:
    """Measure a critic on label files, or give the figures of its own test part."""
    if not labels:
        read_card(folder)
        return read_report(folder)
    # Before the critic: a broken label file need not wait for it.
    judged = read_labels(labels)
    settled = settle_labels(judged)
    critic = load_critic(folder)
    artefacts = read_artefacts(folder, settled)
    if artefacts is None:
        artefacts = find_artefacts(settled, MeanEncoder(resolve_model(BASELINE_ENCODER).path))
    return evaluate_critic(critic, judged, artefacts=artefacts)
