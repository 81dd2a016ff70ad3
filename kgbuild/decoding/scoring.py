"""Log-probabilities of given completions, for contrast with a prompt that leaves the head out."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import torch

from kgbuild.decoding.candidates import check_logits
from kgbuild.decoding.memory import is_out_of_memory
from kgbuild.decoding.plain_runner import PlainRunner
from kgbuild.decoding.runner import CausalModel, count_shared, encode_prompts, hold_still
from kgbuild.decoding.vocabulary import Tokenizer

_log = logging.getLogger(__name__)


def score_completions(
    model: CausalModel,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    completions: Sequence[str],
    *,
    prefix: str = "",
    batch_size: int = 16,
) -> list[tuple[float, int]]:
    """Give each completion's log-probability after its prompt, and its number of tokens.

    The completion is tokenised by itself, so it brings its own leading space and end ("to eat." is
    not " to eat."). Completions are batched by length and returned in the order given.

    Raises:
        ModelError: If the model's kind is not supported or its logits are not numbers.
    """
    heads = [list(one.tokens) for one in encode_prompts(tokenizer, prompts, prefix=prefix)]
    tails = [list(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in completions]
    pairs = list(zip(heads, tails, strict=True))
    found: list[tuple[float, int]] = [(0.0, 0)] * len(pairs)
    order = sorted(
        (index for index, tail in enumerate(tails) if tail),
        key=lambda index: (len(heads[index]) + len(tails[index]), index),
    )
    with hold_still(model):
        start = 0
        while start < len(order):
            batch = order[start : start + batch_size]
            try:
                scores = _score_batch(model, [pairs[index] for index in batch], names=batch)
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error) or batch_size == 1:
                    raise
                batch_size = max(1, len(batch) // 2)
                _log.warning(
                    "%d completions at once do not fit into memory; going on with %d",
                    len(batch),
                    batch_size,
                )
                continue
            for index, score in zip(batch, scores, strict=True):
                found[index] = (score, len(tails[index]))
            start += len(batch)
    return found


def _score_batch(
    model: CausalModel, pairs: Sequence[tuple[list[int], list[int]]], *, names: Sequence[int]
) -> list[float]:
    keep = max(len(tail) for _, tail in pairs)
    rows = [head + tail[:-1] for head, tail in pairs]
    # The columns kept come after what is read in common.
    shared = count_shared(rows, most=min(len(head) for head, _ in pairs) - 1)
    logits = PlainRunner(model).read(rows, shared=shared, keep=keep)
    scores: list[float] = []
    for (_, tail), row, name in zip(pairs, logits, names, strict=True):
        own = row[-len(tail) :].float()  # (tail, vocab), the last columns predict the tail
        sums = torch.logsumexp(own, dim=1)
        check_logits(sums.tolist(), names=[f"completion {name}"] * len(tail))
        picked = own.gather(1, torch.tensor(tail, device=own.device)[:, None])[:, 0]
        scores.append(float((picked - sums).sum()))
    return scores
