"""Paths between two phrases, shortest first, from nothing but "the edges at these phrases".

The search grows a ball of half the length around each end, so a hub half-way is entered at most
once, and then walks only along edges that can still reach the target.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import pyarrow as pa

Direction = Literal["out", "in", "both"]
Incident = Callable[[Sequence[str], Direction], pa.Table]
Steps = dict[str, set[tuple[str, str]]]  # phrase -> (triple_id, the phrase it leads to)


def find_paths(
    incident: Incident, from_id: str, to_id: str, *, max_length: int, is_directed: bool
) -> Iterator[tuple[str, ...]]:
    """Yield the triple ids of every path that visits no phrase twice, shortest first.

    Paths of one length come in the order of their triple ids, so that a limit always keeps the
    same ones.

    Args:
        incident: Gives the edges that leave, enter or touch any of some phrases.
        from_id: Where the paths begin.
        to_id: Where they end.
        max_length: The most edges of a path.
        is_directed: Whether a path may follow an edge only from head to tail.
    """
    steps: Steps = defaultdict(set)
    half = (max_length + 1) // 2
    _grow(incident, "out" if is_directed else "both", from_id, half, steps)
    _grow(incident, "in" if is_directed else "both", to_id, max_length - half, steps)
    distances = _distances_to(to_id, steps)
    ordered = {phrase: sorted(found) for phrase, found in steps.items()}

    def walk(visited: tuple[str, ...], length: int) -> Iterator[tuple[str, ...]]:
        if length == 0:
            yield ()
            return
        for triple, following in ordered.get(visited[-1], ()):
            is_last = following == to_id
            if following in visited or is_last is not (length == 1):
                continue
            if distances.get(following, max_length) <= length - 1:
                for rest in walk((*visited, following), length - 1):
                    yield (triple, *rest)

    for length in range(1, max_length + 1):
        yield from walk((from_id,), length)


def _grow(incident: Incident, direction: Direction, start: str, radius: int, steps: Steps) -> None:
    seen = {start}
    frontier = [start]
    for _ in range(radius):
        found: set[str] = set()
        for triple, head, tail in _ends(incident(frontier, direction)):
            steps[head].add((triple, tail))
            if direction == "both":
                steps[tail].add((triple, head))
            found.update((head, tail))
        frontier = sorted(found - seen)
        if not frontier:
            return
        seen |= found


def _distances_to(to_id: str, steps: Steps) -> dict[str, int]:
    arriving: dict[str, set[str]] = defaultdict(set)
    for phrase, found in steps.items():
        for _, following in found:
            arriving[following].add(phrase)
    distances = {to_id: 0}
    frontier = [to_id]
    while frontier:
        nearer = sorted({p for q in frontier for p in arriving[q]} - distances.keys())
        distances.update(dict.fromkeys(nearer, distances[frontier[0]] + 1))
        frontier = nearer
    return distances


def _ends(edges: pa.Table) -> Iterator[tuple[str, str, str]]:
    columns = (edges[name].to_pylist() for name in ("triple_id", "head_id", "tail_id"))
    return zip(*columns, strict=True)
