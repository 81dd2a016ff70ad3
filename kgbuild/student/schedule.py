"""The learning rate as a function of the step."""

from __future__ import annotations

import math


def scale_rate(step: int, *, total: int, warmup: float) -> float:
    """Give the share of the peak learning rate at a step: linear warm-up, then half a cosine.

    >>> [round(scale_rate(step, total=5, warmup=0.4), 2) for step in range(5)]
    [0.5, 1.0, 1.0, 0.75, 0.25]
    """
    rising = round(total * warmup)
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, total - rising)))
