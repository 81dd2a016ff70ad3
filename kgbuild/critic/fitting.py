"""One stage of training: some rows, their targets, a few passes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from kgbuild.core.errors import CriticError
from kgbuild.critic.network import CriticNetwork, Rows

_HEAD_RATE = 1e-3
_WARMUP = 0.1
_RELATION_DROPOUT = 0.1


def fit(
    network: CriticNetwork,
    rows: Rows,
    targets: npt.NDArray[np.float32],
    *,
    epochs: int,
    rate: float,
    batch_size: int,
    evidence_dropout: float,
    frozen_layers: int = 0,
    seed: int,
) -> list[float]:
    """Train on hard or soft targets and give the mean loss of each pass.

    Evidence and relation are hidden now and then, so that the probability stays meaningful for
    triples that come without evidence and for relations without labels.

    Raises:
        CriticError: If the loss stops being a number.
    """
    losses: list[float] = []
    generator = np.random.default_rng(seed)
    frozen = _freeze(network, frozen_layers)
    encoder = [p for p in network.encoder.parameters() if p.requires_grad]
    known = {id(parameter) for parameter in network.encoder.parameters()}
    head = [p for p in network.parameters() if id(p) not in known]
    optimizer = torch.optim.AdamW(
        [{"params": encoder, "lr": rate}, {"params": head, "lr": max(rate, _HEAD_RATE)}],
        weight_decay=0.01,
    )
    steps = max(1, epochs * -(-len(rows.tokens) // batch_size))
    warmup = max(1, int(steps * _WARMUP))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min((step + 1) / warmup, max(0.0, (steps - step) / max(1, steps - warmup))),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network.train()
        for _ in range(epochs):
            total = 0.0
            for chosen in _batches(rows, batch_size, generator):
                batch = rows.batch(chosen)
                _hide(batch, generator, evidence_dropout)
                logits = network(**batch)
                loss = binary_cross_entropy_with_logits(logits, torch.from_numpy(targets[chosen]))
                if not torch.isfinite(loss):
                    raise CriticError(
                        f"training diverged at learning rate {rate}; set a lower "
                        "critic.learning_rate or critic.silver_rate"
                    )
                loss.backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_([*encoder, *head], 1.0)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
                total += float(loss.detach()) * len(chosen)
            losses.append(total / len(rows.tokens))
    for parameter in frozen:
        parameter.requires_grad_(True)
    return losses


def _batches(rows: Rows, size: int, generator: np.random.Generator) -> Iterator[list[int]]:
    order = generator.permutation(len(rows.tokens)).tolist()
    batches = []
    # Sorted by length within a stretch of batches: little padding, still a mixed order.
    for start in range(0, len(order), size * 20):
        stretch = sorted(
            order[start : start + size * 20], key=lambda place: len(rows.tokens[place])
        )
        batches += [stretch[at : at + size] for at in range(0, len(stretch), size)]
    for place in generator.permutation(len(batches)):
        yield batches[place]


def _hide(
    batch: dict[str, torch.Tensor], generator: np.random.Generator, evidence_dropout: float
) -> None:
    count = len(batch["relation"])
    shown = torch.from_numpy(generator.random(count) >= evidence_dropout)
    batch["evidence"] = batch["evidence"] * shown.unsqueeze(-1)
    named = torch.from_numpy(generator.random(count) >= _RELATION_DROPOUT)
    batch["relation"] = batch["relation"] * named


def _freeze(network: CriticNetwork, layers: int) -> list[torch.nn.Parameter]:
    """Hold the word embeddings and the lowest layers still, and give what was held.

    Word embeddings are half of a small encoder and a few thousand triples touch few of them.
    """
    held = list(network.encoder.embeddings.parameters())  # type: ignore[union-attr]
    stack = getattr(getattr(network.encoder, "encoder", None), "layer", [])
    for layer in list(stack)[:layers]:
        held += list(layer.parameters())
    for parameter in held:
        parameter.requires_grad_(False)
    return held
