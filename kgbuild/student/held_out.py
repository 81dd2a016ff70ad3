"""Figures of a trained student on rows of heads it never saw."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from kgbuild.core.records import CorpusRow, Split
from kgbuild.student.ask import Student
from kgbuild.student.metrics import generation_metrics
from kgbuild.student.records import HeldOut


def measure_held_out(
    student: Student,
    rows: Sequence[CorpusRow],
    *,
    split: Split,
    before: float,
    after: float,
    prompts: int,
) -> HeldOut:
    """Give loss, perplexity and the figures of generated tails on one held-out split.

    Args:
        student: With the model as trained.
        rows: Of this split; all tails of a head and relation are references.
        split: Named in the result.
        before: The base model's mean loss on the same rows.
        after: The student's.
        prompts: At most this many heads and relations are generated for, spread evenly.
    """
    references: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        references.setdefault((row.head, row.relation), []).append(row.tail)
    asked = _spread(sorted(references), count=prompts)
    answers = student.ask_many(asked, n=1)
    figures: Mapping[str, float] = generation_metrics(
        [tails[0][0] if tails else "" for tails in answers], [references[pair] for pair in asked]
    )
    return HeldOut(
        split=split,
        rows=len(rows),
        loss_before=before,
        loss_after=after,
        perplexity_before=math.exp(min(before, 700)),
        perplexity_after=math.exp(min(after, 700)),
        prompts=len(asked),
        **figures,
    )


def _spread(pairs: list[tuple[str, str]], *, count: int) -> list[tuple[str, str]]:
    if len(pairs) <= count:
        return pairs
    return [pairs[place * len(pairs) // count] for place in range(count)]
