"""A batch a core: reading many short texts with all cores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

T = TypeVar("T")
R = TypeVar("R")


def map_on_cores(work: Callable[[T], R], batches: Sequence[T]) -> Iterator[R]:
    """Give what `work` makes of every batch, in order, a thread with one core for each.

    Two cores that share the small matrices of one batch wait for each other. A batch that is alone
    has all cores.

    Args:
        work: Called in several threads at once; torch lets them run side by side.
        batches: Of about equal cost.
    """
    cores = torch.get_num_threads()
    if min(cores, len(batches)) < 2:
        yield from map(work, batches)
        return
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(cores, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield from pool.map(work, batches)
    finally:
        torch.set_num_threads(cores)
