"""A hard part of the test labels: what is left when annotation artefacts are filtered out.

AFLite (Sakaguchi et al. 2020, WinoGrande; Le Bras et al. 2020, Adversarial Filters of Dataset
Biases): an ensemble of linear classifiers over frozen embeddings, each trained on a random part of
the rows, predicts the others. Rows that most of them get right are given away by something
shallow and leave; then the same with the rest, until less than a slice is given away.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from kgbuild.critic.phrases import Vectors

Floats32 = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# m, tau and k of the papers; k as a share of a class.
_MEMBERS = 64
_SURE = 0.75
_SLICE = 0.05
# Below this share the rest is more noise of labelling than knowledge.
_LEAST = 0.25
# A member learns from a quarter of the heads: 4 of 16 blocks, whose sums are added up.
_BLOCKS = 16
_LEARNED_BLOCKS = 4
_RIDGE = 1e-2


def show_parts(heads: Vectors, relations: Sequence[str], tails: Vectors) -> Floats32:
    """Lay head, relation and tail side by side, for a linear classifier to add up.

    A sum of what each part says alone holds nothing of how head and tail fit. So whatever such
    a classifier gets right, it got without commonsense.

    Returns:
        (rows, 2 * width + relations), a column a number of its own and the last one constant.
    """
    names = {name: place for place, name in enumerate(sorted({*relations}))}
    width = heads.shape[1]
    parts = np.zeros((len(relations), 2 * width + len(names) + 1), dtype=np.float32)
    for start, vectors in ((0, heads), (width, tails)):
        spread = vectors.std(0) + 1e-6
        np.divide(vectors - vectors.mean(0), spread, out=parts[:, start : start + width])
    places = [2 * width + names[name] for name in relations]
    # As long as a handful of the other numbers, so that the ridge does not press them to zero.
    parts[np.arange(len(relations)), places] = 4.0
    parts[:, -1] = 1.0
    return parts


def filter_rows(parts: Floats32, truth: Flags, heads: Sequence[str], *, seed: int) -> Flags:
    """Say which rows are left when those are gone that a linear classifier gives away.

    The members learn from some heads and predict others, as rows of one head share its luck.
    Each class weighs the same in training and loses the same share, so right and wrong rows are
    as frequent among the hard ones as among all, and precisions can be compared.

    Args:
        parts: As `show_parts` gives them.
        truth: The labels.
        heads: Whatever rows of one head share.
        seed: Of the random parts.
    """
    generator = np.random.default_rng(seed)
    left = np.ones(len(truth), dtype=bool)
    sizes = {kind: int((truth == kind).sum()) for kind in (True, False)}
    units = np.unique(np.asarray(heads, dtype=str), return_inverse=True)[1]
    while True:
        rows = np.flatnonzero(left)
        odds = _predictability(parts, rows, truth, units, generator)
        classes = [(rows[truth[rows] == kind], odds[truth[rows] == kind], kind) for kind in sizes]
        # As large a share of each class leaves as both can give, at most a slice.
        share = min(
            _SLICE,
            *(float((sure >= _SURE).sum()) / max(sizes[kind], 1) for _, sure, kind in classes),
            *(len(members) / max(sizes[kind], 1) - _LEAST for members, _, kind in classes),
        )
        for members, sure, kind in classes:
            order = np.argsort(-sure, kind="stable")
            left[members[order[: max(0, int(share * sizes[kind] + 0.5))]]] = False
        if share < _SLICE:
            return left


def _predictability(
    parts: Floats32, rows: Ints, truth: Flags, units: Ints, generator: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Give for each row the share of members that got it right without having learned from it."""
    blocks = generator.integers(_BLOCKS, size=int(units.max()) + 1)[units[rows]]
    signs = np.where(truth, 1.0, -1.0).astype(np.float32)
    share = float(truth[rows].mean())
    weights = np.where(truth, 0.5 / max(share, 1e-6), 0.5 / max(1.0 - share, 1e-6))
    # A block at a time: a copy of all parts would be the largest thing in memory.
    members_of = [np.flatnonzero(blocks == block) for block in range(_BLOCKS)]
    sums = [
        _sum_up(parts[rows[places]], signs[rows[places]], weights[rows[places]])
        for places in members_of
    ]
    learned = [
        generator.choice(_BLOCKS, size=_LEARNED_BLOCKS, replace=False) for _ in range(_MEMBERS)
    ]
    members = np.stack([_solve([sums[block] for block in chosen]) for chosen in learned], axis=1)
    shares = np.zeros(len(rows))
    for block, places in enumerate(members_of):
        unseen = [number for number, chosen in enumerate(learned) if block not in chosen]
        guesses = parts[rows[places]] @ members[:, unseen] > 0  # (places, members)
        hits = guesses == truth[rows[places], None]
        shares[places] = hits.sum(1) / max(len(unseen), 1)
    return shares


def _sum_up(
    parts: Floats32, signs: Floats32, weights: npt.NDArray[np.float64]
) -> tuple[Floats32, Floats32]:
    weighted: Floats32 = parts * weights[:, None].astype(np.float32)
    matrix: Floats32 = weighted.T @ parts
    vector: Floats32 = weighted.T @ signs
    return matrix, vector


def _solve(sums: Sequence[tuple[Floats32, Floats32]]) -> Floats32:
    """Give the weights of a ridge classifier (the closed form of the linear member)."""
    from scipy.linalg import cho_factor, cho_solve

    matrix = np.sum([one[0] for one in sums], axis=0)
    vector = np.sum([one[1] for one in sums], axis=0)
    matrix[np.diag_indices_from(matrix)] += _RIDGE * float(np.trace(matrix)) / len(matrix) + 1e-6
    found: Floats32 = cho_solve(cho_factor(matrix), vector).astype(np.float32)
    return found
