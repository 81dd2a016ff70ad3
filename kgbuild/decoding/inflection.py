"""Inflected forms of a phrase, for clauses that ask for them."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=4096)
def inflect_phrase(phrase: str) -> tuple[str, ...]:
    """Give the phrase and its inflected forms, the phrase first.

    One word is inflected as every part of speech it can be. Of several words the first is
    inflected as a verb and the last as a noun, which covers "bake a cake" and "ice cream".

    >>> inflect_phrase("bake")
    ('bake', 'baked', 'bakes', 'baking')
    """
    words = phrase.split()
    forms: set[str] = set()
    if len(words) == 1:
        forms = _inflect(words[0], parts=("VERB", "NOUN", "ADJ"))
    else:
        forms = {" ".join([form, *words[1:]]) for form in _inflect(words[0], parts=("VERB",))}
        forms |= {" ".join([*words[:-1], form]) for form in _inflect(words[-1], parts=("NOUN",))}
    return (phrase, *sorted(forms - {phrase}))


def _inflect(word: str, *, parts: tuple[str, ...]) -> set[str]:
    # Imported here: its tables take a moment and most clauses list their forms themselves.
    from lemminflect import getAllInflections, getAllLemmas

    forms: set[str] = set()
    for part in parts:
        for lemma in getAllLemmas(word, upos=part).get(part, ()):
            for spelled in getAllInflections(lemma, upos=part).values():
                forms.update(spelled)
    return forms
