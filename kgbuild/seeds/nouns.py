"""Concepts of a parsed sentence: common nouns and noun compounds in the singular."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kgbuild.seeds.inflections import noun_lemma
from kgbuild.seeds.words import Lexicon

Token = Any


@dataclass(frozen=True)
class Noun:
    """What became of one noun: a concept's text, or the reason why there is none."""

    source: str
    concept: str = ""
    reason: str = ""


def read_nouns(sentence: Any, lexicon: Lexicon) -> Iterator[Noun]:
    """Give every common noun of a sentence in order, as a concept or with a reason."""
    for token in sentence:
        if token.pos_ != "NOUN" or _is_part(token):
            continue
        parts = [child for child in token.lefts if _is_part(child)]
        lemma = token.lower_ if token.lower_ in lexicon.plural_nouns else noun_lemma(token)
        words = [*(part.lower_ for part in parts), lemma]
        source = " ".join([*(part.text for part in parts), token.text])
        if not all(word.replace("-", "").isalpha() and len(word) > 1 for word in words):
            yield Noun(source=source, reason="not_a_word")
        elif token.text in lexicon.names or token.ent_type_ == "PERSON":
            yield Noun(source=source, reason="person_noun")
        elif (
            token.ent_type_ in ("DATE", "TIME")
            or lemma in lexicon.time_nouns
            or (not parts and lemma in lexicon.stop_nouns)
        ):
            yield Noun(source=source, reason="stop_noun")
        elif lemma in lexicon.persons - lexicon.role:
            yield Noun(source=source, reason="person_noun")
        else:
            yield Noun(source=source, concept=" ".join(words))


def _is_part(token: Token) -> bool:
    """Whether a noun is the first part of a compound, as in `kitchen knife`."""
    is_noun = token.dep_ == "compound" and token.pos_ == "NOUN"
    return bool(is_noun and token.head.pos_ == "NOUN" and token.head.i > token.i)
