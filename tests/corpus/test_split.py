from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgbuild.core.errors import ConfigError
from kgbuild.core.records import Split
from kgbuild.corpus import assign_split

HEADS = [f"PersonX reads book {number}" for number in range(4000)]


def test_the_shares_of_heads_are_the_ones_asked_for() -> None:
    splits = [assign_split(head, dev=0.1, test=0.2) for head in HEADS]
    assert splits.count(Split.DEV) == pytest.approx(400, abs=80)
    assert splits.count(Split.TEST) == pytest.approx(800, abs=110)


@given(st.text(min_size=1), st.floats(0, 0.3), st.floats(0, 0.3))
def test_larger_shares_only_take_heads_out_of_train(head: str, dev: float, test: float) -> None:
    before = assign_split(head, dev=0.1, test=0.1)
    after = assign_split(head, dev=0.1 + dev, test=0.1 + test)
    assert before in (Split.TRAIN, after)


def test_spellings_of_one_head_share_a_split() -> None:
    for head in HEADS[:200]:
        assert assign_split(f"  {head.lower()}. ") == assign_split(head)


def test_no_share_means_no_head() -> None:
    assert {assign_split(head, dev=0, test=0) for head in HEADS} == {Split.TRAIN}


@pytest.mark.parametrize(("dev", "test"), [(0.5, 0.5), (-0.1, 0.1), (float("nan"), 0.1)])
def test_shares_that_leave_nothing_to_train_on_are_refused(dev: float, test: float) -> None:
    with pytest.raises(ConfigError, match="nothing to train on"):
        assign_split("x", dev=dev, test=test)
