"""Log-probabilities of given completions, for contrast with a prompt that leaves the head out."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from kgbuild.decoding.candidates import check_logits
from kgbuild.decoding.runner import CausalModel, Runner, encode_prompts, hold_still
from kgbuild.decoding.vocabulary import Tokenizer


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
    heads = encode_prompts(tokenizer, prompts, prefix=prefix)
    tails = [list(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in completions]
    pairs = list(zip(heads, tails, strict=True))
    found: list[tuple[float, int]] = [(0.0, 0)] * len(pairs)
    order = sorted(
        (index for index, tail in enumerate(tails) if tail),
        key=lambda index: (len(heads[index]) + len(tails[index]), index),
    )
    with hold_still(model):
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            scores = _score_batch(model, [pairs[index] for index in batch], names=batch)
            for index, score in zip(batch, scores, strict=True):
                found[index] = (score, len(tails[index]))
    return found


def _score_batch(
    model: CausalModel, pairs: Sequence[tuple[list[int], list[int]]], *, names: Sequence[int]
) -> list[float]:
    keep = max(len(tail) for _, tail in pairs)
    rows = [head + tail[:-1] for head, tail in pairs]
    most_shared = min(len(head) for head, _ in pairs) - 1
    logits = Runner(model).prefill(rows, keep=keep, most_shared=most_shared)
    if keep == 1:
        logits = logits[:, None]
    scores: list[float] = []
    for (_, tail), row, name in zip(pairs, logits, names, strict=True):
        own = row[-len(tail) :].float()  # (tail, vocab), the last columns predict the tail
        sums = torch.logsumexp(own, dim=1)
        check_logits(sums.tolist(), names=[f"completion {name}"] * len(tail))
        picked = own.gather(1, torch.tensor(tail, device=own.device)[:, None])[:, 0]
        scores.append(float((picked - sums).sum()))
    return scores
