"""Text as the automaton reads it: folded characters with a mark at every word edge.

The mark stands wherever a word character and another character meet, and at both ends of the
text. A phrase that wants whole words then simply begins and ends with the mark, and a phrase
whose last mark has not been read yet is pending: "car" may still become "carpool".
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

EDGE = "\ufdd0"  # Unicode noncharacters never occur in text
START = "\ufdd1"
SEPARATOR = "\ufdd2"
END = "\ufdd3"

# What the last character was. BLANK is white space before any text.
EMPTY, BLANK, SPACE, WORD, OTHER = range(5)
GAPS = (EMPTY, BLANK, SPACE)

# Scripts written without spaces: every character may begin or end a word.
_UNSPACED: tuple[tuple[int, int], ...] = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x3040, 0x30FF),
)
_UNSPACED += ((0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))


@lru_cache(maxsize=65536)
def classify(character: str) -> int:
    """Say whether a character is white space, part of a word, or neither."""
    if character.isspace():
        return SPACE
    if character == "_" or unicodedata.category(character)[0] in "LNM":
        point = ord(character)
        return OTHER if any(low <= point <= high for low, high in _UNSPACED) else WORD
    return OTHER


def read_symbols(text: str, *, last: int = EMPTY, is_folded: bool = True) -> tuple[str, int, int]:
    """Fold text and mark word edges, going on after a character of class `last`.

    Args:
        is_folded: Whether case is lost; without it, characters stay as they are written.

    Returns:
        The symbols, the class of the last character, and how many words began.

    >>> read_symbols(" Two  cars!")[0].replace(EDGE, "|")
    '|two| |cars|!'
    """
    out: list[str] = []
    words = 0
    for character in text.casefold() if is_folded else text:
        kind = classify(character)
        if kind == SPACE:
            if last in GAPS:
                last = SPACE if last == SPACE else BLANK
                continue
            character = " "
        elif last in GAPS:
            words += 1
        if (kind == WORD) != (last == WORD):
            out.append(EDGE)
        out.append(character)
        last = kind
    return "".join(out), last, words


def read_phrase(phrase: str, *, is_bounded: bool, is_folded: bool = True) -> str:
    """Give a phrase's symbols; with word boundaries, edges included.

    >>> read_phrase("Ice  cream", is_bounded=True).replace(EDGE, "|")
    '|ice| |cream|'
    >>> read_phrase("cream", is_bounded=False)
    'cream'
    """
    symbols, last, _ = read_symbols(phrase.strip(), is_folded=is_folded)
    if is_bounded:
        return symbols + EDGE if last == WORD else symbols
    return symbols.removeprefix(EDGE)


def split_symbols(phrase: str, symbols: str, *, is_folded: bool = True) -> list[int]:
    """Give for every offset into the symbols how many characters of the phrase it has read."""
    places: list[int] = []
    position, owed = 0, 0
    for symbol in symbols:
        places.append(position)
        if symbol in (EDGE, START, END) or position == len(phrase):
            continue
        owed = owed or (len(phrase[position].casefold()) if is_folded else 1)
        owed -= 1
        position += owed == 0
    return [*places, position]
