from __future__ import annotations

import numpy as np
import pytest

from kgbuild.core.records import Label
from kgbuild.critic import TableScorer, Thresholds, evaluate_critic
from kgbuild.critic.calibration import calibration_error, fit_calibration
from kgbuild.critic.figures import find_auc, measure
from kgbuild.critic.split import assign_part
from tests.critic.conftest import make_label, make_labels


def test_figures_worked_by_hand() -> None:
    words = [Label.ALWAYS, Label.LIKELY, Label.FARFETCHED, Label.INVALID]
    rows = [make_label(f"PersonX runs {n}", "tired", word) for n, word in enumerate(words)]
    figures = measure([0.9, 0.4, 0.8, 0.1], rows, Thresholds(default=0.5))
    assert figures.auc.value == 0.75
    assert figures.precision.value == 0.5
    assert figures.yielded.value == 0.5
    assert figures.kept_share == 0.5
    assert figures.brier == pytest.approx((0.01 + 0.36 + 0.64 + 0.01) / 4)
    assert figures.calibration_error == pytest.approx((0.1 + 0.6 + 0.8 + 0.1) / 4)


def test_the_interval_holds_the_figure_and_is_the_same_every_time() -> None:
    rows = make_labels(50)
    scores = np.random.default_rng(1).random(len(rows)).tolist()
    one = measure(scores, rows, Thresholds(default=0.5))
    assert one == measure(scores, rows, Thresholds(default=0.5))
    assert one.auc.low is not None
    assert one.auc.value is not None
    assert one.auc.high is not None
    assert one.auc.low < one.auc.value < one.auc.high


def test_calibration_finds_the_temperature_that_made_the_logits_too_sure() -> None:
    generator = np.random.default_rng(4)
    logits = generator.normal(size=4000) * 2
    accepted = generator.random(4000) < 1 / (1 + np.exp(-(logits + 0.5)))
    found = fit_calibration((logits * 3).tolist(), accepted.tolist())
    assert found.temperature == pytest.approx(3, rel=0.15)
    assert found.shift == pytest.approx(0.5, abs=0.15)
    assert calibration_error(found.apply(logits * 3), accepted.astype(float)) < 0.03


def test_probabilities_never_reach_the_threshold_that_accepts_nothing() -> None:
    found = fit_calibration([-9.0, -8.0, 8.0, 9.0], [False, False, True, True])
    assert found.apply(np.asarray([1e9, -1e9])).tolist() == [1 - 1e-6, 1e-6]


def test_only_test_heads_are_evaluated_and_baselines_stand_beside() -> None:
    rows = make_labels(60)
    table = TableScorer(
        {(row.head, row.relation, row.tail): 0.8 if row.label.is_accepted else 0.2 for row in rows}
    )
    report = evaluate_critic(table, rows)
    tested = [row for row in rows if assign_part(row.head) == "test"]
    assert report.plain.labels == len(tested) == table.asked / 2
    assert report.plain.auc.value == 1.0
    assert report.relation_only_auc == 0.5
    assert report.likelihood_auc == 0.5


def test_a_head_keeps_its_part_when_heads_are_added() -> None:
    parts = [assign_part(f"PersonX runs {n}") for n in range(2000)]
    assert parts.count("test") == pytest.approx(180, abs=40)
    assert parts.count("dev") == pytest.approx(120, abs=35)


def test_the_auc_by_ranks_is_that_of_scikit_learn_ties_included() -> None:
    from sklearn.metrics import roc_auc_score

    generator = np.random.default_rng(5)
    scores = generator.integers(0, 8, size=300) / 8
    truth = (generator.random(300) < 0.3).astype(np.float64)
    assert find_auc(scores, truth) == pytest.approx(roc_auc_score(truth, scores), abs=1e-12)
    assert find_auc(scores, np.ones(300)) is None
