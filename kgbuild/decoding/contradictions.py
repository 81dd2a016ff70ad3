"""Constraint sets that no text can meet, found before a model is asked.

A set is refused only for a proof; what passes may still be impossible. Such a proof rests on what a
phrase holds wherever it stands: the other phrases within it, and its spaces. Of two phrases that
cannot overlap there, each needs its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise

from kgbuild.core.errors import ClauseError
from kgbuild.decoding.clauses import AnyClause, ConstraintSet, EndsWith, StartsWith
from kgbuild.decoding.literals import LiteralTable, Wanted, WatchedLiteral
from kgbuild.decoding.reading import Reader
from kgbuild.decoding.rules import Rules
from kgbuild.decoding.symbols import END, START
from kgbuild.decoding.vocabulary import Vocabulary
from kgbuild.decoding.writing import Pen

MAX_PHRASES = 32  # clauses with more are not asked whether their phrases overlap others'
MAX_REASONS = 5  # named in an error

# Places of a literal's folded symbols at which something is held.
Slots = dict[int, tuple[int, ...]]


def check_possible(
    table: LiteralTable,
    reader: Reader,
    rules: Rules,
    *,
    constraints: ConstraintSet,
    vocabulary: Vocabulary,
) -> frozenset[int]:
    """Refuse clauses that cannot be met together.

    Returns:
        Literals that no text can hold, though their clauses can be met by others.

    Raises:
        ClauseError: Naming both sides.
    """
    check = _Check(table, reader, rules, constraints, Pen(vocabulary))
    alive = [check.drop_impossible(wanted) for wanted in table.wanted]
    check.compare_anchors(alive)
    check.compare_needs(alive)
    return frozenset(check.impossible)


class _Check:
    def __init__(
        self,
        table: LiteralTable,
        reader: Reader,
        rules: Rules,
        constraints: ConstraintSet,
        pen: Pen,
    ) -> None:
        self._literals = table.literals
        self._limits = table.limits
        self._reader = reader
        self._rules = rules
        self._constraints = constraints
        self._clauses = constraints.clauses
        self._pen = pen
        self.impossible: set[int] = set()

    def drop_impossible(self, wanted: Wanted) -> Wanted:
        """Give a clause's phrases that may be written; raise if there is none."""
        reasons: dict[str, None] = {}
        alive: list[int] = []
        for index in wanted.literals:
            reason = self._find_obstacle(index)
            if reason:
                reasons[reason] = None
                self.impossible.add(index)
            else:
                alive.append(index)
        if alive:
            return wanted._replace(literals=tuple(alive))
        named = [*reasons][:MAX_REASONS]
        if len(reasons) > len(named):
            named.append(f"and so on for {len(reasons) - len(named)} more")
        clause = _show(self._clauses[wanted.clause])
        raise ClauseError(f"no text can meet {clause}: {'; '.join(named)}")

    def _find_obstacle(self, index: int) -> str:
        """Say what forbids a phrase, with the way out, or give nothing."""
        literal, most = self._literals[index], self._constraints.max_words
        phrase = repr(literal.phrase)
        words = 1 + len(_find_spaces(literal))
        if most is not None and words > most:
            return f"{phrase} has {words} words, max_words={most}; raise it"
        seen, counts = 0, (0,) * len(self._limits)
        for held, _ in self._reader.find_held(index):
            seen, counts, is_broken = self._rules.apply(seen, counts, (held,))
            if is_broken:
                return f"{phrase} holds {self._name_breach(held)}; drop one of the two sides"
        return self._pen.find_obstacle(literal)

    def _name_breach(self, held: int) -> str:
        literal = self._literals[held]
        for effect, clause, place in literal.effects:
            if effect == "ban" or (effect == "count" and self._limits[place][2] == 0):
                return f"the banned phrase {literal.phrase!r}"
            if effect == "count" and self._limits[place][2] is not None:
                return f"more phrases than {_show(self._clauses[clause])} allows"
        clause = next(clause for effect, clause, _ in literal.effects if effect == "negate")
        return f"all that {_show(self._clauses[clause])} bans together"

    def compare_anchors(self, alive: Sequence[Wanted]) -> None:
        """Refuse two beginnings, or two ends, of which neither goes on like the other."""
        for kind, name in ((StartsWith, "begins"), (EndsWith, "ends")):
            mine = [one for one in alive if isinstance(self._clauses[one.clause], kind)]
            pairs = list(combinations(mine, 2) if len(mine) <= MAX_PHRASES else pairwise(mine))
            for one, other in pairs:
                if not self._can_share_anchor(one, other, at_end=kind is EndsWith):
                    first, second = (_show(self._clauses[x.clause]) for x in (one, other))
                    raise ClauseError(
                        f"no text {name} as both {first} and {second} ask; drop one of them"
                    )

    def _can_share_anchor(self, one: Wanted, other: Wanted, *, at_end: bool) -> bool:
        both = [[self._literals[index] for index in side.literals] for side in (one, other)]
        exact = [[_strip(x.symbols) for x in side if x.is_exact] for side in both]
        folded = [[_strip(x.folded) for x in side] for side in both]
        loose = [[_strip(x.folded) for x in side if not x.is_exact] for side in both]
        return (
            _have_common(*exact, at_end=at_end)
            or _have_common(loose[0], folded[1], at_end=at_end)
            or _have_common(folded[0], loose[1], at_end=at_end)
        )

    def compare_needs(self, alive: Sequence[Wanted]) -> None:
        """Refuse clauses that together need more words, or counted phrases, than are allowed."""
        most = self._constraints.max_words
        if most is not None:
            slots = {i: _find_spaces(self._literals[i]) for one in alive for i in one.literals}
            chosen, needed = self._add_up(alive, slots, limit=most - 1)
            if needed > most - 1:
                raise ClauseError(
                    f"no text of max_words={most} can meet {self._list(chosen)}: together they "
                    f"need {needed + 1} words or more; raise it or drop one of them"
                )
        for place, counted in self._find_counted(alive).items():
            index, _, high = self._limits[place]
            others = [one for one in alive if one.clause != index and counted.keys() & one.literals]
            if not high or not others:
                continue
            chosen, needed = self._add_up(others, counted, limit=high)
            if needed > high:
                raise ClauseError(
                    f"no text can meet {_show(self._clauses[index])} and {self._list(chosen)}: "
                    f"they need {needed} of its phrases, it allows {high}; drop one of the sides"
                )

    def _find_counted(self, alive: Sequence[Wanted]) -> dict[int, Slots]:
        """Find for every counter where the phrases of clauses hold what it counts."""
        found: dict[int, Slots] = {}
        for literal in {index for one in alive for index in one.literals}:
            for held, end in self._reader.find_held(literal):
                for effect, _, place in self._literals[held].effects:
                    if effect == "count":
                        slots = found.setdefault(place, {})
                        slots[literal] = (*slots.get(literal, ()), end)
        return found

    def _list(self, chosen: Sequence[Wanted]) -> str:
        return " and ".join(_show(self._clauses[one.clause]) for one in chosen[:MAX_REASONS])

    def _add_up(
        self, alive: Sequence[Wanted], slots: Slots, *, limit: int
    ) -> tuple[list[Wanted], int]:
        """Add up what clauses need, each of its own, until a limit is passed."""
        needs: list[tuple[int, Wanted]] = []
        for one in alive:
            least = min(len(slots.get(index, ())) for index in one.literals)
            if least and len(one.literals) <= MAX_PHRASES:
                # Several occurrences may share a slot only if two of their slots can be one.
                own = _list_slots(one, slots)
                is_apart = not any(self._can_meet(a, b) for a, b in combinations(own, 2))
                needs.append((least * (one.times if is_apart else 1), one))
        if sum(need for need, _ in needs) <= limit:
            return [], 0
        chosen: list[Wanted] = []
        total = 0
        for need, one in sorted(needs, key=lambda pair: -pair[0]):
            own = _list_slots(one, slots)
            theirs = [slot for other in chosen for slot in _list_slots(other, slots)]
            if not any(self._can_meet(a, b) for a in own for b in theirs):
                chosen.append(one)
                total += need
            if total > limit:
                break
        return chosen, total

    def _can_meet(self, one: tuple[int, int], other: tuple[int, int]) -> bool:
        """Whether two slots can be the same place of a text."""
        (first, here), (second, there) = one, other
        left, right = self._literals[first].folded, self._literals[second].folded
        before, after = min(here, there), min(len(left) - here, len(right) - there)
        return left[here - before : here + after] == right[there - before : there + after]


def _list_slots(wanted: Wanted, slots: Slots) -> list[tuple[int, int]]:
    return [(index, slot) for index in wanted.literals for slot in slots.get(index, ())]


def _find_spaces(literal: WatchedLiteral) -> tuple[int, ...]:
    """Find the spaces between words; behind each of them a word begins."""
    inner = literal.folded.removesuffix(END).rstrip(" ")
    return tuple(place for place, symbol in enumerate(inner) if symbol == " ")


def _strip(symbols: str) -> str:
    return symbols.removeprefix(START).removesuffix(END).rstrip(" ")


def _have_common(ours: Iterable[str], theirs: Iterable[str], *, at_end: bool) -> bool:
    """Whether one of ours begins, or ends, with one of theirs, or the other way round."""
    order = -1 if at_end else 1
    one, other = ({symbols[::order] for symbols in side} for side in (ours, theirs))
    return any(_begins_with(x, other) for x in one) or any(_begins_with(x, one) for x in other)


def _begins_with(symbols: str, beginnings: set[str]) -> bool:
    return any(symbols[:length] in beginnings for length in range(1, len(symbols) + 1))


def _show(clause: AnyClause) -> str:
    text = repr(clause)
    return text if len(text) <= 300 else f"{text[:297]}..."
