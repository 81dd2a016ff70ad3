"""Judged triples looked over by a critic: which labels are probably slips."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from kgbuild.core.errors import LabelError
from kgbuild.core.records import LabelledTriple, Split
from kgbuild.critic import Candidate, Critic, read_labels, settle_labels
from kgbuild.critic.split import assign_part
from kgbuild.labelling import Suspect, find_suspects


class Checked(NamedTuple):
    """What a look over labels found.

    Attributes:
        suspects: The worst first.
        judged: Triples with a label.
        compared: Those of them that no critic trains on.
    """

    suspects: list[Suspect]
    judged: int
    compared: int


def read_some_labels(places: Sequence[Path]) -> list[LabelledTriple]:
    """Read label files that must hold something.

    Raises:
        LabelError: If they hold no label, or a row breaks a rule.
    """
    rows = read_labels(places)
    if not rows:
        raise LabelError(f"{', '.join(map(str, places))} holds no label that stands")
    return rows


def check_labels(places: Sequence[Path], critic: Critic) -> Checked:
    """Find labels that are probably slips.

    A critic has learnt the labels of training heads by heart, so it says nothing about them. Only
    labels of dev and test heads are compared: `assign_part` keeps those out of every critic's
    training, whatever its config.

    Raises:
        LabelError: If there are too few such labels.
        ExtraError: If cleanlab is not installed.
    """
    rows = read_some_labels(places)
    settled = settle_labels(rows)
    held = [row for row in settled if assign_part(row.head) is not Split.TRAIN]
    labellers: dict[str, tuple[str, ...]] = {}
    for row in rows:
        names = labellers.get(row.triple_id, ())
        if row.labeller not in names:
            labellers[row.triple_id] = (*names, row.labeller)
    opinions = critic.score([Candidate.of(row) for row in held])
    suspects = find_suspects(
        held, [opinion.probability for opinion in opinions], labellers=labellers
    )
    return Checked(suspects, len(settled), len(held))
