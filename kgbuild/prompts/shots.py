"""Which few-shot triples stand above which head."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Protocol, TypeVar

from kgbuild.core.ids import content_key, phrase_id


class Shot(Protocol):
    """A worked example: a head, a relation, a tail."""

    @property
    def head(self) -> str:
        """What is asked about."""

    @property
    def tail(self) -> str:
        """The answer."""


S = TypeVar("S", bound=Shot)


def choose_shots(
    shots: Sequence[S], *, relation: str, count: int, rotation: int, seed: int
) -> tuple[S, ...]:
    """Choose the shots of one rotation, the same whatever heads are asked.

    The relation's shots are put in an order drawn from the seed, and rotation `r` takes `count`
    of them from place `r * count` on, going round. Rotations therefore share as few shots as
    there are shots to avoid it.
    """
    order = list(shots)
    random.Random(f"{seed}/{relation}").shuffle(order)
    count = min(count, len(order))
    if not count:
        return ()
    start = rotation * count % len(order)
    return tuple((order + order)[start : start + count])


def assign_rotation(head: str, *, relation: str, rotations: int, seed: int) -> int:
    """Spread heads over the rotations by a hash, so adding heads moves none."""
    return int(content_key([seed, relation, phrase_id(head)]), 16) % rotations
