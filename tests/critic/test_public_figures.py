"""What is fitted never sees what is measured; all other figures are worked by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgbuild.core.errors import CriticError
from kgbuild.critic import BENCHMARKS, Candidate, Opinion, PublicReport, PublicRow, compare_opinions
from kgbuild.critic.baselines import rate_texts
from kgbuild.critic.public_figures import find_cut


class Signs:
    """An encoder that says of a text whether it is named good."""

    def encode(self, phrases: Sequence[str]) -> npt.NDArray[np.float32]:
        signs = [1.0 if "good" in phrase else -1.0 for phrase in phrases]
        return np.asarray([[sign, 0.0] for sign in signs], dtype=np.float32)


def make_row(
    number: int,
    is_right: bool,
    *,
    relation: str = "xReact",
    tail: str = "x",
    group: str = "adv",
    references: tuple[float, ...] = (0.0,) * 5,
) -> PublicRow:
    head = f"head {number // 2}"
    return PublicRow(
        head, Candidate(head, relation, tail), relation, tail, group, is_right, references
    )


def compare(
    rows: Sequence[PublicRow],
    fitting: Sequence[PublicRow],
    probabilities: Sequence[float],
    *,
    name: str = "ckbp-v2",
) -> PublicReport:
    return compare_opinions(
        BENCHMARKS[name],
        rows,
        fitting,
        [Opinion(value, float(np.log(value / (1 - value)))) for value in probabilities],
        encoder=Signs(),
        part="test_open",
        fitting_part="dev" if fitting else None,
        critic="c",
    )


def test_the_threshold_is_that_of_the_fitting_rows_and_accuracy_that_of_the_measured_ones() -> None:
    fitting = [make_row(100 + n, n % 2 == 0) for n in range(20)]
    rows = [make_row(n, n < 4) for n in range(8)]
    # On the fitting rows right ones have 0.3 and wrong ones 0.1: the cut is 0.2.
    told = [0.3 if row.is_right else 0.1 for row in fitting]
    report = compare(rows, fitting, [0.25, 0.25, 0.25, 0.15, 0.15, 0.15, 0.25, 0.15, *told])
    critic = report.contestants[0]
    assert critic.threshold == pytest.approx(0.2)
    assert critic.accuracy.value == 6 / 8
    # 16 pairs: 3 rights over 3 wrongs 9, 4 ties of the lonely ones count half.
    assert critic.auc.value == pytest.approx((9 + 0.5 * 3 + 0.5 * 3) / 16)
    assert report.fitted_on == "dev"
    assert (report.rows, report.right, report.units, report.majority) == (8, 4, 4, 0.5)


def test_classes_and_relations_have_figures_of_their_own() -> None:
    rows = [
        make_row(0, True, relation="xWant", group="adv"),
        make_row(1, False, relation="xWant", group="adv"),
        make_row(2, True, relation="xNeed", group="test_set"),
        make_row(3, False, relation="xNeed", group="test_set"),
    ]
    report = compare(rows, rows, [0.9, 0.1, 0.2, 0.8] * 2)
    critic = report.contestants[0]
    assert {name: found.value for name, found in critic.groups.items()} == {
        "adv": 1.0,
        "test_set": 0.0,
    }
    assert critic.relations == {"xNeed": 0.0, "xWant": 1.0}
    assert critic.mean_relation_auc is not None
    assert critic.mean_relation_auc.value == 0.5


def test_baselines_learn_from_the_fitting_rows_alone() -> None:
    fitting = [
        make_row(100 + n, n % 4 < 2, relation="xWant" if n % 4 < 2 else "xNeed", tail="good")
        for n in range(40)
    ]
    # In the measured rows the relation says the opposite.
    rows = [
        make_row(n, n % 2 == 0, relation="xNeed" if n % 2 == 0 else "xWant", tail="bad")
        for n in range(20)
    ]
    report = compare(rows, fitting, [0.5] * 60)
    relation, tail = report.contestants[1:3]
    assert (relation.name, relation.role) == ("relation alone", "baseline")
    assert relation.auc.value == 0.0
    assert relation.accuracy.value == 0.0
    assert (tail.name, tail.auc.value) == ("tail alone", 0.5)


def test_a_tail_that_gives_the_label_away_is_found_by_the_tail_alone() -> None:
    fitting = [make_row(100 + n, n % 3 == 0, tail="good" if n % 3 == 0 else "x") for n in range(60)]
    rows = [make_row(n, n % 3 == 0, tail="good" if n % 3 == 0 else "x") for n in range(30)]
    tail = compare(rows, fitting, [0.5] * 90).contestants[2]
    assert tail.auc.value == 1.0
    assert tail.accuracy.value == 1.0


def test_without_another_part_each_fold_is_measured_by_the_others() -> None:
    # Every head has a relation of its own: a rate that had seen the row would know it.
    rows = [make_row(n, n % 4 < 2, relation=f"r{n // 2}") for n in range(80)]
    told = [0.4 if row.is_right else 0.3 for row in rows]
    report = compare(rows, [], told)
    critic, relation = report.contestants[:2]
    assert report.fitted_on == "5 folds of test_open over its units"
    assert critic.accuracy.value == 1.0
    # Folds have thresholds of their own.
    assert critic.threshold is None
    assert relation.auc.value is not None
    assert relation.auc.value < 0.6
    assert report.contestants[0].refitted_error is not None
    assert report.contestants[0].calibration_error == pytest.approx(0.45)
    assert report.contestants[0].refitted_error < 0.2


def test_the_scores_of_others_are_measured_on_the_same_rows() -> None:
    rows = [
        make_row(n, n % 2 == 0, references=(float(n % 2 == 0), 0.0, 0.1 * (n % 2), 0.0, 0.0))
        for n in range(20)
    ]
    report = compare(rows, rows, [0.5] * 40)
    found = {one.name: one for one in report.contestants if one.role == "reference"}
    assert found["annotator 1"].auc.value == 1.0
    assert found["annotator 1"].accuracy.value == 1.0
    assert found["annotator 2"].auc.value == 0.5
    assert found["PseudoReasoner, seed 100"].auc.value == 0.0
    # Of scores that are no probabilities none is asked to be calibrated.
    assert found["annotator 1"].calibration_error is None


def test_a_pair_is_won_by_the_right_sentence_and_a_tie_is_half_a_pair() -> None:
    def pair(number: int) -> list[PublicRow]:
        unit = str(number)
        texts = (f"good {number}", f"bad {number}")
        return [
            PublicRow(unit, Candidate.sentence(text), "", text, "", place == 0, ())
            for place, text in enumerate(texts)
        ]

    rows = [row for number in range(4) for row in pair(number)]
    fitting = [row for number in range(10, 20) for row in pair(number)]
    told = [0.9, 0.1, 0.2, 0.8, 0.5, 0.5, 0.6, 0.55]
    report = compare(rows, fitting, [*told, *[0.6, 0.4] * 10], name="comve")
    critic, text = report.contestants
    assert critic.pair_accuracy is not None
    assert critic.pair_accuracy.value == (1 + 0 + 0.5 + 1) / 4
    assert critic.mean_relation_auc is None
    assert (text.name, text.pair_accuracy and text.pair_accuracy.value) == (
        "sentence alone, linear",
        1.0,
    )
    assert report.headline == "accuracy in pairs"
    assert report.units == 4


def test_fitting_rows_of_one_kind_are_refused() -> None:
    rows = [make_row(n, n % 2 == 0) for n in range(8)]
    with pytest.raises(CriticError, match="all of one kind"):
        compare(rows, [make_row(100 + n, True) for n in range(8)], [0.5] * 16)
    with pytest.raises(CriticError, match="all of one kind"):
        rate_texts(np.eye(3, dtype=np.float32), np.ones(3), np.eye(3, dtype=np.float32))


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.7]), st.booleans()), min_size=1))
def test_no_other_cut_tells_more_rows_right(rows: list[tuple[float, bool]]) -> None:
    scores = np.asarray([score for score, _ in rows])
    truth = np.asarray([float(is_right) for _, is_right in rows])

    def told_right(cut: float) -> int:
        return int(((scores >= cut) == (truth > 0)).sum())

    best = max(told_right(cut) for cut in (0.0, 0.15, 0.3, 0.6, 1.0))
    assert told_right(find_cut(scores, truth)) == best
