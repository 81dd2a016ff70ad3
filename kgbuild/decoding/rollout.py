"""Paths ahead of hypotheses, a token at a time: the likeliest, a drawn one, or a small beam.

Greedy, sampled and beam look-ahead of A*esque decoding (Lu et al. 2022). No path takes a token that
ends the text or is never written: what is hoped for has to stand in this text.
"""

from __future__ import annotations

import torch

from kgbuild.core.config import DecodingConfig
from kgbuild.decoding.candidates import NEVER
from kgbuild.decoding.runner import Runner


def count_paths(settings: DecodingConfig) -> int:
    """Count the paths that are followed ahead of one hypothesis."""
    return settings.lookahead_beams if settings.lookahead_by == "beam" else 1


def roll_out(
    runner: Runner,
    logits: torch.Tensor,
    *,
    settings: DecodingConfig,
    closed: torch.Tensor,
    generator: torch.Generator,
) -> torch.Tensor:
    """Follow every row of a runner, and give what the model says along the way.

    The paths of a row are the best of a beam search of its own; one that falls out of the beam is
    forgotten, as are the rows of the runner.

    Args:
        logits: (rows, vocab) of the runner's rows.
        closed: Tokens that no path takes.

    Returns:
        (rows, paths, lookahead, vocab) logits: the row's own, and those after each token of a path.
    """
    rows, vocab = logits.shape
    paths = min(count_paths(settings), vocab - len(closed))
    seen = [logits]
    trails = [torch.arange(rows, device=logits.device)]  # for every path, its row at every place
    totals = torch.zeros((rows, 1), device=logits.device)
    for _ in range(settings.lookahead - 1):
        scores = torch.log_softmax(seen[-1].float(), dim=1).index_fill_(1, closed, NEVER)
        if settings.lookahead_by == "sample":
            weights = torch.softmax(scores, dim=1).cpu()
            tokens = torch.multinomial(weights, 1, generator=generator)[:, 0]
            parents = trails[0]
        else:
            width = totals.shape[1]
            reached = (totals[:, :, None] + scores.view(rows, width, vocab)).flatten(1)
            totals, best = reached.topk(paths, dim=1)  # (rows, paths)
            tokens = (best % vocab).flatten()
            first = width * torch.arange(rows, device=logits.device)
            parents = (first[:, None] + best // vocab).flatten()
        seen.append(runner.advance(parents.tolist(), tokens.tolist()))
        trails = [trail[parents] for trail in trails]
        trails.append(torch.arange(len(parents), device=logits.device))
    found = [at[trail] for at, trail in zip(seen, trails, strict=True)]
    return torch.stack(found, dim=1).view(rows, -1, settings.lookahead, vocab)
