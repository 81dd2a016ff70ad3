"""How far several readers of the same triples agree, and how far each agrees with themself.

Cohen's kappa (1960) compares two readers; Krippendorff's alpha (2011, Computing Krippendorff's
alpha-reliability) any number, of whom each may have read only a part. Both are 1 for perfect
agreement and 0 for what chance would bring. Everything is said twice: for accepting or not, which
is what a critic learns, and for the four words. `unsure` is no reading.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt
from pydantic import Field

from kgbuild.core.labels import cohen_kappa
from kgbuild.core.records import Label, LabelledTriple, Record

# Guideline 1 orders them so; alpha for the words counts always against likely as a small matter.
_ORDER = (Label.ALWAYS, Label.LIKELY, Label.FARFETCHED, Label.INVALID)

Reading = Mapping[str, Label]


class Pair(Record):
    """Two readers, or one reader's first and second reading."""

    first: str
    second: str
    triples: int = Field(description="Triples that both have read and neither was unsure of")
    same: float | None = Field(description="Share that both accept or both refuse")
    kappa_accepted: float | None
    kappa_labels: float | None


class Alpha(Record):
    """Krippendorff's alpha of all readers, over all triples or those of one relation."""

    relation: str = Field(description="Empty: all relations")
    triples: int = Field(description="Triples with two readers or more")
    readings: int
    accepted: float | None = Field(description="Nominal, of accepting or not")
    labels: float | None = Field(description="Nominal, of the four words")
    ordered: float | None = Field(description="Ordinal, of the four words")


class AgreementReport(Record):
    """What `kgbuild labels agreement` prints."""

    rows: int
    labellers: dict[str, int] = Field(description="Triples that each has judged")
    overall: Alpha
    relations: tuple[Alpha, ...]
    pairs: tuple[Pair, ...]
    themselves: tuple[Pair, ...] = Field(description="Readers who have read a triple twice")
    disputed: tuple[str, ...] = Field(description="Ids of triples that some accept and some refuse")


def compare_labellers(rows: Sequence[LabelledTriple]) -> AgreementReport:
    """Compare what labellers say of the triples that they share.

    A labeller's latest answer is theirs, by time and then by order; an earlier answer is compared
    with it under `themselves`.
    """
    first: dict[str, dict[str, Label]] = {}
    latest: dict[str, dict[str, Label]] = {}
    twice: dict[str, set[str]] = {}
    relations: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: row.labelled_at):
        relations[row.triple_id] = row.relation
        own = latest.setdefault(row.labeller, {})
        if row.triple_id in own:
            twice.setdefault(row.labeller, set()).add(row.triple_id)
        first.setdefault(row.labeller, {}).setdefault(row.triple_id, row.label)
        own[row.triple_id] = row.label
    units: dict[str, list[Label]] = {}
    for own in latest.values():
        for identity, label in own.items():
            if label is not Label.UNSURE:
                units.setdefault(identity, []).append(label)
    names = sorted(latest)
    by_relation: dict[str, list[list[Label]]] = {}
    for identity, labels in units.items():
        by_relation.setdefault(relations[identity], []).append(labels)
    measured = [measure_alpha(by_relation[name], relation=name) for name in sorted(by_relation)]
    return AgreementReport(
        rows=len(rows),
        labellers={name: len(latest[name]) for name in names},
        overall=measure_alpha(units.values()),
        relations=tuple(one for one in measured if one.triples),
        pairs=tuple(
            pair
            for one, other in combinations(names, 2)
            if (pair := _compare(one, latest[one], other, latest[other])).triples
        ),
        themselves=tuple(
            _compare(
                name, {key: first[name][key] for key in sorted(twice[name])}, name, latest[name]
            )
            for name in sorted(twice)
        ),
        disputed=tuple(
            identity
            for identity, labels in units.items()
            if len({label.is_accepted for label in labels}) > 1
        ),
    )


def measure_alpha(units: Iterable[Sequence[Label]], *, relation: str = "") -> Alpha:
    """Give alpha for units with a label a reader; those with fewer than two say nothing."""
    paired = [labels for labels in units if len(labels) > 1]
    words = [[_ORDER.index(label) for label in labels] for labels in paired]
    sides = [[label.is_accepted for label in labels] for labels in paired]
    return Alpha(
        relation=relation,
        triples=len(paired),
        readings=sum(map(len, paired)),
        accepted=krippendorff_alpha(sides, values=(False, True)),
        labels=krippendorff_alpha(words, values=range(len(_ORDER))),
        ordered=krippendorff_alpha(words, values=range(len(_ORDER)), distance=ordinal_distance),
    )


Distance = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]


def nominal_distance(totals: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Give 1 for any two values that differ."""
    return 1 - np.eye(len(totals))


def ordinal_distance(totals: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Give the squared number of readings between two values, each end by half."""
    middles = np.cumsum(totals) - totals / 2
    return np.asarray((middles[:, None] - middles[None, :]) ** 2)


def krippendorff_alpha(
    units: Iterable[Sequence[Hashable]],
    *,
    values: Sequence[Hashable],
    distance: Distance = nominal_distance,
) -> float | None:
    """Give Krippendorff's alpha: 1 minus observed over expected disagreement.

    Args:
        units: The values that readers gave to each unit; missing ones are simply not there.
        values: All values that there are, in their order.
        distance: How far two values are apart, given how often each was said.

    Returns:
        None where alpha is not defined: no unit was read twice, or only one value was said.

    >>> krippendorff_alpha([["a", "a"], ["b", "b"]], values="ab")
    1.0
    """
    places = {value: place for place, value in enumerate(values)}
    coincidences = np.zeros((len(values), len(values)))
    for unit in units:
        if len(unit) < 2:
            continue
        said = np.bincount([places[value] for value in unit], minlength=len(values)).astype(float)
        # Each ordered pair of readings of a unit, weighted so that a reading counts once.
        coincidences += (np.outer(said, said) - np.diag(said)) / (len(unit) - 1)
    totals = coincidences.sum(axis=0)
    apart = distance(totals)
    expected = float((np.outer(totals, totals) * apart).sum())
    if expected == 0:
        return None
    observed = float((coincidences * apart).sum())
    return 1 - (float(totals.sum()) - 1) * observed / expected


def _compare(one: str, ones: Reading, other: str, others: Reading) -> Pair:
    shared = [
        (ones[key], others[key])
        for key in ones
        if key in others and Label.UNSURE not in (ones[key], others[key])
    ]
    sides = [(a.is_accepted, b.is_accepted) for a, b in shared]
    return Pair(
        first=one,
        second=other,
        triples=len(shared),
        same=sum(a == b for a, b in sides) / len(sides) if sides else None,
        kappa_accepted=cohen_kappa(sides),
        kappa_labels=cohen_kappa([(a.value, b.value) for a, b in shared]),
    )
