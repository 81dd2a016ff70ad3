"""Whether a head is an event or a concept."""

from __future__ import annotations

import re
from pathlib import Path

from kgbuild.core.errors import SeedError, did_you_mean
from kgbuild.core.records import HeadKind
from kgbuild.seeds.words import load_lexicon

_PERSON = re.compile(r"\bPerson[XYZ]\b")
_WORDS = {
    "event": HeadKind.EVENT,
    "events": HeadKind.EVENT,
    "concept": HeadKind.CONCEPT,
    "concepts": HeadKind.CONCEPT,
}


def parse_kind(word: str, *, source: str) -> HeadKind:
    """Read the kind that a seed file states.

    Raises:
        SeedError: If the word names no kind.

    >>> parse_kind("Event", source="seeds.tsv:2")
    <HeadKind.EVENT: 'event'>
    """
    kind = _WORDS.get(word.casefold())
    if kind is None:
        raise SeedError(
            f"{source}: kind {word[:40]!r} is not known{did_you_mean(word, _WORDS)} "
            "Write 'event' or 'concept', or leave the cell empty to have it guessed."
        )
    return kind


def kind_of_file(path: Path) -> HeadKind | None:
    """Give the kind that a file's name states, as in `events.en.tsv`.

    >>> kind_of_file(Path("data/seeds/concepts.en.tsv"))
    <HeadKind.CONCEPT: 'concept'>
    """
    words = re.findall(r"[a-z]+", path.name.casefold())
    named = {_WORDS[word] for word in words if word in _WORDS}
    return named.pop() if len(named) == 1 else None


def guess_kind(text: str) -> HeadKind:
    """Guess a head's kind from its words alone.

    It is an event if it names PersonX, begins with a subject, or begins with a verb that the
    next word gives away. Anything else is a concept.

    >>> guess_kind("PersonX bakes a cake"), guess_kind("bake a cake"), guess_kind("cake pan")
    (<HeadKind.EVENT: 'event'>, <HeadKind.EVENT: 'event'>, <HeadKind.CONCEPT: 'concept'>)
    """
    if _PERSON.search(text):
        return HeadKind.EVENT
    first, second, *_ = [*text.casefold().split(), "", ""]
    lexicon = load_lexicon()
    is_event = second != "" and (
        first in lexicon.subjects
        or (first == "to" and second not in lexicon.after_verb)
        or (second in lexicon.after_verb and first not in lexicon.particles | lexicon.after_verb)
        or (second in lexicon.particles and first in _forms(lexicon.verbs))
    )
    return HeadKind.EVENT if is_event else HeadKind.CONCEPT


def _forms(verbs: frozenset[str]) -> frozenset[str]:
    return frozenset(f"{verb}{ending}" for verb in verbs for ending in ("", "s", "es"))
