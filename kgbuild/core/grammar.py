"""Articles and agreement for bare nouns, so that a concept reads as a sentence.

A seed is a bare noun ("knife", "scissors", "rice"). A sentence wants "a knife", "scissors" and
"rice", and a verb that agrees.
"""

from __future__ import annotations

import re
from functools import lru_cache

# Nouns that take no article, among what people name as things, stuffs and places.
_MASS = frozenset(
    """air aluminum bacon bamboo beef blood bread bronze butter cardboard cash cement chalk
    charcoal cheese chocolate clay clothing clover coal coffee concrete copper corn cotton denim
    dirt dust electricity equipment evidence fabric fire flour fog foil food fuel fur furniture
    garlic gasoline glass glue gold granite grass gravel hair health heat homework honey ice
    information iron ivy jewelry juice knowledge lace lavender lead leather light lightning
    linen luggage lumber
    magic mail marble meat medicine metal milk money moss mud music nature news nylon oil paint
    paper pasta pepper plastic polyester popcorn rain rice rubber rust salt sand seaweed silk silver
    skin sky smoke snow soap soil soup spinach stationery steel straw sugar sunlight sunshine
    tea thunder tin toothpaste traffic velvet vinegar water wax weather wheat wine wood
    wool yarn yogurt""".split()
)
# Ends in s and is one thing, or looks singular and is many.
_SINGULAR = frozenset("bus gas glass compass bass lens iris cactus octopus hippopotamus".split())
_PLURAL = frozenset(
    """binoculars bellows clothes glasses goggles headphones jeans leggings pajamas pants people
    pliers scissors shorts sunglasses tights tongs trousers tweezers children men women police
    cattle mice teeth feet""".split()
)
# Stuff alone, a thing as the last word of a compound: "fire", "a forest fire".
_COUNTED_COMPOUNDS = frozenset("fire glass light".split())
# Ends in ing and is a thing, not an activity.
_COUNTED_ING = frozenset(
    """building ceiling clearing crossing drawing earring evening king landing meeting morning
    opening painting railing ring sibling sling spring string swing wedding wing""".split()
)
_UNIQUE = frozenset("sun moon sky ocean tide internet weather earth".split())
# A spelled vowel that is not spoken as one, and the other way round.
_CONSONANT = re.compile(r"(?:uni(?!n)|use|usu|ute|eu|one\b|once|ubiq)", re.IGNORECASE)
_VOWEL = re.compile(r"(?:[aeiou]|hour|hono|heir)", re.IGNORECASE)
_DETERMINERS = frozenset(
    "a an the some any no my your his her its our their this that these those every each".split()
)


@lru_cache(maxsize=65536)
def is_plural(noun: str) -> bool:
    """Say whether a bare noun phrase stands for many.

    >>> [is_plural(noun) for noun in ("scissors", "knife", "bus", "glass")]
    [True, False, False, False]
    """
    last = noun.split()[-1].casefold() if noun.split() else ""
    if last in _PLURAL:
        return True
    if last in _SINGULAR or last in _MASS or last.endswith(("ss", "us", "is")):
        return False
    return len(last) > 3 and last.endswith("s")


@lru_cache(maxsize=65536)
def with_article(noun: str) -> str:
    """Give a bare noun phrase its indefinite article, if it takes one.

    >>> [with_article(noun) for noun in ("knife", "apple tree", "rice", "scissors", "the sea")]
    ['a knife', 'an apple tree', 'rice', 'scissors', 'the sea']
    >>> [with_article(noun) for noun in ("wedding ring", "washing clothes", "horse riding")]
    ['a wedding ring', 'washing clothes', 'horse riding']
    >>> [with_article(noun) for noun in ("glass", "wine glass", "olive oil")]
    ['glass', 'a wine glass', 'olive oil']
    """
    words = noun.split()
    if not words or words[0].casefold() in _DETERMINERS or is_plural(noun):
        return noun
    last = words[-1].casefold()
    if last in _UNIQUE and len(words) == 1:
        return f"the {noun}"
    is_activity = last.endswith("ing") and last not in _COUNTED_ING
    if _is_mass(words) or (is_activity and len(words) > 1 and words[0][0].islower()):
        return noun
    return f"{_article(words[0])} {noun}"


def _is_mass(words: list[str]) -> bool:
    last = words[-1].casefold()
    return last in _MASS and not (last in _COUNTED_COMPOUNDS and len(words) > 1)


def _article(word: str) -> str:
    return "an" if _VOWEL.match(word) and not _CONSONANT.match(word) else "a"


def without_article(phrase: str) -> str:
    """Give a noun phrase without its leading article.

    >>> without_article("a kind of bird")
    'kind of bird'
    """
    first, _, rest = phrase.partition(" ")
    return rest if first.casefold() in ("a", "an", "the") and rest else phrase


def pluralise(noun: str) -> str:
    """Give the plural of a bare noun phrase; mass and plural nouns stay.

    >>> [pluralise(noun) for noun in ("knife", "school bus", "rice", "wine glass")]
    ['knives', 'school buses', 'rice', 'wine glasses']
    """
    if is_plural(noun) or not noun.split() or _is_mass(noun.split()):
        return noun
    from lemminflect import getInflection

    *rest, last = noun.split()
    forms = getInflection(last, tag="NNS")
    return " ".join([*rest, forms[0] if forms else f"{last}s"])


def capitalise(text: str) -> str:
    """Give a sentence its capital, leaving every other letter alone."""
    return text[:1].upper() + text[1:]
