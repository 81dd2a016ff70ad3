"""The language of constraints: what a completion must, may and must not say.

A constraint set is a CNF: every clause has to hold, and a clause holds when one of its literals
does. A literal is a phrase, wanted or banned. Phrases are compared with the decoded text, and runs
of white space count as one space; how the tokenizer cuts a word does not matter.

Every clause takes the same options:

- `boundary`: with `word`, the default, "car" is not met by "carpool"; with `none` it is.
- `case`: with `ignore`, the default, "Car" is met by "car"; with `match` it is not.
- `inflect`: also take inflected forms ("bake" -> "bakes", "baked", "baking").

An accent counts the same whether it is part of its letter or stands behind it (NFC and NFD).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from kgbuild.core.errors import ClauseError
from kgbuild.decoding.symbols import is_readable

Boundary: TypeAlias = Literal["word", "none"]
Case: TypeAlias = Literal["ignore", "match"]


def _as_phrases(phrases: object) -> tuple[str, ...]:
    if isinstance(phrases, str) or not isinstance(phrases, tuple | list):
        raise ClauseError(f"phrases={phrases!r} is not a tuple of phrases; write ({phrases!r},)")
    for phrase in phrases:
        if not isinstance(phrase, str) or not phrase.strip():
            raise ClauseError(f"phrase {phrase!r} of {tuple(phrases)!r} is empty; leave it out")
        if not is_readable(phrase):
            raise ClauseError(
                f"phrase {phrase!r} holds half a character or a noncharacter, which no text does; "
                "leave that out"
            )
    return tuple(phrases)


def _freeze_phrases(clause: AnyClause, *names: str) -> None:
    total = 0
    for name in names:
        phrases = _as_phrases(getattr(clause, name))
        object.__setattr__(clause, name, phrases)
        total += len(phrases)
    if not total:
        raise ClauseError(f"{clause!r} has no phrase, so no text can meet it; leave it out")
    _check_options(clause)


def _check_number(value: object, *, name: str, clause: object) -> None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise ClauseError(f"{name}={value!r} of {clause!r} is no whole number")


def _check_options(clause: AnyClause) -> None:
    for name, kinds in (("boundary", ("word", "none")), ("case", ("ignore", "match"))):
        value = getattr(clause, name)
        if value not in kinds:
            raise ClauseError(f"{name}={value!r} of {clause!r} is not one of {', '.join(kinds)}")


@dataclass(frozen=True)
class AnyOf:
    """Met once the text holds one of the phrases."""

    phrases: tuple[str, ...]
    inflect: bool = False
    boundary: Boundary = "word"
    case: Case = "ignore"

    def __post_init__(self) -> None:
        _freeze_phrases(self, "phrases")


@dataclass(frozen=True)
class Not:
    """The phrase is never written; a hypothesis that would write it is dropped in every mode."""

    phrase: str
    boundary: Boundary = "word"
    case: Case = "ignore"
    inflect: bool = False

    def __post_init__(self) -> None:
        _as_phrases((self.phrase,))
        _check_options(self)


@dataclass(frozen=True)
class Count:
    """The phrases together occur at least `min` and at most `max` times (None is no limit).

    Once the limit is reached the phrases are bans, as the function-word cap of I2D2 needs.
    """

    phrases: tuple[str, ...]
    min: int = 0
    max: int | None = None
    boundary: Boundary = "word"
    case: Case = "ignore"
    inflect: bool = False

    def __post_init__(self) -> None:
        _freeze_phrases(self, "phrases")
        _check_number(self.max, name="max", clause=self)
        if self.min is None:
            raise ClauseError(f"min=None of {self!r} is no whole number; 0 is no least")
        _check_number(self.min, name="min", clause=self)
        if self.min < 0 or (self.max is not None and self.max < self.min):
            raise ClauseError(f"{self!r} cannot be met: min must be at least 0 and at most max")


@dataclass(frozen=True)
class Clause:
    """Met when one positive phrase was written or one negative phrase was not.

    A clause with several negatives and no positive is lost only when all of them were written.
    """

    positive: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    boundary: Boundary = "word"
    case: Case = "ignore"
    inflect: bool = False

    def __post_init__(self) -> None:
        _freeze_phrases(self, "positive", "negative")


@dataclass(frozen=True)
class StartsWith:
    """The text begins with one of the phrases, such as "to" for an intention.

    No later word can mend a wrong beginning, so hypotheses that miss it are dropped in every mode.
    """

    phrases: tuple[str, ...]
    boundary: Boundary = "word"
    case: Case = "ignore"
    inflect: bool = False

    def __post_init__(self) -> None:
        _freeze_phrases(self, "phrases")


@dataclass(frozen=True)
class EndsWith:
    """The text ends with one of the phrases; white space after it does not count.

    It can be met, unmet again when the text goes on, and met anew.
    """

    phrases: tuple[str, ...]
    boundary: Boundary = "word"
    case: Case = "ignore"
    inflect: bool = False

    def __post_init__(self) -> None:
        _freeze_phrases(self, "phrases")


AnyClause: TypeAlias = AnyOf | Not | Count | Clause | StartsWith | EndsWith


@dataclass(frozen=True)
class ConstraintSet:
    """All clauses of one completion, and its length in white-space separated words.

    >>> ConstraintSet((AnyOf(("cake", "pie")), Not("oven")), max_words=6).max_words
    6
    """

    clauses: tuple[AnyClause, ...] = ()
    min_words: int | None = None
    max_words: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.clauses, tuple | list):
            raise ClauseError(f"clauses={self.clauses!r} is no tuple of clauses; write (clause,)")
        object.__setattr__(self, "clauses", tuple(self.clauses))
        _check_number(self.min_words, name="min_words", clause=self)
        _check_number(self.max_words, name="max_words", clause=self)
        low, high = self.min_words or 0, self.max_words
        if low < 0 or (high is not None and (high < 1 or high < low)):
            raise ClauseError(
                f"min_words={self.min_words} and max_words={self.max_words} leave no length; "
                "use 0 <= min_words <= max_words and max_words >= 1"
            )
