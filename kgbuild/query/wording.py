"""Words that a user gives, matched with those of the graph, or the nearest ones named."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from kgbuild.core.errors import KgbuildError, RelationError, did_you_mean
from kgbuild.core.ids import canonical

_MAX_CHARACTERS = 1000
_SHORTLIST = 50
_LEAST_RATIO = 0.5


class PhraseError(KgbuildError):
    """A phrase is not in the graph, or cannot be one."""


def check_phrase(text: str, *, role: str) -> str:
    """Give the canonical form of a phrase that a user typed.

    Args:
        text: What was typed.
        role: What it is for the error message, such as "head".

    Raises:
        PhraseError: If it is empty, very long, or not Unicode text.
    """
    if not isinstance(text, str):
        raise PhraseError(f"The {role} must be text, not {type(text).__name__}; give a string")
    phrase = canonical(text)
    if not phrase:
        raise PhraseError(f"The {role} is empty; name one, such as 'PersonX bakes a cake'")
    if len(phrase) > _MAX_CHARACTERS:
        raise PhraseError(
            f"The {role} {phrase[:40]!r}... has {len(phrase):,} characters and no phrase of a "
            f"graph has more than {_MAX_CHARACTERS:,}; give a single phrase"
        )
    # Bytes of an argument that were no UTF-8 arrive as lone surrogates.
    if any("\ud800" <= character <= "\udfff" or character == "\x00" for character in phrase):
        raise PhraseError(f"The {role} {phrase[:40]!a} is not UTF-8 text; type it again")
    return phrase


def nearest_phrases(phrase: str, known: Iterable[str], *, count: int = 3) -> list[str]:
    """Give the known phrases that are written most like this one, the nearest first.

    Pairs of letters choose a short list in one pass, so a large graph is read once and only the
    short list is compared letter by letter.

    >>> nearest_phrases("PersonX bake cake", ["PersonX bakes a cake", "PersonX sleeps", "rain"])
    ['PersonX bakes a cake']
    """
    wanted = _bare(phrase)
    pairs = _pairs(wanted)
    shortlist = heapq.nlargest(
        _SHORTLIST, known, key=lambda text: (_overlap(pairs, _pairs(_bare(text))), text)
    )
    rated = [(SequenceMatcher(None, wanted, _bare(text)).ratio(), text) for text in shortlist]
    best = sorted(((-ratio, text) for ratio, text in rated if ratio >= _LEAST_RATIO))
    return [text for _, text in best[:count]]


def _bare(text: str) -> str:
    # PersonX stands in every event and would make all of them look alike.
    return f" {text.casefold().replace('personx', '').strip()} "


def _pairs(text: str) -> set[str]:
    return {text[place : place + 2] for place in range(len(text) - 1)}


def _overlap(left: set[str], right: set[str]) -> float:
    return len(left & right) / (len(left) + len(right))


def missing_phrase(phrase: str, *, role: str, near: Sequence[str], graph: str) -> PhraseError:
    """Say that the graph does not hold a phrase, and which ones are written like it."""
    hint = "; did you mean " + " or ".join(f"'{text}'" for text in near) + "?" if near else "."
    return PhraseError(
        f"'{phrase}' is not a {role} of the graph {graph}{hint} `kgbuild query search "
        f'"{phrase}"` finds phrases by their meaning.'
    )


def check_relation(name: str, known: Sequence[str]) -> None:
    """Refuse a relation that neither the packs nor the graph know.

    Raises:
        RelationError: If it is unknown.
    """
    if name not in known:
        raise RelationError(
            f"{name!r} is not a relation of this graph{did_you_mean(name, known) or '.'} "
            "`kgbuild relations` lists them all."
        )
