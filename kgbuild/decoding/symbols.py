"""Text as the automaton reads it: folded characters with a mark at every word edge.

The mark stands wherever a word character and another character meet, and at both ends of the
text. A phrase that wants whole words then simply begins and ends with the mark, and a phrase
whose last mark has not been read yet is pending: "car" may still become "carpool".
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

EDGE = "\ufdd0"  # Unicode noncharacters never occur in text
START = "\ufdd1"
SEPARATOR = "\ufdd2"
END = "\ufdd3"
# What no text is allowed to hold: the marks above, broken UTF-8, halves of a character.
UNREADABLE = re.compile("[\ufdd0-\ufdd3\ufffd\ud800-\udfff]")

# What the last character was. BLANK is white space before any text; a combining mark or variation
# selector (MARK) is of the kind of the character that it is put on.
EMPTY, BLANK, SPACE, WORD, OTHER, MARK = range(6)
GAPS = (EMPTY, BLANK, SPACE)

# Scripts written without spaces: every character may begin or end a word.
_UNSPACED: tuple[tuple[int, int], ...] = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x3040, 0x30FF),
)
_UNSPACED += ((0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))
# Marks and modifier letters can come out of folding another character.
_PARTS_OF_FOLDED = ("Mn", "Mc", "Me", "Lm")


@lru_cache(maxsize=65536)
def classify(character: str) -> int:
    """Say whether a character is white space, part of a word, put on another, or neither."""
    if character.isspace():
        return SPACE
    # Of the folded one: a Greek mark folds to a letter.
    group = unicodedata.category(character.casefold()[0])[0]
    if character == "_" or group in "LNM":
        point = ord(character)
        if any(low <= point <= high for low, high in _UNSPACED):
            return OTHER
        return MARK if group == "M" else WORD
    return OTHER


def is_readable(text: str) -> bool:
    """Whether text holds none of the marks used here and no broken character."""
    return UNREADABLE.search(text) is None


def is_caseless(text: str) -> bool:
    """Whether no other text is the same but for case, as with digits and Chinese characters."""
    return all(
        character == character.lower() == character.upper() == character.casefold()
        and unicodedata.category(character) not in _PARTS_OF_FOLDED
        for character in text
    )


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
        if kind == MARK:
            kind = OTHER if last == OTHER else WORD
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
