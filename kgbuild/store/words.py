"""Words of phrases, for finding phrases by them; the same cut for every store."""

from __future__ import annotations

import re

from kgbuild.core.errors import StoreError

MOST_WORDS = 64
# As Unicode's word rule has it: an apostrophe or dot between letters belongs to the word, and a
# picture is a word.
_WORD = re.compile(r"\w+(?:['’.:·]\w+)*|[\u2600-\u27bf\U0001f000-\U0001faff]")


def split_words(text: str) -> list[str]:
    """Give the words of a text in lower case.

    >>> split_words("It's PersonX's 2.5 bake-offs!")
    ["it's", "personx's", '2.5', 'bake', 'offs']
    """
    return _WORD.findall(text.lower())


def wanted_words(text: str) -> list[str]:
    """Give the words to look for, each once.

    Raises:
        StoreError: If there are none, or too many.
    """
    words = list(dict.fromkeys(split_words(text)))
    if not words or len(words) > MOST_WORDS:
        raise StoreError(
            f"{text[:80]!r} has {len(words)} words to look for; give 1 to {MOST_WORDS} words"
        )
    return words
