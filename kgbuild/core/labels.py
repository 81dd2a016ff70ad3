"""What labels say together: which rows of a file stand, and how far answers agree.

Label files are only ever added to. Who takes an answer back adds the same row once more, marked
`is_retraction`; `unsure` is another thing, an answer like the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from kgbuild.core.errors import LabelError
from kgbuild.core.records import LabelledTriple


def drop_retracted(rows: Iterable[LabelledTriple], *, where: Path | str) -> list[LabelledTriple]:
    """Give the rows of one file that stand, in file order.

    Args:
        rows: All rows of the file.
        where: The file's name, for the error.

    Raises:
        LabelError: If a row takes back what its labeller has not said above it.
    """
    standing: list[LabelledTriple | None] = []
    said: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        own = said.setdefault((row.labeller, row.triple_id), [])
        if not row.is_retraction:
            own.append(len(standing))
            standing.append(row)
        elif own:
            standing[own.pop()] = None
        else:
            raise LabelError(
                f"{where}: {row.labeller} takes back a label of {row.triple_id} "
                f"({row.sentence[:80]!r}) that is not above it; restore the file, its lines are "
                "never edited or sorted"
            )
    return [row for row in standing if row is not None]


def cohen_kappa(pairs: Sequence[tuple[object, object]]) -> float | None:
    """Give Cohen's kappa of pairs of answers; None where it is not defined: one word for all.

    >>> cohen_kappa([("yes", "yes"), ("no", "no")])
    1.0
    """
    from sklearn.metrics import cohen_kappa_score

    if len({value for pair in pairs for value in pair}) < 2:
        return None
    first, second = zip(*pairs, strict=True)
    return float(cohen_kappa_score(list(first), list(second)))
