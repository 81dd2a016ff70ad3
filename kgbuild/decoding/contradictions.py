"""Constraint sets that no text can meet, found before a model is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from kgbuild.core.errors import ClauseError
from kgbuild.decoding.clauses import AnyClause, ConstraintSet, Count, EndsWith, StartsWith
from kgbuild.decoding.symbols import EDGE, END, START

if TYPE_CHECKING:
    from kgbuild.decoding.literals import WatchedLiteral

Wanted: TypeAlias = "tuple[AnyClause, Sequence[WatchedLiteral]]"


def check_possible(
    wanted: Sequence[Wanted],
    literals: Sequence[WatchedLiteral],
    *,
    limits: Sequence[tuple[int, int, int | None]],
    constraints: ConstraintSet,
) -> None:
    """Refuse clauses that cannot be met together. What passes may still be impossible.

    Args:
        wanted: Every clause that needs one of its literals, with them.
        literals: All of the set.
        limits: (clause, min, max) for every counter.

    Raises:
        ClauseError: Naming both sides.
    """
    bans = [
        literal
        for literal in literals
        for effect, _, place in literal.effects
        if effect == "ban" or (effect == "count" and limits[place][2] == 0)
    ]
    for clause, phrases in wanted:
        reasons = list(_find_obstacles(phrases, bans, constraints))
        if len(reasons) == len(phrases):
            raise ClauseError(
                f"no text can meet {clause!r}: {'; '.join(reasons)}; drop one of the two sides"
            )
    for place, (one, mine) in enumerate(wanted):
        for other, theirs in wanted[place + 1 :]:
            _check_anchors(one, mine, other, theirs)
    _check_counts(wanted, limits=limits, constraints=constraints)


def _find_obstacles(
    phrases: Sequence[WatchedLiteral],
    bans: Sequence[WatchedLiteral],
    constraints: ConstraintSet,
) -> Iterator[str]:
    for literal in phrases:
        ban = next((ban for ban in bans if _holds(literal, ban)), None)
        words = len(literal.phrase.split())
        if ban is not None:
            yield f"{literal.phrase!r} holds the banned phrase {ban.phrase!r}"
        elif constraints.max_words is not None and words > constraints.max_words:
            yield f"{literal.phrase!r} has {words} words, max_words={constraints.max_words}"


def _holds(literal: WatchedLiteral, ban: WatchedLiteral) -> bool:
    """Say whether every text that has the literal has the ban."""
    if ban.is_exact and not literal.is_exact:
        return False  # another spelling of it may pass
    symbols = literal.symbols
    if literal.is_exact and not ban.is_exact:
        symbols = symbols.casefold()
    return ban.symbols in symbols


def _check_anchors(
    one: AnyClause,
    mine: Sequence[WatchedLiteral],
    other: AnyClause,
    theirs: Sequence[WatchedLiteral],
) -> None:
    """Refuse two beginnings, or two ends, of which neither goes on like the other."""
    for kind, name in ((StartsWith, "begins"), (EndsWith, "ends")):
        if isinstance(one, kind) and isinstance(other, kind):
            ours, others = ([_fold(literal) for literal in side] for side in (mine, theirs))
            if not any(_goes_on(a, b, at_end=kind is EndsWith) for a in ours for b in others):
                raise ClauseError(
                    f"no text {name} as both {one!r} and {other!r} ask; drop one of them"
                )


def _fold(literal: WatchedLiteral) -> str:
    bare = literal.symbols.removeprefix(START).removesuffix(END).rstrip(" ")
    return bare.casefold()


def _goes_on(one: str, other: str, *, at_end: bool) -> bool:
    # Without edges too: one side may ask for whole words and the other not.
    pairs = ((one, other), (_bare(one), _bare(other)))
    if at_end:
        return any(a.endswith(b) or b.endswith(a) for a, b in pairs)
    return any(a.startswith(b) or b.startswith(a) for a, b in pairs)


def _bare(symbols: str) -> str:
    return symbols.replace(EDGE, "")


def _check_counts(
    wanted: Sequence[Wanted],
    *,
    limits: Sequence[tuple[int, int, int | None]],
    constraints: ConstraintSet,
) -> None:
    """Refuse a limit below what clauses need whose phrases it counts, each its own."""
    for place, (index, _, high) in enumerate(limits):
        if not high:
            continue
        taken: set[int] = set()
        needed = 0
        for clause, phrases in wanted:
            ids = {id(literal) for literal in phrases}
            is_counted = all(
                any(effect == "count" and at == place for effect, _, at in literal.effects)
                for literal in phrases
            )
            if is_counted and not taken & ids and clause is not constraints.clauses[index]:
                taken |= ids
                needed += clause.min if isinstance(clause, Count) else 1
        if needed > high:
            raise ClauseError(
                f"no text can meet {constraints.clauses[index]!r}: other clauses need {needed} "
                f"of its phrases, it allows {high}; drop one of the two sides"
            )
