"""AFLite drops what a sum of head, relation and tail gives away, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from kgbuild.core.errors import CriticError
from kgbuild.core.records import Label, LabelledTriple
from kgbuild.critic import TableScorer, Thresholds, evaluate_critic, find_artefacts, settle_labels
from kgbuild.critic.aflite import filter_rows, show_parts
from kgbuild.critic.artefacts import read_artefacts, save_artefacts
from kgbuild.critic.figures import find_auc
from tests.critic.conftest import make_label

Rows = tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_], list[str], npt.NDArray[np.bool_]]


def make_rows(*, given_away: float, rows: int = 3_000, seed: int = 5) -> Rows:
    """Rows that the tail alone decides, and others that only head and tail together do."""
    generator = np.random.default_rng(seed)
    heads = generator.normal(size=(rows // 3, 6)).repeat(3, axis=0).astype(np.float32)
    tails = generator.normal(size=(rows, 6)).astype(np.float32)
    is_easy = generator.random(rows) < given_away
    # Every fourth row is right, of the easy ones and of the others.
    fits = heads[:, 0] * tails[:, 0]
    truth = np.where(is_easy, generator.random(rows) < 0.25, fits > np.quantile(fits, 0.75))
    # The wording of an easy tail says it; that of another says nothing.
    tails[:, 1] = np.where(is_easy, np.where(truth, 2.0, -2.0), 0.0) + tails[:, 1] / 4
    names = [f"head {place // 3}" for place in range(rows)]
    return show_parts(heads, ["xReact"] * rows, tails), truth, names, is_easy


def test_rows_that_the_tail_gives_away_leave_and_rows_that_it_does_not_stay() -> None:
    parts, truth, heads, is_easy = make_rows(given_away=0.4)
    left = filter_rows(parts, truth, heads, seed=1)
    assert left[~is_easy].mean() > 0.75
    assert left[is_easy].mean() < 0.1
    # What is left is harder for whoever sees the tail alone.
    tail = parts[:, 7].astype(np.float64)
    every = find_auc(tail, truth.astype(np.float64))
    hard = find_auc(tail[left], truth[left].astype(np.float64))
    assert every is not None
    assert hard is not None
    assert every > 0.7
    assert hard == pytest.approx(0.5, abs=0.1)


def test_right_rows_are_as_frequent_among_the_hard_ones_as_among_all() -> None:
    parts, truth, heads, _ = make_rows(given_away=0.6)
    left = filter_rows(parts, truth, heads, seed=1)
    assert 0.25 < left.mean() < 0.9
    assert truth[left].mean() == pytest.approx(truth.mean(), abs=0.005)


def test_where_nothing_is_given_away_nearly_all_stays() -> None:
    generator = np.random.default_rng(3)
    parts, _, heads, _ = make_rows(given_away=0.0)
    truth = generator.random(len(parts)) < 0.25
    assert filter_rows(parts, truth, heads, seed=1).mean() > 0.9


def test_a_quarter_stays_even_if_all_is_given_away() -> None:
    parts, truth, heads, _ = make_rows(given_away=1.0)
    left = filter_rows(parts, truth, heads, seed=1)
    assert 0.25 <= left.mean() < 0.5


def test_a_label_that_all_rows_of_a_head_share_gives_nothing_away() -> None:
    """A member that saw the head's other rows would know them all."""
    generator = np.random.default_rng(7)
    width, rows = 100, 640
    heads = generator.normal(size=(80, width)).repeat(8, axis=0).astype(np.float32)
    truth = (generator.random(80) < 0.5).repeat(8)
    tails = generator.normal(size=(rows, width)).astype(np.float32)
    parts = show_parts(heads, ["xReact"] * rows, tails)
    by_head = [f"head {place // 8}" for place in range(rows)]
    assert filter_rows(parts, truth, by_head, seed=1).mean() > 0.8
    by_row = [str(place) for place in range(rows)]
    assert filter_rows(parts, truth, by_row, seed=1).mean() < 0.6


def test_one_seed_gives_one_hard_part() -> None:
    parts, truth, heads, _ = make_rows(given_away=0.5)
    one = filter_rows(parts, truth, heads, seed=1)
    assert (one == filter_rows(parts, truth, heads, seed=1)).all()
    assert (one != filter_rows(parts, truth, heads, seed=2)).any()


def test_one_kind_of_rows_is_left_as_it_is() -> None:
    parts, _, heads, _ = make_rows(given_away=0.0, rows=30)
    assert filter_rows(parts, np.ones(30, dtype=bool), heads, seed=1).all()


class Words:
    """An encoder that knows each phrase by three numbers of its own."""

    def encode(self, phrases: Sequence[str]) -> npt.NDArray[np.float32]:
        return np.asarray(
            [[len(phrase), "good" in phrase, hash_of(phrase)] for phrase in phrases],
            dtype=np.float32,
        ).reshape(-1, 3)


def hash_of(text: str) -> float:
    return sum(map(ord, text)) % 17 / 17


def make_mixed_labels() -> list[LabelledTriple]:
    rows = []
    for number in range(400):
        head = f"PersonX visits friend {number}"
        # Half of the heads have tails whose wording says it, the others tails by chance.
        is_given_away = number % 2 == 0
        luck = bool(np.random.default_rng(number).integers(2))
        for place, word in enumerate(("good", "poor")):
            is_right = (place == 0) if is_given_away else (place == 0) is luck
            label = Label.LIKELY if is_right else Label.INVALID
            rows.append(make_label(head, f"{word} {number}", label))
    return rows


def test_the_report_has_both_figures_and_the_baselines_beside_both() -> None:
    rows = make_mixed_labels()
    artefacts = find_artefacts(settle_labels(rows), Words())
    assert artefacts is not None
    table = TableScorer(
        {(row.head, row.relation, row.tail): 0.8 if row.label.is_accepted else 0.2 for row in rows},
        thresholds=Thresholds(default=0.5),
    )
    report = evaluate_critic(table, rows, artefacts=artefacts)
    assert report.hard is not None
    assert 0 < report.hard.plain.labels < report.plain.labels
    assert report.hard.plain.labels == int(artefacts.hard.sum())
    assert report.hard.plain.auc.value == report.plain.auc.value == 1.0
    assert report.tail_only_auc is not None
    assert report.hard.tail_only_auc is not None
    assert report.tail_only_auc > 0.6
    assert report.hard.tail_only_auc < report.tail_only_auc
    assert report.hard.relation_only_auc == 0.5
    assert report.hard.evidence is not None
    assert evaluate_critic(table, rows).hard is None


def test_artefacts_are_kept_for_their_labels_and_no_others(tmp_path: Path) -> None:
    rows = make_mixed_labels()
    found = find_artefacts(settle_labels(rows), Words())
    assert found is not None
    save_artefacts(tmp_path, found)
    assert read_artefacts(tmp_path, settle_labels(rows)) == found
    fewer = rows[:-40]
    assert read_artefacts(tmp_path, settle_labels(fewer)) is None
    table = TableScorer({})
    with pytest.raises(CriticError, match="find them again"):
        evaluate_critic(table, fewer, artefacts=found)
    (tmp_path / "artefacts.json").write_text('{"labels": 3}', encoding="utf-8")
    assert read_artefacts(tmp_path, settle_labels(rows)) is None


def test_without_labels_of_both_kinds_to_fit_on_there_is_no_hard_part() -> None:
    rows = [make_label(f"PersonX sings {n}", "good", Label.LIKELY) for n in range(60)]
    assert find_artefacts(settle_labels(rows), Words()) is None
