"""Labels that are probably slips, by confident learning (Northcutt, Jiang and Chuang 2021).

cleanlab estimates how many labels of each side are wrong and ranks them by how little probability
a critic gives them. The probabilities must be out of sample: a critic that has learnt a label by
heart finds nothing wrong with it. Who calls this sees to that.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
from pydantic import Field

from kgbuild.core.errors import ExtraError, LabelError
from kgbuild.core.records import Label, LabelledTriple, Record

_FEWEST = 5


class Suspect(Record):
    """A label that a critic thinks is a slip; a row that `kgbuild label` asks again."""

    triple_id: str
    head: str
    relation: str
    tail: str
    sentence: str
    label: Label
    labellers: tuple[str, ...] = Field(description="All who have judged the triple")
    probability: float = Field(description="The critic's, of accepting it")
    quality: float = Field(description="Probability of the side that the label is on; low is bad")


def find_suspects(
    settled: Sequence[LabelledTriple],
    probabilities: Sequence[float],
    *,
    labellers: dict[str, tuple[str, ...]] | None = None,
) -> list[Suspect]:
    """Give the labels that are probably wrong, the worst first.

    Args:
        settled: One label a triple, none of them unsure.
        probabilities: Of acceptance, out of sample, in the same order.
        labellers: Who judged each triple, by its id.

    Raises:
        ExtraError: If cleanlab is not installed.
        LabelError: If a side has too few labels to say anything about it.
    """
    sides = np.array([row.label.is_accepted for row in settled], dtype=int)
    fewest = min(int((sides == 0).sum()), int((sides == 1).sum())) if len(sides) else 0
    if fewest < _FEWEST:
        raise LabelError(
            f"Of {len(sides)} labels that the critic has not learnt, {fewest} are on one side; at "
            f"least {_FEWEST} accepted and {_FEWEST} refused ones are needed to find slips"
        )
    accepted = np.asarray(probabilities, dtype=float)
    if len(accepted) != len(sides) or not np.isfinite(accepted).all():
        raise LabelError("Every label needs one probability, a number; score the labels again")
    issues = _import_cleanlab().find_label_issues(
        sides,
        np.stack([1 - accepted, accepted], axis=1),
        return_indices_ranked_by="self_confidence",
        n_jobs=1,
    )
    found = []
    for place in issues:
        row, probability = settled[place], float(accepted[place])
        found.append(
            Suspect(
                **row.model_dump(
                    include={"triple_id", "head", "relation", "tail", "sentence", "label"}
                ),
                labellers=(labellers or {}).get(row.triple_id, (row.labeller,)),
                probability=round(probability, 4),
                quality=round(probability if row.label.is_accepted else 1 - probability, 4),
            )
        )
    return found


def _import_cleanlab() -> Any:
    try:
        return import_module("cleanlab.filter")
    except ImportError as error:
        raise ExtraError(
            f"cleanlab is not installed, or does not load ({error}); "
            "pip install 'kgbuild[cleanlab]' brings it"
        ) from error
