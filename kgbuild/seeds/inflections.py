"""Verb forms and noun lemmas, by lemminflect."""

from __future__ import annotations

from typing import Any

_FIXED = {"be": "is", "have": "has", "do": "does", "go": "goes"}
# The past of another verb, or a form whose most frequent reading is not the verb meant here.
_LEMMAS = {"fell": "fall", "found": "find", "left": "leave", "lay": "lie", "saw": "see"}
_LEMMAS |= {"felt": "feel", "ground": "grind", "bore": "bear", "wound": "wind", "shot": "shoot"}


def verb_lemma(token: Any) -> str:
    """Give the base form of a spaCy verb token.

    spaCy proposes, lemminflect proposes more, and the first one whose form is the word wins.
    """
    word = str(token.lower_)
    if token.tag_ in ("VBD", "VBN") and word in _LEMMAS:
        return _LEMMAS[word]
    if token.tag_ == "VB":
        return word
    from lemminflect import getInflection, getLemma

    # "hates" is offered as a form of hat and of hate; only hate gives it back.
    lemma = str(token.lemma_).lower()
    lemmas = [lemma, *(str(found) for found in getLemma(word, "VERB"))]
    exact = [found for found in lemmas if word in getInflection(found, token.tag_)]
    changed = [found for found in lemmas if found != word]
    return [*exact, *changed, lemma][0]


def present_form(lemma: str) -> str:
    """Give the third person singular present of a verb's base form.

    >>> present_form("have")
    'has'
    """
    if lemma in _FIXED:
        return _FIXED[lemma]
    from lemminflect import getInflection

    forms = getInflection(lemma, "VBZ")
    return str(forms[0]) if forms else f"{lemma}s"


def noun_lemma(token: Any) -> str:
    """Give the singular of a spaCy noun token, in lower case."""
    word = str(token.lower_)
    if word == "leaves":
        return "leaf"
    if token.tag_ not in ("NNS", "NNPS"):
        return word
    from lemminflect import getLemma

    lemmas = getLemma(word, "NOUN")
    return str(lemmas[0]) if lemmas else str(token.lemma_).lower()
