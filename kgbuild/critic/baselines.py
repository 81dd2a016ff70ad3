"""What answers without understanding: a relation's rate, and a tail that sees no head."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from kgbuild.core.errors import CriticError
from kgbuild.critic.phrases import Vectors

Floats = npt.NDArray[np.float64]

# Two labels' worth of the overall rate, so one lucky label does not make a relation perfect.
_PRIOR_LABELS = 2
# Unit vectors of a few hundred numbers are short in each of them, so a strong pull to zero hurts.
_INVERSE_PENALTY = 10.0


def rate_relations(known: Sequence[str], truth: Floats, asked: Sequence[str]) -> Floats:
    """Give each asked relation its share of right rows among known ones.

    >>> rate_relations(["a", "a", "b"], np.array([1.0, 1.0, 0.0]), ["a", "b", "c"]).round(3)
    array([0.833, 0.444, 0.667])
    """
    overall = float(np.mean(truth))
    values: dict[str, list[float]] = {}
    for name, value in zip(known, truth, strict=True):
        values.setdefault(name, []).append(float(value))
    rates = {
        name: (sum(found) + _PRIOR_LABELS * overall) / (len(found) + _PRIOR_LABELS)
        for name, found in values.items()
    }
    return np.asarray([rates.get(name, overall) for name in asked], dtype=np.float64)


def rate_texts(known: Vectors, truth: Floats, asked: Vectors) -> Floats:
    """Give each asked text its probability by a logistic regression over text vectors.

    Of tails alone this is the hypothesis-only baseline (Poliak et al. 2018): whatever it gets
    right, it got from how right and wrong tails are worded.

    Raises:
        CriticError: If the known rows are all right or all wrong.
    """
    from sklearn.linear_model import LogisticRegression

    if not 0 < truth.sum() < len(truth):
        raise CriticError(
            f"{len(truth)} rows to fit a baseline on are all of one kind; it takes right and "
            "wrong ones, so give it more rows"
        )
    model = LogisticRegression(C=_INVERSE_PENALTY, max_iter=1_000)
    model.fit(known, truth > 0)
    found: Floats = model.predict_proba(asked)[:, 1].astype(np.float64)
    return found
