"""Clauses taken apart: which pattern to watch, and what it means when it is seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from kgbuild.core.errors import ClauseError
from kgbuild.decoding.clauses import (
    AnyClause,
    AnyOf,
    Boundary,
    Clause,
    ConstraintSet,
    Count,
    Not,
    StartsWith,
)
from kgbuild.decoding.inflection import inflect_phrase
from kgbuild.decoding.symbols import START, read_phrase, split_symbols
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
        effects: (effect, clause, place) for every clause that holds the phrase.
    """

    symbols: str
    phrase: str
    places: list[int]
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
    known: dict[str, WatchedLiteral] = {}
    bit = len(constraints.clauses)

    def watch(
        phrases: tuple[str, ...], boundary: Boundary, effect: Effect, clause: int, *, place: int = 0
    ) -> list[WatchedLiteral]:
        watched: list[WatchedLiteral] = []
        for phrase in phrases:
            phrase = " ".join(phrase.split())
            symbols = read_phrase(phrase, is_bounded=boundary == "word")
            if isinstance(constraints.clauses[clause], StartsWith):
                symbols = START + symbols
            literal = known.get(symbols)
            if literal is None:
                literal = WatchedLiteral(symbols, phrase, split_symbols(phrase, symbols))
                known[symbols] = literal
                table.literals.append(literal)
            if (effect, clause, place) not in literal.effects:
                literal.effects.append((effect, clause, place))
                watched.append(literal)
        return watched

    wanted: list[tuple[AnyClause, list[WatchedLiteral]]] = []
    for index, clause in enumerate(constraints.clauses):
        if isinstance(clause, AnyOf):
            phrases = clause.phrases
            if clause.inflect:
                phrases = tuple(form for phrase in phrases for form in inflect_phrase(phrase))
            wanted.append((clause, watch(phrases, clause.boundary, "meet", index)))
        elif isinstance(clause, StartsWith):
            wanted.append((clause, watch(clause.phrases, clause.boundary, "meet", index)))
        elif isinstance(clause, Not):
            watch((clause.phrase,), clause.boundary, "ban", index)
        elif isinstance(clause, Count):
            place = len(table.limits)
            table.limits.append((index, clause.min, clause.max))
            counted = watch(clause.phrases, clause.boundary, "count", index, place=place)
            if clause.min:
                wanted.append((clause, counted))
        elif isinstance(clause, Clause):
            positives = watch(clause.positive, clause.boundary, "meet", index)
            if not clause.negative:
                wanted.append((clause, positives))
            elif len(clause.negative) == 1 and not clause.positive:
                watch(clause.negative, clause.boundary, "ban", index)
            else:
                table.negatives[index] = []
                for phrase in clause.negative:
                    watch((phrase,), clause.boundary, "negate", index, place=bit)
                    table.negatives[index].append(bit)
                    bit += 1
        else:
            raise ClauseError(f"{clause!r} is no clause; use AnyOf, Not, Count, Clause, StartsWith")
    for clause, literals in wanted:
        _check_possible(clause, literals, table=table, constraints=constraints)
        for literal in literals:
            vocabulary.check_spelling(literal.phrase)
    return table


def _check_possible(
    clause: AnyClause,
    literals: list[WatchedLiteral],
    *,
    table: LiteralTable,
    constraints: ConstraintSet,
) -> None:
    """Refuse a clause of which every phrase holds a ban or has too many words."""
    limits = table.limits
    bans = [
        ban
        for ban in table.literals
        for effect, _, place in ban.effects
        if effect == "ban" or (effect == "count" and limits[place][2] == 0)
    ]
    reasons: list[str] = []
    for literal in literals:
        ban = next((ban for ban in bans if ban.symbols in literal.symbols), None)
        words = len(literal.phrase.split())
        if ban is not None:
            reasons.append(f"{literal.phrase!r} holds the banned phrase {ban.phrase!r}")
        elif constraints.max_words is not None and words > constraints.max_words:
            reasons.append(
                f"{literal.phrase!r} has {words} words, max_words={constraints.max_words}"
            )
        else:
            return
    raise ClauseError(
        f"no text can meet {clause!r}: {'; '.join(reasons)}; drop one of the two sides"
    )
