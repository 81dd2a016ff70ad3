"""One stage of training: some rows, their targets, a few passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch

from kgbuild.core.errors import CriticError
from kgbuild.core.progress import Progress
from kgbuild.critic.losses import LossName, measure_loss
from kgbuild.critic.network import CriticNetwork
from kgbuild.critic.rows import Batch, Rows

_HEAD_RATE = 1e-3
_WARMUP = 0.1
_RELATION_DROPOUT = 0.1


def fit(
    network: CriticNetwork,
    rows: Rows,
    targets: npt.NDArray[np.float32],
    *,
    epochs: int,
    max_steps: int = 0,
    rate: float,
    decay: float = 1.0,
    batch_size: int,
    evidence_dropout: float,
    loss: LossName = "cross_entropy",
    seed: int,
    progress: Progress,
) -> list[float]:
    """Train on hard or soft targets and give the mean loss of each pass.

    The learning rate warms up, holds, and falls to zero over the last `decay` of the steps (the
    warm-up, stable, decay schedule of MiniCPM, Hu et al. 2024). With a decay of 0 it holds to the
    end: such a critic is not good yet, but a good one to go on from. Evidence and relation are
    hidden now and then, so that the probability stays meaningful for triples that come without
    evidence and for relations without labels.

    Raises:
        CriticError: If the loss stops being a number.
    """
    generator = np.random.default_rng(seed)
    passes = [_batches(rows, batch_size, generator) for _ in range(epochs)]
    planned = [batch for one in passes for batch in one]
    steps = min(max_steps or len(planned), len(planned))
    trained = [one for one in network.parameters() if one.requires_grad]
    slow = {id(one) for one in network.pretrained()}
    optimizer = torch.optim.AdamW(
        [
            {"params": [one for one in trained if id(one) in slow], "lr": rate},
            {
                "params": [one for one in trained if id(one) not in slow],
                "lr": max(rate, _HEAD_RATE),
            },
        ],
        weight_decay=0.01,
    )
    warmup, falling = max(1.0, steps * _WARMUP), max(1.0, steps * decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min((step + 1) / warmup, 1.0, (steps - step) / falling if decay else 1.0),
    )
    sums: list[tuple[float, int]] = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network.train()
        for chosen in progress.track(
            planned[:steps], stage="critic training", total=steps, unit="steps"
        ):
            batch = _hide(rows.batch(chosen), generator, evidence_dropout)
            logits = network(batch) + network.weigh(batch.evidence)
            cost = measure_loss(logits, torch.from_numpy(targets[batch.rows]), kind=loss)
            if not torch.isfinite(cost):
                raise CriticError(
                    f"training diverged at learning rate {rate}; set a lower "
                    "critic.learning_rate or critic.silver_rate"
                )
            cost.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            sums.append((float(cost.detach()) * len(batch.rows), len(batch.rows)))
    network.eval()
    return _mean_losses(sums, [len(one) for one in passes])


def _mean_losses(sums: Sequence[tuple[float, int]], lengths: Sequence[int]) -> list[float]:
    losses = []
    start = 0
    for length in lengths:
        part = sums[start : start + length]
        start += length
        if part:
            losses.append(sum(loss for loss, _ in part) / sum(count for _, count in part))
    return losses


def _batches(rows: Rows, size: int, generator: np.random.Generator) -> list[list[int]]:
    """Give groups of about `size` rows a batch, like widths together."""
    order = generator.permutation(len(rows.groups)).tolist()
    per_stretch = max(1, round(20 * size * len(rows.groups) / max(1, len(rows))))
    batches: list[list[int]] = []
    # Sorted by width within a stretch of batches: little padding, still a mixed order.
    for start in range(0, len(order), per_stretch):
        batch: list[int] = []
        held = 0
        for place in sorted(
            order[start : start + per_stretch], key=lambda place: rows.groups[place].width
        ):
            batch.append(place)
            held += len(rows.groups[place].rows)
            if held >= size:
                batches.append(batch)
                batch, held = [], 0
        if batch:
            batches.append(batch)
    return [batches[place] for place in generator.permutation(len(batches))]


def _hide(batch: Batch, generator: np.random.Generator, evidence_dropout: float) -> Batch:
    count = len(batch.rows)
    shown = torch.from_numpy(generator.random(count) >= evidence_dropout)
    named = torch.from_numpy(generator.random(count) >= _RELATION_DROPOUT)
    return replace(
        batch,
        evidence=batch.evidence * shown.unsqueeze(-1),
        relation=batch.relation * named,
    )
