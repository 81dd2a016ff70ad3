"""What is known of a text under clauses, and what would hold if it ended."""

from __future__ import annotations

from typing import NamedTuple

DEAD = -1  # the state of a text that no going on makes lawful


class Cursor(NamedTuple):
    """Where the automata stand: their nodes, the last character's class, bytes of a character.

    `exact` is the node of the automaton that tells upper from lower case.
    """

    node: int
    exact: int
    last: int
    begun: bytes


class State(NamedTuple):
    """A cursor's number and what was seen; `seen` holds a bit a met clause or written negative."""

    cursor: int
    seen: int
    counts: tuple[int, ...]
    words: int


class Standing(NamedTuple):
    """What would hold if the text ended here; a phrase whose word may go on counts as seen.

    Attributes:
        met: Bits of the clauses that would be met.
        is_clean: No ban would be broken and no character is half written.
        is_long: The minimum of words is reached.
        begun: Bits of the unmet clauses of which a phrase was begun.
        progress: Largest share of an unmet clause's phrase that was written, below 1.
    """

    met: int
    is_clean: bool
    is_long: bool
    begun: int
    progress: float
