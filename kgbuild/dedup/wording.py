"""What a tail says once its wording is set aside, and why two tails must stay apart.

A sentence encoder puts "to open the door" nearer to "to close the door" (0.91) than "to be kind"
to "kind" (0.62). So tails are compared by their content words, and exchanged words, persons,
numbers and negations are looked at one by one (`benchmarks/dedup.md` has the figures).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from kgbuild.core.ids import canonical
from kgbuild.dedup import lexicon

_WORD = re.compile(r"person[xyz]\b|n't\b|\w+", re.IGNORECASE)
_HYPHEN = re.compile(r"(?<=[^\W\d])-(?=[^\W\d])")  # hard-working, hardworking
_PERSONS = ("personx", "persony", "personz")
_NEGATIVE_PREFIXES = ("un", "in", "im", "il", "ir", "dis", "non", "mis")


class Wording(NamedTuple):
    """The parts of a tail that decide whether another one says the same."""

    content: tuple[str, ...]
    persons: tuple[str, ...]
    numbers: tuple[str, ...]
    negations: int
    directions: tuple[str, ...]

    @property
    def core(self) -> str:
        """The content words as a text to embed."""
        return " ".join(self.content)


@lru_cache(maxsize=65536)
def read_wording(tail: str) -> Wording:
    """Take a tail apart.

    >>> read_wording("to buy some flour").core == read_wording("buys the flour").core
    True
    >>> read_wording("PersonX gives 2 apples to PersonY").persons
    ('persony',)
    """
    text = canonical(tail).casefold().replace("\u2019", "'").replace("n't", " n't")
    words = _WORD.findall(_HYPHEN.sub("", text))
    words = [lexicon.SAME_DIRECTIONS.get(word, word) for word in words]
    if len(words) > 1 and words[0] == "personx":
        del words[0]  # The event's own subject: "PersonX gets wet" says "gets wet".
    content = tuple(
        _base(word)
        for place, word in enumerate(words)
        if not _is_filler(word, words[place + 1] if place + 1 < len(words) else "")
    )
    return Wording(
        content=content or tuple(words),
        persons=tuple(word for word in words if word in _PERSONS),
        numbers=tuple(sorted(w for w in words if w in lexicon.NUMBERS or w[0].isdigit())),
        negations=sum(word in lexicon.NEGATIONS or word == "n't" for word in words),
        directions=tuple(sorted(word for word in words if word in lexicon.DIRECTIONS)),
    )


def exchanged(one: Wording, other: Wording) -> tuple[str, str]:
    """Give the content words that only the one and only the other has.

    >>> exchanged(read_wording("to go to the store"), read_wording("to go to the park"))
    ('store', 'park')
    """
    return (
        " ".join(word for word in one.content if word not in other.content),
        " ".join(word for word in other.content if word not in one.content),
    )


def find_conflict(one: Wording, other: Wording) -> str:
    """Name what keeps two tails apart however near their embeddings are, or give "".

    >>> find_conflict(read_wording("to thank PersonX"), read_wording("to thank PersonY"))
    'persons'
    >>> find_conflict(read_wording("to buy a car"), read_wording("to sell a car"))
    'opposites'
    """
    for part in ("persons", "numbers", "negations", "directions"):
        if getattr(one, part) != getattr(other, part):
            return part
    only_one, only_other = (part.split() for part in exchanged(one, other))
    for left in only_one:
        for right in only_other:
            if lexicon.EXCLUSIVE.get(left, frozenset()) & lexicon.EXCLUSIVE.get(right, frozenset()):
                return "opposites"
            if left in lexicon.LOOSE_DIRECTIONS and right in lexicon.LOOSE_DIRECTIONS:
                return "directions"
            if _is_negated(left, right) or _is_negated(right, left):
                return "opposites"
            if _lemma(left) == _lemma(right):
                return "voice"  # "to love" and "to be loved"
    return ""


def _is_filler(word: str, following: str) -> bool:
    if word in lexicon.LIGHT:
        is_object = following in lexicon.DETERMINERS or following in _PERSONS
        return bool(following) and not is_object
    return word in lexicon.FILLERS


def _base(word: str) -> str:
    # Past forms stay: "loved" after a dropped "be" is not "love".
    base = _lemma(word) if word.endswith(("s", "ing")) else word
    return lexicon.SYNONYMS.get(base, base)


@lru_cache(maxsize=65536)
def _lemma(word: str) -> str:
    from lemminflect import getLemma

    for kind in ("VERB", "NOUN"):
        for lemma in getLemma(word, kind, lemmatize_oov=False):
            if lemma != word:
                return str(lemma)
    return word


def _is_negated(word: str, plain: str) -> bool:
    if any(word == prefix + plain for prefix in _NEGATIVE_PREFIXES):
        return True
    return word.endswith("less") and plain in (word[:-4], word[:-4] + "ful")
