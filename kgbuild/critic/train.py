"""Training a critic: a judge's soft verdicts first, labels after, calibration on unseen heads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kgbuild.core.config import CriticConfig, plain
from kgbuild.core.errors import CriticError
from kgbuild.core.files import write_json
from kgbuild.core.ids import content_key
from kgbuild.core.progress import QUIET, Progress
from kgbuild.core.records import LabelledTriple, SilverTriple, Split
from kgbuild.core.relations import RelationSet, check_names
from kgbuild.critic.artefacts import find_artefacts, save_artefacts
from kgbuild.critic.calibration import fit_calibration
from kgbuild.critic.candidate import Candidate
from kgbuild.critic.evaluate import evaluate_critic
from kgbuild.critic.figures import measure
from kgbuild.critic.folder import CriticCard, read_card, save_critic
from kgbuild.critic.labels import settle_labels
from kgbuild.critic.learning import Lessons, grade, learn
from kgbuild.critic.phrases import MeanEncoder, PhraseEncoder, RememberingEncoder
from kgbuild.critic.precedents import Precedents
from kgbuild.critic.report import CriticReport
from kgbuild.critic.scaler import Scaler
from kgbuild.critic.split import assign_part
from kgbuild.critic.thresholds import choose_thresholds
from kgbuild.critic.trained_critic import (
    Memory,
    TrainedCritic,
    score_candidates,
    take_weights,
)

if TYPE_CHECKING:
    from kgbuild.critic.network import CriticNetwork
    from kgbuild.critic.rows import Reader

_SHAPE = ("lora_rank", "frozen_share", "question")
_LEAST = {Split.TRAIN: 20, Split.DEV: 10}


class Earlier(NamedTuple):
    """The critic that training goes on from."""

    folder: Path
    card: CriticCard

    def shape(self, config: CriticConfig) -> CriticConfig:
        """Give the settings with what the weights were trained for: their shape, their question.

        Raises:
            CriticError: If the settings ask another question.
        """
        own = CriticConfig.model_validate(self.card.config)
        if config.question not in (None, own.question):
            raise CriticError(
                f"critic.question is {config.question!r}, and the critic in {self.folder} "
                f"(critic.start) was trained with {own.question!r}; leave one of the two empty"
            )
        return config.model_copy(update={name: getattr(own, name) for name in _SHAPE})


def train_critic(
    labels: Sequence[LabelledTriple],
    silver: Sequence[SilverTriple],
    relations: RelationSet,
    *,
    backbone_path: Path,
    start: Path | None = None,
    encoder_path: Path | None = None,
    unlabelled: Sequence[Candidate] = (),
    config: CriticConfig,
    folder: Path,
    progress: Progress = QUIET,
) -> CriticReport:
    """Train, calibrate, cut and test a critic, and save it.

    Heads are split into three parts. Labels of the first train the weights, those of the second
    choose calibration and thresholds, those of the third only test. A judge's verdict on a dev
    or test head is dropped.

    Args:
        labels: All rows, relabellings included.
        silver: May be empty.
        relations: Every relation that the critic shall be able to judge, labelled or not.
        backbone_path: A causal language model (folder or GGUF file), which gets a LoRA adapter,
            or a sentence encoder's folder, whose layers are trained themselves.
        start: Folder of a critic with the same backbone, whose weights, shape and question
            training goes on from.
        encoder_path: Sentence encoder by which the critic remembers the labels it learned from,
            and is told how like triples were judged; without it, it has no memory, and the report
            no hard part.
        unlabelled: Further triples, which a critic that is nearly sure of them learns from.
        config: The critic section.
        folder: Is written whole; `critic.json` comes last.
        progress: Is shown the steps of training and the batches of scoring.

    Raises:
        CriticError: If labels are too few or of one class, or `start` is no critic.
        ModelError: If the backbone cannot be read, or `start` adapts another one.
        RelationError: If a label's relation is in no pack.
    """
    from kgbuild.decoding import identify_base

    settled = settle_labels(labels)
    check_names([row.relation for row in settled], relations)
    check_names([row.relation for row in silver], relations)
    parts = {part: [row for row in settled if assign_part(row.head) is part] for part in Split}
    fitting, choosing = parts[Split.TRAIN], parts[Split.DEV]
    for part, least in _LEAST.items():
        _check(parts[part], part, least=least)
    kept = _usable(silver, settled)
    earlier = None
    if start is not None:
        earlier = Earlier(start, read_card(start))
        config = earlier.shape(config)
    network, reader = _begin([*fitting, *kept], relations, backbone_path, earlier, config)
    encoder = None
    if encoder_path is not None:
        encoder = RememberingEncoder(MeanEncoder(encoder_path, dtype=config.dtype))
    losses = learn(
        network,
        reader,
        Lessons(silver=kept, labels=fitting, unlabelled=unlabelled),
        encoder=encoder,
        config=config,
        progress=progress,
    )
    network.settle()
    memory = _remember(fitting, reader, encoder)

    candidates = [Candidate.of(row) for row in choosing]
    signals = score_candidates(network, reader, candidates, memory=memory, progress=progress)
    votes = signals.precedents
    truth = [row.label.is_accepted for row in choosing]
    names = [row.relation for row in choosing]
    how = config.calibration
    bare = fit_calibration(signals.text.tolist(), truth, precedents=votes.tolist(), method=how)
    plain_odds = bare.apply(signals.text, votes).tolist()
    thresholds = choose_thresholds(plain_odds, truth, names, config=config)
    informed = bare
    seen = [at for at, one in enumerate(candidates) if one.evidence is not None]
    told = [truth[at] for at in seen]
    if len(seen) >= _LEAST[Split.DEV] and len(set(told)) == 2:
        logits = (signals.text + signals.evidence)[seen]
        informed = fit_calibration(
            logits.tolist(), told, precedents=votes[seen].tolist(), method=how
        )
        # One cut serves triples with and without evidence, so it has to hold for both.
        thresholds = thresholds.strictest(
            choose_thresholds(
                informed.apply(logits, votes[seen]).tolist(),
                told,
                [names[at] for at in seen],
                config=config,
            )
        )
    save_critic(
        folder,
        network,
        reader.tokenizer,
        {
            "base": identify_base(backbone_path) if reader.is_causal else None,
            "encoder": identify_base(encoder_path) if encoder_path else None,
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
        precedents=memory.precedents if memory else None,
    )
    artefacts = find_artefacts(settled, encoder) if encoder else None
    if artefacts is not None:
        save_artefacts(folder, artefacts)
    report = evaluate_critic(
        TrainedCritic(network, reader, read_card(folder), memory=memory, progress=progress),
        labels,
        target_precision=config.target_precision,
        artefacts=artefacts,
    ).model_copy(
        update={
            "trained_on": len(fitting),
            "silver": len(kept),
            "silver_dropped": len(silver) - len(kept),
            "calibrated_on": len(choosing),
            "held_out": measure(plain_odds, choosing, thresholds),
            "training_loss": tuple(losses),
        }
    )
    write_json(folder / "report.json", report.model_dump(mode="json"))
    return report


def _remember(
    rows: Sequence[LabelledTriple], reader: Reader, encoder: PhraseEncoder | None
) -> Memory | None:
    if encoder is None:
        return None
    precedents = Precedents.remember(
        [Candidate.of(row) for row in rows], grade(rows), places=reader.places, encoder=encoder
    )
    return Memory(precedents, encoder)


def _check(rows: Sequence[LabelledTriple], part: Split, *, least: int) -> None:
    accepted = sum(row.label.is_accepted for row in rows)
    if len(rows) < least or not 0 < accepted < len(rows):
        raise CriticError(
            f"the {part} part has {len(rows)} sure labels, {accepted} of them accepted; it needs "
            f"at least {least}, of both kinds. Label more triples, of more heads"
        )


def _usable(
    silver: Sequence[SilverTriple], settled: Sequence[LabelledTriple]
) -> list[SilverTriple]:
    # A labelled triple teaches by its label.
    labelled = {row.triple_id for row in settled}
    return [
        row
        for row in silver
        if assign_part(row.head) is Split.TRAIN and row.triple_id not in labelled
    ]


def _begin(
    rows: Sequence[LabelledTriple | SilverTriple],
    relations: RelationSet,
    backbone_path: Path,
    earlier: Earlier | None,
    config: CriticConfig,
) -> tuple[CriticNetwork, Reader]:
    import torch

    from kgbuild.critic.bodies import load_body
    from kgbuild.critic.network import CriticNetwork
    from kgbuild.critic.rows import Reader

    names = sorted({row.relation for row in rows})
    if earlier is not None:
        names = list(dict.fromkeys([*earlier.card.trained_relations, *names]))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        body, tokenizer = load_body(backbone_path, config)
        network = CriticNetwork(body, relations=len(names))
    scaler = Scaler.fit([Candidate.of(row).evidence for row in rows])
    if earlier is not None:
        take_weights(network, earlier.folder, earlier.card, backbone_path=backbone_path)
        scaler = Scaler(earlier.card.means, earlier.card.spreads)
    reader = Reader(
        tokenizer,
        relations,
        places={name: place for place, name in enumerate(names, start=1)},
        scaler=scaler,
        max_tokens=config.max_tokens,
        body=body,
    )
    return network, reader
