from __future__ import annotations

import pytest
import torch

from kgbuild.core.errors import ModelError
from kgbuild.decoding.candidates import (
    BLOCK,
    NEVER,
    Blocked,
    RowRequest,
    find_top,
    score_candidates,
)


@pytest.mark.parametrize("vocab", [7, BLOCK, 40 * BLOCK, 40 * BLOCK + 1, 51 * BLOCK - 1])
@pytest.mark.parametrize("width", [1, 3, 8, 12])
def test_the_largest_scores_are_those_of_a_whole_sort(vocab: int, width: int) -> None:
    generator = torch.Generator().manual_seed(vocab + width)
    width = min(width, vocab)
    for trial in range(20):
        scores = torch.randn((5, vocab), generator=generator)
        if trial % 4 == 1:
            scores = scores.round()  # many are equal
        if trial % 4 == 2:
            scores[torch.rand((5, vocab), generator=generator) < 0.9] = NEVER
        if trial % 4 == 3:
            scores[:, -min(width, 3) :] += 9.0  # behind the last whole block
        values, places = find_top(scores, width)
        assert torch.equal(values, scores.topk(width, dim=1).values)
        assert torch.equal(scores.gather(1, places), values)
        assert all(len(set(row)) == width for row in places.tolist())


@pytest.mark.parametrize("logit", [float("nan"), float("inf"), NEVER])
def test_a_row_without_usable_logits_is_named(logit: float) -> None:
    logits = torch.zeros((2, 50 * BLOCK))
    logits[1] = logit
    blocked = Blocked(end_ids=[1], blocked_ids=[2], size=50 * BLOCK)
    with pytest.raises(ModelError, match="no usable logits for second"):
        score_candidates(
            logits,
            [RowRequest(score=0.0)] * 2,
            blocked=blocked,
            width=4,
            names=["first", "second"],
        )
    logits[1] = 0.0
    logits[1, 7] = NEVER  # a token that the model itself rules out is no fault
    score_candidates(
        logits, [RowRequest(score=0.0)] * 2, blocked=blocked, width=4, names=["first", "second"]
    )
