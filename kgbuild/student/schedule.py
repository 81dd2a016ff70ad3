"""How many steps a training takes, and the learning rate at each."""

from __future__ import annotations

import math

from kgbuild.core.config import StudentConfig


def count_steps(rows: int, *, config: StudentConfig) -> int:
    """Give the number of optimiser steps over this many train rows.

    >>> count_steps(33, config=StudentConfig(epochs=2, batch_size=16))
    6
    """
    steps = config.epochs * -(-rows // config.batch_size)
    return min(steps, config.max_steps) if config.max_steps else steps


def scale_rate(step: int, *, total: int, warmup: float) -> float:
    """Give the share of the peak learning rate at a step: linear warm-up, then half a cosine.

    >>> [round(scale_rate(step, total=5, warmup=0.4), 2) for step in range(5)]
    [0.5, 1.0, 1.0, 0.75, 0.25]
    """
    rising = round(total * warmup)
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, total - rising)))
