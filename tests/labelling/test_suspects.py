from __future__ import annotations

import random
import sys

import pytest

from kgbuild.core.errors import ExtraError, LabelError
from kgbuild.core.records import Label
from kgbuild.labelling.suspects import find_suspects
from tests.labelling.conftest import make_row

pytest.importorskip("cleanlab", reason="pip install 'kgbuild[cleanlab]'")


def test_slips_that_were_planted_are_found_and_the_worst_comes_first() -> None:
    draw = random.Random(5)
    rows, probabilities, planted = [], [], set()
    for number in range(200):
        is_good = number % 3 == 0
        probabilities.append(draw.uniform(0.75, 0.95) if is_good else draw.uniform(0.02, 0.3))
        if number in (30, 31, 77, 99, 120):
            # Surer than the critic usually is of that side, as confident learning asks.
            probabilities[-1] = 0.97 if is_good else 0.01
            is_good = not is_good
            planted.add(make_row(number, Label.LIKELY).triple_id)
        rows.append(make_row(number, Label.LIKELY if is_good else Label.INVALID))
    found = find_suspects(rows, probabilities, labellers={rows[30].triple_id: ("ann", "bob")})
    assert {one.triple_id for one in found} == planted
    assert [one.quality for one in found] == sorted(one.quality for one in found)
    assert found[0].quality < 0.3
    thirty = next(one for one in found if one.triple_id == rows[30].triple_id)
    assert (thirty.labellers, thirty.label) == (("ann", "bob"), Label.INVALID)
    assert thirty.probability == pytest.approx(1 - thirty.quality)


def test_clean_labels_have_no_suspects() -> None:
    rows = [make_row(n, Label.LIKELY if n % 2 else Label.INVALID) for n in range(40)]
    assert find_suspects(rows, [0.9 if n % 2 else 0.1 for n in range(40)]) == []


def test_too_few_of_one_side_and_broken_probabilities_are_errors() -> None:
    rows = [make_row(number, Label.LIKELY) for number in range(40)]
    with pytest.raises(LabelError, match="Of 40 labels .* 0 are on one side"):
        find_suspects(rows, [0.5] * 40)
    with pytest.raises(LabelError, match="Of 0 labels"):
        find_suspects([], [])
    rows = [make_row(n, Label.LIKELY if n % 2 else Label.INVALID) for n in range(40)]
    for wrong in ([0.5] * 39, [float("nan")] * 40):
        with pytest.raises(LabelError, match="one probability, a number"):
            find_suspects(rows, wrong)


def test_without_cleanlab_the_error_says_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    rows = [make_row(n, Label.LIKELY if n % 2 else Label.INVALID) for n in range(40)]
    with pytest.raises(ExtraError, match=r"kgbuild\[cleanlab\]"):
        find_suspects(rows, [0.5] * 40)
