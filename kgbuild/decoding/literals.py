"""Clauses taken apart: which pattern to watch, and what it means when it is seen."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple, TypeAlias

from kgbuild.core.errors import ClauseError
from kgbuild.decoding.clauses import (
    AnyClause,
    AnyOf,
    Clause,
    ConstraintSet,
    Count,
    EndsWith,
    Not,
    StartsWith,
)
from kgbuild.decoding.inflection import inflect_phrase
from kgbuild.decoding.symbols import (
    EDGE,
    END,
    START,
    is_caseless,
    read_phrase,
    split_symbols,
)

# meet: its clause holds for good. ban: the hypothesis is dead. negate: a negative of its clause
# was written (place = bit). count: one more occurrence (place = counter).
Effect: TypeAlias = Literal["meet", "ban", "negate", "count"]


@dataclass
class WatchedLiteral:
    """One pattern of a constraint set; clauses that share a phrase share it.

    Attributes:
        symbols: What the automaton matches.
        phrase: The phrase as written, from which tokens are proposed.
        places: For every offset into the symbols, the characters of the phrase before it.
        is_exact: Whether case matters.
        effects: (effect, clause, place) for every clause that holds the phrase.
    """

    symbols: str
    phrase: str
    places: list[int]
    is_exact: bool = False
    effects: list[tuple[Effect, int, int]] = field(default_factory=list)

    @cached_property
    def folded(self) -> str:
        """The symbols without case."""
        return self.symbols.casefold() if self.is_exact else self.symbols

    @property
    def is_anchored(self) -> bool:
        """Whether it only counts at the start of the text."""
        return self.symbols.startswith(START)


class Wanted(NamedTuple):
    """A clause that no text meets without one of some literals.

    Attributes:
        clause: Its place in the constraint set.
        literals: Places in the table.
        times: How often one of them has to occur.
    """

    clause: int
    literals: tuple[int, ...]
    times: int = 1


@dataclass
class LiteralTable:
    """Every literal of a constraint set.

    Attributes:
        negatives: For every clause, the bits of its negative literals.
        limits: (clause, min, max) for every counter.
        wanted: The clauses that need phrases.
    """

    literals: list[WatchedLiteral]
    negatives: dict[int, list[int]]
    limits: list[tuple[int, int, int | None]]
    wanted: list[Wanted]


def build_table(constraints: ConstraintSet) -> LiteralTable:
    """Take clauses apart into patterns and effects.

    Raises:
        ClauseError: If something is no clause.
    """
    table = LiteralTable([], {}, [], [])
    known: dict[tuple[str, bool], int] = {}
    bit = len(constraints.clauses)

    def watch(
        phrases: tuple[str, ...], effect: Effect, index: int, *, place: int = 0
    ) -> tuple[int, ...]:
        watched: dict[int, None] = {}
        for phrase, symbols, is_exact in _spell(constraints.clauses[index], phrases):
            number = known.setdefault((symbols, is_exact), len(table.literals))
            if number == len(table.literals):
                places = split_symbols(phrase, symbols, is_folded=not is_exact)
                table.literals.append(WatchedLiteral(symbols, phrase, places, is_exact))
            if number not in watched:
                table.literals[number].effects.append((effect, index, place))
                watched[number] = None
        return tuple(watched)

    for index, clause in enumerate(constraints.clauses):
        if isinstance(clause, AnyOf | StartsWith | EndsWith):
            table.wanted.append(Wanted(index, watch(clause.phrases, "meet", index)))
        elif isinstance(clause, Not):
            watch((clause.phrase,), "ban", index)
        elif isinstance(clause, Count):
            place = len(table.limits)
            table.limits.append((index, clause.min, clause.max))
            counted = watch(clause.phrases, "count", index, place=place)
            if clause.min:
                table.wanted.append(Wanted(index, counted, clause.min))
        elif isinstance(clause, Clause):
            positives = watch(clause.positive, "meet", index)
            if not clause.negative:
                table.wanted.append(Wanted(index, positives))
            elif len(clause.negative) == 1 and not clause.positive:
                watch(clause.negative, "ban", index)
            else:
                table.negatives[index] = []
                for phrase in clause.negative:
                    watch((phrase,), "negate", index, place=bit)
                    table.negatives[index].append(bit)
                    bit += 1
        else:
            raise ClauseError(
                f"{clause!r} is no clause; use AnyOf, Not, Count, Clause, StartsWith, EndsWith"
            )
    return table


def _spell(clause: AnyClause, phrases: tuple[str, ...]) -> Iterator[tuple[str, str, bool]]:
    """Give (phrase, symbols, whether case matters) for every form of some phrases."""
    is_bounded = clause.boundary == "word"
    for phrase in phrases:
        for form in inflect_phrase(phrase) if clause.inflect else (phrase,):
            form = " ".join(form.split())
            is_exact = clause.case == "match" and not is_caseless(form)
            for spelled in _list_writings(form):
                # The edges of the text are word edges, whatever is asked at the other side.
                whole = read_phrase(spelled, is_bounded=True, is_folded=not is_exact)
                if isinstance(clause, StartsWith):
                    bare = whole if is_bounded else whole.removesuffix(EDGE)
                    yield spelled, START + bare, is_exact
                elif isinstance(clause, EndsWith):
                    bare = whole if is_bounded else whole.removeprefix(EDGE)
                    yield spelled, bare + END, is_exact
                    yield spelled, f"{bare} {END}", is_exact
                else:
                    symbols = read_phrase(spelled, is_bounded=is_bounded, is_folded=not is_exact)
                    yield spelled, symbols, is_exact


def _list_writings(form: str) -> tuple[str, ...]:
    """Give the ways to write a phrase: an accent is part of its letter or stands behind it."""
    if form.isascii():
        return (form,)
    kinds: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
    return tuple(dict.fromkeys((form, *(unicodedata.normalize(kind, form) for kind in kinds))))
