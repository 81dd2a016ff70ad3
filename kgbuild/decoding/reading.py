"""The phrases of a constraint set, watched while a text is read."""

from __future__ import annotations

from collections.abc import Sequence

from kgbuild.decoding.automaton import Automaton
from kgbuild.decoding.literals import WatchedLiteral
from kgbuild.decoding.standing import Cursor


class Reader:
    """Two automata: one loses case, the other keeps it and is idle in most sets.

    Attributes:
        has_exact: Whether some phrase minds case.
    """

    def __init__(self, literals: Sequence[WatchedLiteral]) -> None:
        self._literals = literals
        self._automata = tuple(
            Automaton([one.symbols if one.is_exact is is_exact else "" for one in literals])
            for is_exact in (False, True)
        )
        self.has_exact = any(literal.is_exact for literal in literals)

    def feed(
        self, node: int, symbols: str, *, is_exact: bool = False
    ) -> tuple[int, tuple[int, ...]]:
        """Read symbols: the node after them and the literals that ended."""
        return self._automata[is_exact].feed(node, symbols)

    def list_alive(self, cursor: Cursor) -> list[tuple[int, int]]:
        """List (literal, symbols matched) for every phrase that was begun."""
        alive = self._automata[False].list_alive(cursor.node)
        return alive + self._automata[True].list_alive(cursor.exact) if cursor.exact else alive

    def find_held(self, literal: int) -> tuple[tuple[int, int], ...]:
        """List (literal, folded offset of its end) for all that every text with this one has.

        A phrase that may be written in any case holds none that minds it.
        """
        own = self._literals[literal]
        found: list[tuple[int, int]] = []
        for is_exact in (False, True) if own.is_exact else (False,):
            automaton, node, offset = self._automata[is_exact], 0, 0
            for symbol in own.symbols if is_exact else own.folded:
                node = automaton.step(node, symbol)
                offset += len(symbol.casefold())
                found += ((index, offset) for index in automaton.endings[node])
        return tuple(found)
