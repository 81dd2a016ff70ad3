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
from kgbuild.core.shards import read_columns
from kgbuild.critic import (
    CriticReport,
    Drift,
    Guarantee,
    Profile,
    Scope,
    Sighting,
    calibrate_critic,
    check_shares,
    find_drift,
    load_phrase_encoder,
    read_card,
    read_labels,
    read_report,
    sentence_encoder,
)
from kgbuild.critic.phrases import PhraseEncoder
from kgbuild.evaluation import PromiseFacts, PromiseRow
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
    altered = _find_altered(critic, inputs, workers)

    def make(folder: Path) -> Counts:
        encoder = _encoder(critic, guarantee, workers)
        found = Profile.of(
            _sightings(triples, scores),
            relations=guarantee.relations,
            encode=sentence_encoder(encoder, inputs.all_relations) if encoder else None,
        )
        drift = find_drift(guarantee, held_out, found, altered=altered)
        write_json(folder / _FILE, drift.model_dump(mode="json"))
        if drift.advice:
            progress.say(drift.advice)
        return {"promised": len(drift.kept), "withdrawn": len(drift.withdrawn)}

    sentences = [[relation.name, relation.sentence] for relation in inputs.all_relations]
    key = [run.key("scores"), guarantee.model_dump(mode="json"), sentences, altered]
    drift = _read(run.stage("drift", key, make))
    return {name: text for name, text in promised.items() if name in drift.kept}


def read_drift(manifest: Manifest) -> Drift | None:
    """Give what became of the promise in a run, None if its critic made none."""
    return _read(manifest.stage_folder("drift")) if "drift" in manifest.stages else None


def gather_promise(manifest: Manifest) -> PromiseFacts | None:
    """Give what was promised and measured for a run's report, None if nothing was."""
    drift = read_drift(manifest)
    folder = manifest.stage_folder("critic")
    if drift is None or not (folder / "report.json").is_file():
        return None
    report = read_report(folder)
    guarantee = report.guarantee
    if guarantee is None:
        return None
    figures = report.evidence or report.plain
    measured = {one.relation: (one.kept, one.kept_plausible) for one in figures.relations}
    whole = tuple(map(sum, zip(*measured.values(), strict=True))) if measured else (0, 0)
    rows = []
    for one in guarantee.promises:
        kept, right = measured.get(one.relation, (0, 0)) if one.relation else whole
        is_gone = one.relation in drift.withdrawn or (not one.relation and drift.withdrawn)
        rows.append(
            PromiseRow(
                relation=one.relation,
                standing=(
                    "refused"
                    if not one.is_given
                    else "withdrawn"
                    if is_gone
                    else "untested"
                    if one.relation in drift.untested
                    else "promised"
                ),
                threshold=one.threshold,
                low=one.low,
                kept=kept,
                right=right,
                more_labels=one.more_labels,
                why=one.why,
            )
        )
    return PromiseFacts(
        text=guarantee.text,
        precision=guarantee.precision,
        confidence=guarantee.confidence,
        rows=tuple(rows),
        advice=drift.advice,
    )


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
    card = read_card(critic)
    if card.encoder is None or card.encoder.sha256 != guarantee.encoder:
        raise CriticError(f"{critic} promises with another encoder than its own; calibrate again")
    return load_phrase_encoder(critic, card)


def _sightings(triples: Path, scores: Path) -> Iterator[Sighting]:
    # Columns, as a million candidates pass here; only drawn ones become sentences.
    columns = ["triple_id", "head", "relation", "tail", "provenance.tokens"]
    for shard in sorted(triples.glob("part-*.parquet")):
        rows = read_columns(shard, columns).to_pylist()
        given = read_columns(scores / shard.name, ["probability"])["probability"].to_pylist()
        for row, probability in zip(rows, given, strict=True):
            yield Sighting(
                triple_id=row["triple_id"],
                head=row["head"],
                relation=row["relation"],
                tail=row["tail"],
                probability=probability,
                has_evidence=row["provenance"]["tokens"] > 0,
            )


def _find_altered(critic: Path, inputs: Inputs, workers: Workers) -> dict[str, str]:
    """Give the relations of which this run makes something else than labels showed."""
    altered = {}
    if workers.given_critic is None:
        read = {relation.name: relation.sentence for relation in read_card(critic).relations}
        altered = {
            relation.name: "wording"
            for relation in inputs.all_relations
            if read.get(relation.name, relation.sentence) != relation.sentence
        }
    if inputs.config.teacher.self_check is not None:
        # Kept are then those on which the teacher agrees, which no label was drawn from.
        altered |= {one.name: "self-check" for one in inputs.all_relations if one.negates}
    return altered
