"""The loss on tail tokens."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch

from kgbuild.student.batches import collate, order_batches
from kgbuild.student.form import Example


def tail_loss(model: Any, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, int]:
    """Give the summed loss over a batch's tail tokens, in nats, and their number.

    Only the logits that a tail token needs are computed: a vocabulary is wide, and most tokens
    of a row belong to its prompt.
    """
    labels = batch["labels"]
    is_counted = labels.ne(-100)
    tokens = int(is_counted.sum())
    # Columns from the first tail token of the longest tail, and the one before that predicts it.
    first = int(is_counted.any(dim=0).nonzero()[0])
    kept = labels.shape[1] - first + 1
    extra: dict[str, Any] = {}
    names = _parameters(model)
    if "position_ids" in names:
        # Left padding must not shift the positions that the model sees.
        extra["position_ids"] = (batch["attention_mask"].cumsum(dim=1) - 1).clamp(min=0)
    if "logits_to_keep" in names:
        extra["logits_to_keep"] = kept
    output = model(
        input_ids=batch["input_ids"],
        attention_mask=batch["attention_mask"],
        use_cache=False,
        **extra,
    )
    logits = output.logits[:, -kept:-1].float()  # (rows, kept - 1, vocabulary)
    loss = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), labels[:, first:].flatten(), ignore_index=-100, reduction="sum"
    )
    return loss, tokens


def mean_loss(model: Any, examples: Sequence[Example], *, pad: int, batch_size: int) -> float:
    """Give the mean loss over all tail tokens of the examples, in nats."""
    lengths = [len(example.ids) for example in examples]
    total, tokens = 0.0, 0
    model.eval()
    with torch.inference_mode():
        for rows in order_batches(lengths, batch_size=batch_size, seed=0, epoch=0):
            loss, counted = tail_loss(model, collate([examples[row] for row in rows], pad=pad))
            total += float(loss)
            tokens += counted
    return total / tokens


def _parameters(model: Any) -> set[str]:
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    return set(inspect.signature(inner.forward).parameters)
