"""The English word lists of the room, read from `words.en.toml`."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path

Words = frozenset[str]


@dataclass(frozen=True)
class Lexicon:
    """Closed lists of words; names and titles keep their case, the rest is lower case.

    `genders` gives male or female for the names, titles and person nouns that have one.
    """

    names: Words
    titles: Words
    generic: Words
    kin: Words
    role: Words
    plural_only: Words
    nobody: Words
    genders: dict[str, str]
    modal_like: Words
    modal_adjectives: Words
    judging: Words
    giving: Words
    intransitive: Words
    sharing: Words
    reporting: Words
    copular: Words
    kept_adverbs: Words
    kept_prepositions: Words
    stop_nouns: Words
    plural_nouns: Words
    time_nouns: Words
    adverbial_objects: Words
    subjects: Words
    after_verb: Words
    particles: Words
    verbs: Words

    @property
    def persons(self) -> Words:
        """Every noun that means somebody."""
        return self.generic | self.kin | self.role | self.plural_only | self.nobody


@functools.cache
def load_lexicon() -> Lexicon:
    """Read the lists once."""
    text = Path(__file__).with_name("words.en.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    people = {name: _words(tables["people"][name]) for name in tables["people"]}
    groups: dict[str, Words] = {}
    genders: dict[str, str] = {}
    for name, words in people.items():
        group, _, gender = name.partition("_of_")
        groups[group] = groups.get(group, frozenset()) | words
        if gender:
            genders |= dict.fromkeys(words, gender)
    others = {
        name: _words(text)
        for part in ("verbs", "words", "guess")
        for name, text in tables[part].items()
    }
    return Lexicon(genders=genders, **groups, **others)


def _words(text: str) -> Words:
    return frozenset(text.split())
