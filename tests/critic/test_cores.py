"""A batch a core: the same answers in the same order, and the cores given back."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import torch

from kgbuild.critic.cores import map_on_cores


@pytest.fixture(autouse=True)
def two_cores() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_batches_run_side_by_side_on_a_core_each_and_come_in_order() -> None:
    both = threading.Barrier(2, timeout=30)

    def work(batch: int) -> tuple[int, int]:
        both.wait()  # nobody passes alone
        return batch, torch.get_num_threads()

    assert list(map_on_cores(work, range(6))) == [(batch, 1) for batch in range(6)]
    assert torch.get_num_threads() == 2


def test_a_batch_that_is_alone_has_all_cores() -> None:
    assert list(map_on_cores(lambda _: torch.get_num_threads(), [0])) == [2]


def test_a_failure_comes_through_and_the_cores_are_given_back() -> None:
    def work(batch: int) -> int:
        if batch == 1:
            raise ValueError("the second")
        return batch

    with pytest.raises(ValueError, match="the second"):
        list(map_on_cores(work, range(50)))
    assert torch.get_num_threads() == 2
