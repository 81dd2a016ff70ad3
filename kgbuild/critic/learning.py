"""What a critic learns from: a judge's verdicts, labels, and what it is sure of itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from kgbuild.core.critic_config import CriticConfig
from kgbuild.core.progress import Progress
from kgbuild.core.records import Label, LabelledTriple, SilverTriple, Split
from kgbuild.critic.adversarial import make_negatives
from kgbuild.critic.candidate import Candidate
from kgbuild.critic.phrases import PhraseEncoder
from kgbuild.critic.split import assign_part

if TYPE_CHECKING:
    from kgbuild.critic.network import CriticNetwork
    from kgbuild.critic.rows import Reader

Targets = npt.NDArray[np.float32]

# How sure a reader is who says so: two readings agree less on what lies near the border.
_TARGETS = {Label.ALWAYS: 0.97, Label.LIKELY: 0.85, Label.FARFETCHED: 0.12, Label.INVALID: 0.03}


class Lessons(NamedTuple):
    """All of a critic's training material; dev and test heads are in none of it."""

    silver: Sequence[SilverTriple]
    labels: Sequence[LabelledTriple]
    unlabelled: Sequence[Candidate] = ()


def grade(rows: Sequence[LabelledTriple]) -> Targets:
    """Give how sure it is that each row is acceptable, 0 to 1."""
    return np.asarray([_TARGETS[row.label] for row in rows], dtype=np.float32)


def learn(
    network: CriticNetwork,
    reader: Reader,
    lessons: Lessons,
    *,
    encoder: PhraseEncoder | None,
    config: CriticConfig,
    progress: Progress,
) -> list[float]:
    """Train a network on all lessons and give the mean loss of each pass.

    Soft verdicts come first (Hinton et al. 2015), then labels with wrong triples made of right
    ones, then, in rounds, what the network is nearly sure of by then (PseudoReasoner, Fang et al.
    2022): pseudo-labels above `critic.pseudo_confidence` join the labels for one more pass.
    """
    from kgbuild.critic.network import score_rows

    losses: list[float] = []
    if lessons.silver and config.silver_epochs:
        losses += _fit(
            network,
            reader,
            [Candidate.of(row) for row in lessons.silver],
            np.asarray([row.probability for row in lessons.silver], dtype=np.float32),
            epochs=config.silver_epochs,
            rate=config.silver_rate,
            decay=1.0,
            config=config,
            progress=progress,
        )
    candidates = [Candidate.of(row) for row in lessons.labels]
    targets = grade(lessons.labels)
    made = make_negatives(
        lessons.labels,
        reader.relations,
        share=config.adversarial,
        encoder=encoder,
        generator=np.random.default_rng(config.seed),
    )
    candidates += made
    targets = np.concatenate([targets, np.full(len(made), _TARGETS[Label.INVALID], np.float32)])
    losses += _fit(
        network,
        reader,
        candidates,
        targets,
        epochs=config.epochs,
        max_steps=config.max_steps,
        rate=config.learning_rate,
        config=config,
        progress=progress,
    )
    labelled = set(candidates)
    pool = [
        one
        for one in dict.fromkeys(one.without_evidence() for one in lessons.unlabelled)
        if one not in labelled and assign_part(one.head) is Split.TRAIN
    ]
    for _ in range(config.pseudo_rounds if pool else 0):
        odds = score_rows(network, reader.read(pool), progress=progress)
        sure, believed = choose_sure(odds, confidence=config.pseudo_confidence)
        losses += _fit(
            network,
            reader,
            [*candidates, *(pool[place] for place in sure)],
            np.concatenate([targets, believed]),
            epochs=1,
            max_steps=config.max_steps,
            rate=config.learning_rate,
            config=config,
            progress=progress,
        )
    return losses


def choose_sure(
    logits: npt.NDArray[np.float64], *, confidence: float
) -> tuple[npt.NDArray[np.int64], Targets]:
    """Choose the rows whose probability is near 0 or 1, and what they teach.

    >>> choose_sure(np.array([4.0, 0.3, -5.0]), confidence=0.9)[0].tolist()
    [0, 2]
    """
    probabilities = 1 / (1 + np.exp(-logits))
    sure = np.flatnonzero(np.maximum(probabilities, 1 - probabilities) >= confidence)
    return sure, probabilities[sure].astype(np.float32)


def _fit(
    network: CriticNetwork,
    reader: Reader,
    candidates: Sequence[Candidate],
    targets: Targets,
    *,
    epochs: int,
    max_steps: int = 0,
    rate: float,
    decay: float | None = None,
    config: CriticConfig,
    progress: Progress,
) -> list[float]:
    from kgbuild.critic.fitting import fit

    return fit(
        network,
        reader.read(candidates, is_lesson=True),
        targets,
        epochs=epochs,
        max_steps=max_steps,
        rate=rate,
        decay=config.decay if decay is None else decay,
        batch_size=config.batch_size,
        evidence_dropout=config.evidence_dropout,
        loss=config.loss,
        seed=config.seed,
        progress=progress,
    )
