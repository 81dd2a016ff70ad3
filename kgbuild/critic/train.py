"""Training a critic: a judge's soft verdicts first, labels after, calibration on unseen heads."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from kgbuild.core.config import CriticConfig, plain
from kgbuild.core.errors import CriticError
from kgbuild.core.files import write_json
from kgbuild.core.ids import content_key
from kgbuild.core.records import LabelledTriple, SilverTriple, Split
from kgbuild.core.relations import RelationSet, check_names
from kgbuild.critic.calibration import fit_calibration
from kgbuild.critic.candidate import Candidate
from kgbuild.critic.encoder_critic import load_critic, save_critic
from kgbuild.critic.evaluate import evaluate_critic
from kgbuild.critic.figures import measure
from kgbuild.critic.labels import settle_labels
from kgbuild.critic.report import CriticReport
from kgbuild.critic.split import assign_fold, assign_part
from kgbuild.critic.thresholds import choose_thresholds

if TYPE_CHECKING:
    from kgbuild.critic.network import CriticNetwork, Reader

_MIN_LABELS = 20

Floats = npt.NDArray[np.float64]


def train_critic(
    labels: Sequence[LabelledTriple],
    silver: Sequence[SilverTriple],
    relations: RelationSet,
    *,
    encoder_path: Path,
    config: CriticConfig,
    folder: Path,
) -> CriticReport:
    """Train, calibrate, cut and test a critic, and save it.

    A dev part alone is too few labels to choose 35 thresholds by. Every label outside the test
    part is therefore scored once by weights that have not seen its head (cross-fitting), and
    those scores choose calibration and thresholds. The saved weights then learn from all of
    them. Test heads take part in nothing, and a judge's verdict on a dev or test head is dropped.

    Args:
        labels: All rows, relabellings included.
        silver: May be empty.
        relations: Every relation that the critic shall be able to judge, labelled or not.
        encoder_path: Folder with safetensors weights and a tokenizer.
        config: The critic section.
        folder: Is written whole; `critic.json` comes last.

    Raises:
        CriticError: If labels are too few or of one class.
        RelationError: If a label's relation is in no pack.
    """
    settled = settle_labels(labels)
    check_names([row.relation for row in settled], relations)
    check_names([row.relation for row in silver], relations)
    fitting = [row for row in settled if assign_part(row.head) is not Split.TEST]
    _check(fitting)
    kept = _usable(silver, settled)
    network, reader = _begin([*fitting, *kept], relations, encoder_path, config)
    losses = _learn_silver(network, reader, kept, config)
    plain_logits, evidence_logits = _cross_fit(network, reader, fitting, config)
    losses += _learn_labels(network, reader, fitting, config, seed=config.seed)

    truth = [row.label.is_accepted for row in fitting]
    names = [row.relation for row in fitting]
    shown = np.asarray([Candidate.of(row).evidence is not None for row in fitting])
    bare = fit_calibration(plain_logits.tolist(), truth)
    thresholds = choose_thresholds(bare.apply(plain_logits).tolist(), truth, names, config=config)
    informed = bare
    if int(shown.sum()) >= _MIN_LABELS and len(set(np.asarray(truth)[shown])) == 2:
        seen = np.flatnonzero(shown).tolist()
        informed = fit_calibration(evidence_logits[seen].tolist(), [truth[at] for at in seen])
        # One cut serves triples with and without evidence, so it has to hold for both.
        thresholds = thresholds.strictest(
            choose_thresholds(
                informed.apply(evidence_logits[seen]).tolist(),
                [truth[at] for at in seen],
                [names[at] for at in seen],
                config=config,
            )
        )
    save_critic(
        folder,
        network,
        reader.tokenizer,
        {
            "plain": bare,
            "evidence": informed,
            "thresholds": thresholds,
            "means": reader.scaler.means,
            "spreads": reader.scaler.spreads,
            "trained_relations": tuple(reader.places),
            "relations": tuple(relations),
            "max_tokens": config.max_tokens,
            "config": dict(plain(config)),
            "inputs": {
                "labels": content_key([row.model_dump(mode="json") for row in labels]),
                "silver": content_key([row.model_dump(mode="json") for row in silver]),
            },
        },
    )
    report = evaluate_critic(
        load_critic(folder), labels, target_precision=config.target_precision
    ).model_copy(
        update={
            "trained_on": len(fitting),
            "silver": len(kept),
            "silver_dropped": len(silver) - len(kept),
            "held_out": measure(bare.apply(plain_logits).tolist(), fitting, thresholds),
            "training_loss": tuple(losses),
        }
    )
    write_json(folder / "report.json", report.model_dump(mode="json"))
    return report


def _check(fitting: Sequence[LabelledTriple]) -> None:
    accepted = sum(row.label.is_accepted for row in fitting)
    if len(fitting) < _MIN_LABELS or not 0 < accepted < len(fitting):
        raise CriticError(
            f"{len(fitting)} sure labels outside the test part, {accepted} of them accepted, "
            f"cannot train a critic; it needs at least {_MIN_LABELS}, of both kinds. Label more "
            "triples, of more heads"
        )


def _usable(
    silver: Sequence[SilverTriple], settled: Sequence[LabelledTriple]
) -> list[SilverTriple]:
    # A labelled triple teaches by its label. Its silver row would leak into cross-fitting.
    labelled = {row.triple_id for row in settled}
    return [
        row
        for row in silver
        if assign_part(row.head) is Split.TRAIN and row.triple_id not in labelled
    ]


def _begin(
    rows: Sequence[LabelledTriple | SilverTriple],
    relations: RelationSet,
    encoder_path: Path,
    config: CriticConfig,
) -> tuple[CriticNetwork, Reader]:
    import torch

    from kgbuild.critic.network import CriticNetwork, Reader, Scaler, load_encoder

    encoder, tokenizer = load_encoder(encoder_path)
    names = sorted({row.relation for row in rows})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        network = CriticNetwork(encoder, relations=len(names))
    reader = Reader(
        tokenizer,
        relations,
        places={name: place for place, name in enumerate(names, start=1)},
        scaler=Scaler.fit([Candidate.of(row).evidence for row in rows]),
        max_tokens=config.max_tokens,
    )
    return network, reader


def _learn_silver(
    network: CriticNetwork, reader: Reader, silver: Sequence[SilverTriple], config: CriticConfig
) -> list[float]:
    from kgbuild.critic.fitting import fit

    if not silver or not config.silver_epochs:
        return []
    return fit(
        network,
        reader.read([Candidate.of(row) for row in silver]),
        np.asarray([row.probability for row in silver], dtype=np.float32),
        epochs=config.silver_epochs,
        rate=config.silver_rate,
        batch_size=config.batch_size,
        evidence_dropout=config.evidence_dropout,
        seed=config.seed,
    )


def _learn_labels(
    network: CriticNetwork,
    reader: Reader,
    rows: Sequence[LabelledTriple],
    config: CriticConfig,
    *,
    seed: int,
) -> list[float]:
    from kgbuild.critic.fitting import fit

    return fit(
        network,
        reader.read([Candidate.of(row) for row in rows]),
        np.asarray([float(row.label.is_accepted) for row in rows], dtype=np.float32),
        epochs=config.epochs,
        rate=config.learning_rate,
        batch_size=config.batch_size,
        evidence_dropout=config.evidence_dropout,
        frozen_layers=config.frozen_layers,
        seed=seed,
    )


def _cross_fit(
    network: CriticNetwork,
    reader: Reader,
    rows: Sequence[LabelledTriple],
    config: CriticConfig,
) -> tuple[Floats, Floats]:
    """Score every label by weights that have not seen its head, without and with evidence."""
    from kgbuild.critic.network import score_rows

    bare = np.zeros(len(rows), dtype=np.float64)
    informed = np.zeros(len(rows), dtype=np.float64)
    fold_of = np.asarray([assign_fold(row.head, config.folds) for row in rows])
    for fold in range(config.folds):
        held = np.flatnonzero(fold_of == fold).tolist()
        rest = [row for row, at in zip(rows, fold_of, strict=True) if at != fold]
        if not held or not rest:
            continue
        student = copy.deepcopy(network)
        _learn_labels(student, reader, rest, config, seed=config.seed + 1 + fold)
        candidates = [Candidate.of(rows[place]) for place in held]
        informed[held] = score_rows(student, reader.read(candidates))
        bare[held] = score_rows(student, reader.read([c.without_evidence() for c in candidates]))
    return bare, informed
