"""From a trained critic and held-out labels to a critic that promises a precision."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from pathlib import Path

from kgbuild.core.errors import CriticError
from kgbuild.core.files import write_json
from kgbuild.core.ids import phrase_id
from kgbuild.core.progress import QUIET, Progress
from kgbuild.core.records import LabelledTriple, Split
from kgbuild.core.relations import check_names
from kgbuild.critic.artefacts import read_artefacts
from kgbuild.critic.candidate import Candidate
from kgbuild.critic.evaluate import evaluate_critic
from kgbuild.critic.folder import CriticCard, save_guarantee
from kgbuild.critic.guarantee import check_shares, make_guarantee
from kgbuild.critic.labels import settle_labels
from kgbuild.critic.profile import Profile, Sighting, sentence_encoder
from kgbuild.critic.promise import Guarantee, Scope
from kgbuild.critic.report import CriticReport
from kgbuild.critic.split import assign_part
from kgbuild.critic.trained_critic import TrainedCritic, load_critic

_RANDOM = ("", "random")


def calibrate_critic(
    folder: Path,
    labels: Sequence[LabelledTriple],
    *,
    precision: float,
    confidence: float,
    scope: Scope,
    out: Path,
    learned_from: Collection[str] | None = None,
    progress: Progress = QUIET,
) -> tuple[Guarantee, CriticReport]:
    """Copy a critic, with thresholds that promise a precision, and measure it on the test part.

    Only triples that were drawn at random count, which is what an empty `chosen_by` or `random`
    says: what was picked for being hard is not like what will come.

    Args:
        folder: The critic.
        labels: All rows, relabellings included.
        precision: What is promised.
        confidence: How sure the promise is to hold.
        scope: Of what it speaks; see `make_guarantee`.
        out: A new folder.
        learned_from: Head ids of the labels that the critic was made with, if `labels` are others:
            then all heads but those and the test part choose. None: the dev part chooses.
        progress: Is shown the batches of scoring.

    Raises:
        CriticError: If a share is out of range, no label is left, or the critic's calibration
            is an isotonic one that the same labels have fitted.
        RelationError: If labels speak of relations that the critic does not know.
    """
    check_shares(precision=precision, confidence=confidence)
    critic = load_critic(folder)
    check_names([row.relation for row in labels], critic.relations)
    settled = settle_labels(labels)
    drawn = {row.triple_id for row in labels if row.chosen_by in _RANDOM}
    random = [row for row in settled if row.triple_id in drawn]
    if learned_from is None:
        _refuse_steps(critic.card)
        choosing = [row for row in random if assign_part(row.head) is Split.DEV]
        known = 0
    else:
        unseen = [row for row in random if phrase_id(row.head) not in learned_from]
        choosing = [row for row in unseen if assign_part(row.head) is not Split.TEST]
        known = len(random) - len(unseen)
        random = unseen
    if not choosing:
        raise CriticError(
            f"none of {len(settled)} sure labels is left to choose thresholds by: "
            f"{len(settled) - len(drawn & {row.triple_id for row in settled})} were not drawn at "
            f"random, {known} are of heads that the critic was made with; label random triples "
            + ("of other heads" if learned_from is not None else "of dev heads")
        )
    opinions = critic.score([Candidate.of(row) for row in choosing])
    odds = [one.probability for one in opinions]
    guarantee = make_guarantee(
        choosing,
        odds,
        precision=precision,
        confidence=confidence,
        scope=scope,
        relations=[relation.name for relation in critic.relations],
        prior_labels=float(critic.card.config.get("prior_labels", 10.0)),
    ).model_copy(
        update={
            "is_fitted": learned_from is None,
            "chosen_labels": len(settled) - len(random) - known,
            "seen_labels": known,
            "encoder": critic.card.encoder.sha256 if critic.encoder and critic.card.encoder else "",
        }
    )
    profile = make_profile(critic, choosing, odds, relations=guarantee.relations)
    shutil.copytree(folder, out)
    card = save_guarantee(out, critic.card, guarantee, profile)
    keep = {row.triple_id for row in random}
    kept = [row for row in labels if row.triple_id in keep]
    report = evaluate_critic(
        critic.with_card(card),
        kept,
        target_precision=precision,
        artefacts=read_artefacts(folder, settle_labels(kept)),
    ).model_copy(update={"calibrated_on": len(choosing), "guarantee": guarantee})
    write_json(out / "report.json", report.model_dump(mode="json"))
    return guarantee, report


def make_profile(
    critic: TrainedCritic,
    rows: Sequence[LabelledTriple],
    odds: Sequence[float],
    *,
    relations: Sequence[str],
) -> Profile:
    """Draw the profile of labelled candidates, with vectors if the critic has an encoder."""
    sightings = (
        Sighting(
            triple_id=row.triple_id,
            head=row.head,
            relation=row.relation,
            tail=row.tail,
            probability=probability,
            has_evidence=row.tokens > 0,
        )
        for row, probability in zip(rows, odds, strict=True)
    )
    encode = sentence_encoder(critic.encoder, critic.relations) if critic.encoder else None
    return Profile.of(sightings, relations=relations, encode=encode)


def _refuse_steps(card: CriticCard) -> None:
    if card.plain.steps or card.evidence.steps:
        raise CriticError(
            "critic.calibration isotonic was fitted on the dev labels, so its steps are thresholds "
            "chosen on them, and they can promise nothing; give labels of other heads with "
            "--unseen, or train with critic.calibration=platt"
        )
