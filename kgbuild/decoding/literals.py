"""Clauses taken apart: which pattern to watch, and what it means when it is seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

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
from kgbuild.decoding.contradictions import check_possible
from kgbuild.decoding.inflection import inflect_phrase
from kgbuild.decoding.symbols import EDGE, END, START, read_phrase, split_symbols
from kgbuild.decoding.vocabulary import Vocabulary

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

    @property
    def is_anchored(self) -> bool:
        """Whether it only counts at the start of the text."""
        return self.symbols.startswith(START)


@dataclass
class LiteralTable:
    """Every literal of a constraint set.

    Attributes:
        negatives: For every clause, the bits of its negative literals.
        limits: (clause, min, max) for every counter.
    """

    literals: list[WatchedLiteral]
    negatives: dict[int, list[int]]
    limits: list[tuple[int, int, int | None]]


def build_table(constraints: ConstraintSet, *, vocabulary: Vocabulary) -> LiteralTable:
    """Take clauses apart into patterns and effects, and refuse contradictions.

    Raises:
        ClauseError: If no text can meet a clause; both sides are named.
    """
    table = LiteralTable([], {}, [])
    known: dict[tuple[str, bool], WatchedLiteral] = {}
    bit = len(constraints.clauses)

    def watch(
        phrases: tuple[str, ...], effect: Effect, index: int, *, place: int = 0
    ) -> list[WatchedLiteral]:
        watched: list[WatchedLiteral] = []
        for phrase, symbols, is_exact in _spell(constraints.clauses[index], phrases):
            literal = known.get((symbols, is_exact))
            if literal is None:
                places = split_symbols(phrase, symbols, is_folded=not is_exact)
                literal = WatchedLiteral(symbols, phrase, places, is_exact)
                known[symbols, is_exact] = literal
                table.literals.append(literal)
            if (effect, index, place) not in literal.effects:
                literal.effects.append((effect, index, place))
                watched.append(literal)
        return watched

    wanted: list[tuple[AnyClause, list[WatchedLiteral]]] = []
    for index, clause in enumerate(constraints.clauses):
        if isinstance(clause, AnyOf | StartsWith | EndsWith):
            wanted.append((clause, watch(clause.phrases, "meet", index)))
        elif isinstance(clause, Not):
            watch((clause.phrase,), "ban", index)
        elif isinstance(clause, Count):
            place = len(table.limits)
            table.limits.append((index, clause.min, clause.max))
            counted = watch(clause.phrases, "count", index, place=place)
            if clause.min:
                wanted.append((clause, counted))
        elif isinstance(clause, Clause):
            positives = watch(clause.positive, "meet", index)
            if not clause.negative:
                wanted.append((clause, positives))
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
    check_possible(wanted, table.literals, limits=table.limits, constraints=constraints)
    for _, literals in wanted:
        for literal in literals:
            vocabulary.check_spelling(literal.phrase, is_exact=literal.is_exact)
    return table


def _spell(clause: AnyClause, phrases: tuple[str, ...]) -> Iterator[tuple[str, str, bool]]:
    """Give (phrase, symbols, whether case matters) for every form of some phrases."""
    is_exact = clause.case == "match"
    for phrase in phrases:
        for form in inflect_phrase(phrase) if clause.inflect else (phrase,):
            form = " ".join(form.split())
            is_bounded = clause.boundary == "word"
            # The edges of the text are word edges, whatever a phrase asks for at its other side.
            whole = read_phrase(form, is_bounded=True, is_folded=not is_exact)
            if isinstance(clause, StartsWith):
                yield form, START + (whole if is_bounded else whole.removesuffix(EDGE)), is_exact
            elif isinstance(clause, EndsWith):
                symbols = whole if is_bounded else whole.removeprefix(EDGE)
                yield form, symbols + END, is_exact
                yield form, f"{symbols} {END}", is_exact
            else:
                symbols = read_phrase(form, is_bounded=is_bounded, is_folded=not is_exact)
                yield form, symbols, is_exact
