"""Batches of similar length, in an order that is a function of seed and epoch."""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch

from kgbuild.student.form import Example

_IGNORED = -100


def order_batches(
    lengths: Sequence[int], *, batch_size: int, seed: int, epoch: int
) -> list[list[int]]:
    """Give the row numbers of each batch of one epoch.

    Rows are shuffled, then sorted by length: equal lengths change company from epoch to epoch
    while a batch needs little padding. Since nothing but seed and epoch decides, a resumed
    training meets the same batches.

    >>> order_batches([3, 9, 3, 9], batch_size=2, seed=0, epoch=0)
    [[0, 2], [3, 1]]
    """
    chosen = random.Random(f"{seed}/{epoch}")
    rows = list(range(len(lengths)))
    chosen.shuffle(rows)
    rows.sort(key=lambda row: lengths[row])
    batches = [rows[start : start + batch_size] for start in range(0, len(rows), batch_size)]
    chosen.shuffle(batches)
    return batches


def collate(examples: Sequence[Example], *, pad: int) -> dict[str, torch.Tensor]:
    """Pad examples on the left, so that all tails end together and logits of prompts are cut off.

    >>> batch = collate([Example((5, 6), 1), Example((7,), 1)], pad=0)
    >>> batch["input_ids"].tolist(), batch["labels"].tolist()
    ([[5, 6], [0, 7]], [[-100, 6], [-100, -100]])
    """
    width = max(len(example.ids) for example in examples)
    shape = (len(examples), width)
    ids = torch.full(shape, pad, dtype=torch.long)
    mask = torch.zeros(shape, dtype=torch.long)
    labels = torch.full(shape, _IGNORED, dtype=torch.long)
    for row, example in enumerate(examples):
        start = width - len(example.ids)
        ids[row, start:] = torch.tensor(example.ids)
        mask[row, start:] = 1
        labels[row, start + example.tail_start :] = ids[row, start + example.tail_start :]
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}
