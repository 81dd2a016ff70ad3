from pathlib import Path

import pytest

from kgbuild.core.errors import FileError
from kgbuild.evaluation import (
    distinct_n,
    duplicate_rate,
    measure_novelty,
    near_duplicate_rate,
    self_bleu,
)


def test_distinct_n_counts_by_hand() -> None:
    # to go home, to go out: 6 words, 4 different; 4 pairs, 3 different
    assert distinct_n(["to go home", "To go out"], 1) == pytest.approx(4 / 6)
    assert distinct_n(["to go home", "To go out"], 2) == pytest.approx(3 / 4)
    assert distinct_n([], 1) == 0.0


def test_self_bleu_is_full_for_copies_and_low_for_strangers() -> None:
    copies = ["to go home by bus"] * 3
    strangers = ["to go home by bus", "proud of everybody here", "a very large green tree"]
    assert self_bleu(copies) == pytest.approx(100.0)
    assert self_bleu(strangers) < 10
    assert self_bleu(["alone"]) == 0.0


def test_the_sample_of_self_bleu_is_the_same_every_time() -> None:
    texts = [f"to do thing number {number}" for number in range(60)]
    assert self_bleu(texts, sample=20) == self_bleu(texts, sample=20)


def test_duplicates_are_counted_by_canonical_text() -> None:
    triples = [("a", "xWant", "to rest"), ("A", "xWant", "to rest."), ("a", "xNeed", "to rest")]
    assert duplicate_rate(triples) == pytest.approx(1 / 3)


def test_novelty_is_measured_against_a_reference(tmp_path: Path) -> None:
    reference = tmp_path / "reference.tsv"
    reference.write_text("tail\thead\trelation\nto rest\ta\txWant\n")
    triples = [("a", "xWant", "to rest"), ("b", "xWant", "to rest"), ("b", "xWant", "to eat")]
    found = measure_novelty(triples, reference)
    assert found == pytest.approx({"triples": 2 / 3, "tails": 1 / 3})


def test_a_reference_without_the_columns_is_refused(tmp_path: Path) -> None:
    reference = tmp_path / "reference.tsv"
    reference.write_text("one\ttwo\n")
    with pytest.raises(FileError, match="needed are head, relation, tail"):
        measure_novelty([], reference)


def test_near_duplicates_count_within_a_head_and_relation_only() -> None:
    triples = [
        ("PersonX bakes a cake", "xWant", "to eat a slice of cake"),
        ("PersonX bakes a cake", "xWant", "to eat the slice of cake"),
        ("PersonX bakes a cake", "xNeed", "to eat a slice of cake"),
        ("PersonX bakes a pie", "xWant", "to eat a slice of cake"),
        ("PersonX bakes a cake", "xWant", "to invite a friend"),
    ]
    assert near_duplicate_rate(triples) == pytest.approx(1 / 5)
