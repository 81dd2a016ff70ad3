"""Phrases of a parsed clause in the words of a head: persons become PersonX, PersonY, PersonZ."""

from __future__ import annotations

from typing import Any

from kgbuild.seeds.people import SentencePeople
from kgbuild.seeds.words import Lexicon

Token = Any

_LETTERS = "XYZ"
_MAX_PHRASE_WORDS = 6
_DEMONSTRATIVES = ("this", "that", "these", "those")
_INDEFINITE = ("something", "everything", "anything")


class UnusableError(Exception):
    """A clause makes no good head; the message is the rejection's reason."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class Phrases:
    """Renders the phrases of one event, giving out person letters in order of appearance.

    Args:
        lettered: Persons that must appear as a letter even where a noun names them, because a
            pronoun elsewhere in the event means them.
    """

    def __init__(
        self, people: SentencePeople, lexicon: Lexicon, *, lettered: frozenset[int]
    ) -> None:
        self.people = people
        self.lexicon = lexicon
        self._lettered = lettered
        self._letters: dict[int, str] = {}
        self._by_noun: set[int] = set()

    @property
    def torn(self) -> frozenset[int]:
        """Persons that came out once as a letter and once as a noun."""
        return frozenset(self._by_noun & self._letters.keys())

    def letter(self, key: int) -> str:
        """Give a person's letter word, such as PersonY."""
        if key not in self._letters:
            if len(self._letters) == len(_LETTERS):
                raise UnusableError("too_many_people", "a head has room for three")
            self._letters[key] = f"Person{_LETTERS[len(self._letters)]}"
        return self._letters[key]

    def noun_phrase(self, head: Token) -> list[str]:
        """Give the words of a noun phrase without its clauses and long attachments."""
        words = self._core_phrase(head)
        for child in head.rights:
            if child.dep_ == "prep":
                words += self._attached(child)
            elif child.dep_ == "conj" and child.pos_ in ("NOUN", "PROPN", "PRON"):
                joiner = next((c.lower_ for c in head.rights if c.dep_ == "cc"), "and")
                words += [joiner, *self.noun_phrase(child)]
        return words

    def bare_phrase(self, head: Token) -> list[str]:
        """Give a noun with what stands before it only."""
        return self._core_phrase(head)

    def _core_phrase(self, head: Token) -> list[str]:
        key = self.people.key_of(head)
        if head.pos_ == "PRON" and head.lower_ not in self.lexicon.persons:
            return self._pronoun(head, key)
        if key is not None:
            if self._is_lettered(head, key):
                return [self.letter(key)]
            self._by_noun.add(key)
        words: list[str] = []
        for child in head.lefts:
            words += self._modifier(child)
        return [*words, _spelling(head)]

    def _pronoun(self, head: Token, key: int | None) -> list[str]:
        if key is not None:
            return [self.letter(key)]
        if head.lower_ in _INDEFINITE:
            return [head.lower_]
        thing = self.people.find_thing(head) if head.lower_ in ("it", "them") else None
        if thing is None:
            raise UnusableError("unresolved_reference", f"{head.lower_!r} has no clear referent")
        words = self._core_phrase(thing)
        return (
            ["the", *words[1:]]
            if words[0] in ("a", "an", "some")
            else (words if words[0] == "the" or words[0].endswith("'s") else ["the", *words])
        )

    def _is_lettered(self, head: Token, key: int) -> bool:
        if key in self._lettered or self.people.is_name(head):
            return True
        has_owner = any(child.dep_ == "poss" for child in head.children)
        words = {head.lemma_.lower(), head.lower_}
        is_one = head.tag_ != "NNS" and not words & self.lexicon.plural_only
        return is_one and not has_owner and bool(words & self.lexicon.generic)

    def _modifier(self, child: Token) -> list[str]:
        if child.dep_ == "poss":
            return self._owner(child)
        if child.dep_ == "det":
            if child.lower_ == "no":
                raise UnusableError("negated")
            if child.lower_ in ("each", "both") and child.head.lower_ == "other":
                raise UnusableError("reciprocal", "'each other' needs two subjects")
            return ["the" if child.lower_ in _DEMONSTRATIVES else child.lower_]
        if child.dep_ in ("amod", "compound", "nmod", "nummod", "predet", "quantmod"):
            kept = [
                t for t in child.subtree if t.pos_ not in ("ADV", "SPACE") or t.dep_ == "quantmod"
            ]
            return [_spelling(t) for t in kept if t.pos_ != "PUNCT" or t.text == "-"]
        return []

    def _owner(self, owner: Token) -> list[str]:
        if owner.ent_type_ in ("DATE", "TIME") and owner.tag_ != "PRP$":
            return []
        if owner.tag_ == "PRP$":
            key = self.people.key_of(owner)
            return ["the"] if key is None else [f"{self.letter(key)}'s"]
        words = self._core_phrase(owner)
        mark = "'" if words[-1].endswith("s") and owner.tag_ == "NNS" else "'s"
        return [*words[:-1], words[-1] + mark]

    def _attached(self, preposition: Token) -> list[str]:
        """Give `of milk` in `a bottle of milk`; other attachments only when they are short."""
        words = self.prepositional_phrase(preposition)
        limit = _MAX_PHRASE_WORDS if preposition.lower_ == "of" else _MAX_PHRASE_WORDS - 1
        return words if len(words) <= limit else []

    def prepositional_phrase(self, preposition: Token) -> list[str]:
        """Give the words of a prepositional phrase, or none when it says when, why or how."""
        if preposition.lower_ not in self.lexicon.kept_prepositions:
            return []
        for child in preposition.rights:
            if child.dep_ == "prep":
                inner = self.prepositional_phrase(child)
                return [preposition.lower_, *inner] if inner else []
            if child.dep_ in ("pobj", "dobj"):
                return self._with_object(preposition, child)
        return []

    def _with_object(self, preposition: Token, noun: Token) -> list[str]:
        is_time = noun.ent_type_ in ("DATE", "TIME") or noun.lower_ in self.lexicon.time_nouns
        has_owner = any(child.dep_ == "poss" for child in noun.children)
        is_adverbial = noun.lower_ == "way" or (
            noun.lower_ in self.lexicon.adverbial_objects and not any(noun.rights)
        )
        is_alone = preposition.lower_ == "by" and noun.lower_.endswith(("self", "selves"))
        if (is_time and not has_owner) or is_adverbial or is_alone:
            return []
        return [preposition.lower_, *self.noun_phrase(noun)]


def join_words(words: list[str]) -> str:
    """Join words, closing up hyphens.

    >>> join_words(["a", "well", "-", "known", "song"])
    'a well-known song'
    """
    return " ".join(words).replace(" - ", "-")


def _spelling(token: Token) -> str:
    is_name = token.pos_ == "PROPN" and not (token.is_sent_start and token.ent_type_ == "")
    return str(token.text if is_name or token.text.isupper() else token.lower_)
