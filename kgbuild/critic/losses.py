"""What a wrong probability costs: cross-entropy, and two forms that forgive wrong labels."""

from __future__ import annotations

from typing import Literal

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

LossName = Literal["cross_entropy", "generalised", "symmetric"]

_Q = 0.5
_ALPHA, _BETA, _LOG_ZERO = 0.5, 1.0, -4.0


def measure_loss(logits: torch.Tensor, targets: torch.Tensor, *, kind: LossName) -> torch.Tensor:
    """Give the mean loss of a batch.

    `generalised` is (1 - p_y^q) / q with q = 0.5 (Zhang & Sabuncu 2018, eq. 6): between mean
    absolute error, which noise cannot fool, and cross-entropy, which learns fast. `symmetric` is
    0.5 times cross-entropy plus reverse cross-entropy with log 0 = -4 (Wang et al. 2019, eq. 5
    to 7). A soft target is the mean of the losses of both answers, each as likely as it says.

    Args:
        logits: (N,).
        targets: (N,) between 0 and 1.
        kind: Which loss.

    >>> sure = torch.tensor([8.0])
    >>> wrong = torch.tensor([0.0])
    >>> [round(float(measure_loss(sure, wrong, kind=kind)), 2)
    ...  for kind in ("cross_entropy", "generalised", "symmetric")]
    [8.0, 1.96, 8.0]
    """
    if kind == "cross_entropy":
        return binary_cross_entropy_with_logits(logits, targets)
    if kind == "generalised":
        yes = (1 - torch.sigmoid(logits).clamp_min(1e-7) ** _Q) / _Q
        no = (1 - torch.sigmoid(-logits).clamp_min(1e-7) ** _Q) / _Q
        return (targets * yes + (1 - targets) * no).mean()
    forward = binary_cross_entropy_with_logits(logits, targets)
    # -sum_k p_k log q_k with hard targets q: log 1 is 0 and log 0 is _LOG_ZERO, so it is linear.
    shown = torch.sigmoid(logits)
    reverse = -_LOG_ZERO * (targets * (1 - shown) + (1 - targets) * shown).mean()
    return _ALPHA * forward + _BETA * reverse
