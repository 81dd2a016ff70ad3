"""What it means for the clauses that a literal was seen."""

from __future__ import annotations

from collections import Counter

from kgbuild.decoding.literals import LiteralTable


class Rules:
    """Turns literals that were seen into met clauses, counts and broken laws.

    Attributes:
        every: Bits of all clauses.
    """

    def __init__(self, table: LiteralTable, *, size: int) -> None:
        self._literals = table.literals
        self._limits = table.limits
        self._negatives = {
            clause: sum(1 << bit for bit in bits) for clause, bits in table.negatives.items()
        }
        self.every = (1 << size) - 1
        # A clause that a literal can meet; the others hold until they are broken.
        self._meetable = 0
        self._bans: list[int] = []
        self._counted: dict[int, list[int]] = {}  # counter -> its literals
        self._negated: dict[int, list[int]] = {}  # clause -> its negative literals
        for index, literal in enumerate(self._literals):
            for effect, clause, place in literal.effects:
                self._meetable |= (effect == "meet") << clause
                if effect == "ban":
                    self._bans.append(index)
                elif effect == "count":
                    self._counted.setdefault(place, []).append(index)
                elif effect == "negate":
                    self._negated.setdefault(clause, []).append(index)
        # Clauses without positives -> their negatives' bits, of which not all may be written.
        self._fatal = {
            clause: bits
            for clause, bits in self._negatives.items()
            if not self._meetable >> clause & 1
        }
        # One literal may stand for two negatives of a clause, as two inflections of one word.
        self._most = {
            clause: max(Counter(self._negated[clause]).values()) for clause in self._fatal
        }

    def apply(
        self, seen: int, counts: tuple[int, ...], events: tuple[int, ...]
    ) -> tuple[int, tuple[int, ...], bool]:
        """Take down what was seen; also say whether a law was broken."""
        is_broken = False
        counted = list(counts)
        for event in events:
            for effect, clause, place in self._literals[event].effects:
                if effect == "meet":
                    seen |= 1 << clause
                elif effect == "ban":
                    is_broken = True
                elif effect == "negate":
                    seen |= 1 << place
                    bits = self._fatal.get(clause)
                    is_broken |= bits is not None and seen & bits == bits
                else:
                    counted[place] += 1
                    _, low, high = self._limits[place]
                    is_broken |= high is not None and counted[place] > high
                    # Without a limit the counter only has to reach `min`.
                    counted[place] = min(counted[place], low if high is None else high)
        return seen, tuple(counted), is_broken

    def find_met(self, seen: int, counts: tuple[int, ...]) -> int:
        """Give the bits of the clauses that hold."""
        met = self.every & ~self._meetable | seen & self.every
        for clause, bits in self._negatives.items():
            if seen & bits != bits:
                met |= 1 << clause
            elif clause in self._fatal:
                met &= ~(1 << clause)
        for count, (clause, low, _) in zip(counts, self._limits, strict=True):
            if count < low:
                met &= ~(1 << clause)
        return met

    def list_killers(self, seen: int, counts: tuple[int, ...]) -> tuple[int, ...]:
        """List the literals, bans apart, whose next occurrence would be one too many."""
        found: set[int] = set()
        for place, (count, (_, _, high)) in enumerate(zip(counts, self._limits, strict=True)):
            if high is not None and count >= high:
                found.update(self._counted.get(place, ()))
        for clause, bits in self._fatal.items():
            if (bits & ~seen).bit_count() <= self._most[clause]:
                mine = self._negated[clause]
                found.update(index for index in mine if self.apply(seen, counts, (index,))[2])
        return tuple(sorted(found))

    @property
    def bans(self) -> tuple[int, ...]:
        """The literals that may never occur."""
        return tuple(self._bans)
