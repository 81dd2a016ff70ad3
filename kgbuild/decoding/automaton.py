"""Aho-Corasick over symbols: every phrase of a constraint set, watched in one pass."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence


class Automaton:
    """Finds all patterns that end at each symbol, overlaps included.

    Failure links keep what a mismatch leaves alive: after "a b a" a watched "a b c" goes on
    from "a", it does not start over.

    >>> automaton = Automaton(["he", "she"])
    >>> node = 0
    >>> for symbol in "she":
    ...     node = automaton.step(node, symbol)
    >>> [automaton.patterns[index] for index in automaton.endings[node]]
    ['she', 'he']
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self.patterns = tuple(patterns)
        self._goto: list[dict[str, int]] = [{}]
        self._fail: list[int] = [0]
        # Patterns that end here, longest first.
        self.endings: list[tuple[int, ...]] = [()]
        self.depths: list[int] = [0]
        self._through: list[list[int]] = [list(range(len(self.patterns)))]
        ends: list[list[int]] = [[]]
        for index, pattern in enumerate(self.patterns):
            node = 0
            for symbol in pattern:
                child = self._goto[node].get(symbol)
                if child is None:
                    child = len(self._goto)
                    self._goto[node][symbol] = child
                    self._goto.append({})
                    self._fail.append(0)
                    self.endings.append(())
                    self.depths.append(self.depths[node] + 1)
                    self._through.append([])
                    ends.append([])
                node = child
                self._through[node].append(index)
            ends[node].append(index)
        self._link(ends)

    def _link(self, ends: list[list[int]]) -> None:
        queue = deque([0])
        while queue:
            node = queue.popleft()
            # Breadth first, so the shorter suffix is complete before it is inherited.
            self.endings[node] = (*ends[node], *self.endings[self._fail[node]])
            if node == 0:
                self.endings[0] = ()
            for symbol, child in self._goto[node].items():
                self._fail[child] = self.step(self._fail[node], symbol) if node else 0
                queue.append(child)

    def step(self, node: int, symbol: str) -> int:
        """Follow one symbol."""
        while True:
            child = self._goto[node].get(symbol)
            if child is not None:
                return child
            if node == 0:
                return 0
            node = self._fail[node]

    def feed(self, node: int, symbols: str) -> tuple[int, tuple[int, ...]]:
        """Follow symbols: the node after them and the patterns that ended, in order."""
        ended: list[int] = []
        for symbol in symbols:
            node = self.step(node, symbol)
            ended += self.endings[node]
        return node, tuple(ended)

    def list_alive(self, node: int) -> list[tuple[int, int]]:
        """List (pattern, symbols matched) for every partial match, the root's excluded."""
        alive: list[tuple[int, int]] = []
        while node:
            alive += [(index, self.depths[node]) for index in self._through[node]]
            node = self._fail[node]
        return alive
