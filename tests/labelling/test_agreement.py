from __future__ import annotations

import pytest

from kgbuild.core.records import Label
from kgbuild.labelling.agreement import (
    compare_labellers,
    krippendorff_alpha,
    measure_alpha,
    ordinal_distance,
)
from tests.labelling.conftest import make_row

# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", section C and D: four
# observers, twelve units, missing data. Published: nominal 0.743, ordinal 0.815.
OBSERVERS = (
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
)
UNITS = [
    [int(value) for value in unit if value != "."]
    for unit in zip(*(line.split() for line in OBSERVERS), strict=True)
]


def test_alpha_is_that_of_the_published_table() -> None:
    values = range(1, 6)
    assert krippendorff_alpha(UNITS, values=values) == pytest.approx(0.743, abs=0.0005)
    ordinal = krippendorff_alpha(UNITS, values=values, distance=ordinal_distance)
    assert ordinal == pytest.approx(0.815, abs=0.0005)


def test_alpha_is_that_of_the_published_binary_table() -> None:
    # Ibid., section A: two observers, ten units, binary. Published: 0.095.
    first, second = "0100000000", "1110010100"
    units = [[*pair] for pair in zip(first, second, strict=True)]
    assert krippendorff_alpha(units, values="01") == pytest.approx(0.095, abs=0.0005)


def test_alpha_of_nothing_or_of_one_value_is_not_defined() -> None:
    assert krippendorff_alpha([], values="ab") is None
    assert krippendorff_alpha([["a"], ["b"]], values="ab") is None
    assert krippendorff_alpha([["a", "a"], ["a", "a"]], values="ab") is None


def test_alpha_of_systematic_disagreement_is_below_nought() -> None:
    units = [["a", "b"], ["b", "a"], ["a", "b"]]
    # Observed 1, expected 3 * 3 * 2 / (6 * 5) = 0.6: 1 - 1 / 0.6.
    assert krippendorff_alpha(units, values="ab") == pytest.approx(1 - 1 / 0.6)


def test_words_in_their_order_make_a_near_miss_a_small_one() -> None:
    near = measure_alpha([[Label.ALWAYS, Label.LIKELY], [Label.INVALID] * 2, [Label.LIKELY] * 2])
    far = measure_alpha([[Label.ALWAYS, Label.INVALID], [Label.INVALID] * 2, [Label.LIKELY] * 2])
    assert near.accepted == 1
    assert (far.accepted or 0) < 1
    # As words both are one miss of three; the order tells them apart.
    assert near.ordered == pytest.approx(0.778, abs=0.001)
    assert (far.ordered or 0) < 0.4 < (near.labels or 0) < (near.ordered or 0)


READ = (
    # number, ann, bob
    (0, Label.ALWAYS, Label.LIKELY),
    (1, Label.INVALID, Label.INVALID),
    (2, Label.LIKELY, Label.FARFETCHED),
    (3, Label.FARFETCHED, Label.INVALID),
)


def make_rows() -> list[object]:
    rows = [make_row(number, ann) for number, ann, _ in READ]
    return rows + [make_row(number, bob, by="bob") for number, _, bob in READ]


def test_two_labellers_worked_by_hand() -> None:
    # As in tests/critic: agreement 3/4, by chance 1/2*1/4 + 1/2*3/4 = 1/2, kappa 1/2.
    report = compare_labellers(make_rows())
    (pair,) = report.pairs
    assert (pair.first, pair.second, pair.triples, pair.same) == ("ann", "bob", 4, 0.75)
    assert pair.kappa_accepted == pytest.approx(0.5)
    # Words: one of four alike; by chance invalid 1/4*2/4, farfetched 1/16, likely 1/16 = 1/4.
    assert pair.kappa_labels == pytest.approx(0.0)
    assert report.labellers == {"ann": 4, "bob": 4}
    assert report.disputed == (make_row(2, Label.LIKELY).triple_id,)
    assert (report.overall.triples, report.overall.readings) == (4, 8)
    # Six of eight readings refuse five times: o = 1/4; e = 2 * 3 * 5 / (8 * 7).
    assert report.overall.accepted == pytest.approx(1 - (2 / 8) / (2 * 3 * 5 / 56))


def test_unsure_is_no_reading_and_a_third_reader_needs_not_read_all() -> None:
    rows = [
        *make_rows(),
        make_row(0, Label.UNSURE, by="eve"),
        make_row(1, Label.INVALID, by="eve"),
    ]
    report = compare_labellers(rows)
    assert report.overall.readings == 9
    assert [(pair.second, pair.triples) for pair in report.pairs if pair.first == "ann"] == [
        ("bob", 4), ("eve", 1),
    ]  # fmt: skip
    eve = next(pair for pair in report.pairs if (pair.first, pair.second) == ("ann", "eve"))
    assert (eve.same, eve.kappa_accepted) == (1.0, None)


def test_the_latest_answer_counts_and_the_earlier_one_is_compared_with_it() -> None:
    later = "2026-11-25T10:00:00+00:00"
    rows = [make_row(0, Label.INVALID, at=later, chosen_by="again"), *make_rows()]
    rows.append(make_row(1, Label.FARFETCHED, at=later))
    report = compare_labellers(rows)
    (own,) = report.themselves
    assert (own.first, own.triples, own.same) == ("ann", 2, 0.5)
    assert make_row(0, Label.LIKELY).triple_id in report.disputed


def test_relations_are_told_apart() -> None:
    rows = make_rows()
    rows += [make_row(9, Label.LIKELY, by=by, relation="xWant") for by in ("ann", "bob")]
    rows += [make_row(8, Label.LIKELY, relation="xNeed")]
    report = compare_labellers(rows)
    found = {one.relation: one for one in report.relations}
    assert {name: one.triples for name, one in found.items()} == {"xReact": 4, "xWant": 1}
    assert found["xWant"].accepted is None
    assert found["xReact"].accepted == compare_labellers(make_rows()).overall.accepted
    assert report.overall.triples == 5


def test_nothing_shared_is_not_defined_and_no_error() -> None:
    report = compare_labellers([make_row(0, Label.LIKELY), make_row(1, Label.LIKELY, by="bob")])
    assert (report.pairs, report.overall.accepted, report.disputed) == ((), None, ())
    assert compare_labellers([]).labellers == {}
