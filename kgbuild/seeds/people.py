"""Who is who in one sentence: every mention of a person gets a key, pronouns included.

Rules, not a coreference model: within one sentence gender, number, the clause's subject and the
binding of pronouns decide most cases, and the same sentence always gives the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kgbuild.seeds.words import Lexicon

Token = Any  # A spaCy token; spaCy is imported only when a text is parsed.

SUBJECTS = ("nsubj", "nsubjpass")
_NOT_NAMES = (
    "GPE",
    "ORG",
    "LOC",
    "FAC",
    "PRODUCT",
    "EVENT",
    "WORK_OF_ART",
    "LANGUAGE",
    "LAW",
    "DATE",
)
_THIRD = {
    "he": "male",
    "him": "male",
    "his": "male",
    "himself": "male",
    "she": "female",
    "her": "female",
    "herself": "female",
    "they": "plural",
    "them": "plural",
    "their": "plural",
    "themselves": "plural",
}
_SPEAKER = ("i", "me", "my", "myself", "we", "us", "our", "ourselves")
_LISTENER = ("you", "your", "yourself", "yourselves")


@dataclass
class Person:
    """One person (or group) of a sentence; what is unknown is learnt from later pronouns."""

    key: int
    word: str
    gender: str = ""
    is_plural: bool = False
    is_any_number: bool = False
    is_subject: bool = False


class SentencePeople:
    """The persons of one parsed sentence, in order of mention."""

    def __init__(self, sentence: Any, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._keys: dict[int, int] = {}
        self._persons: list[Person] = []
        self._things: list[Token] = []
        for token in sentence:
            person = self._identify(token)
            if person is not None:
                self._keys[token.i] = person.key
                person.is_subject = person.is_subject or token.dep_ in SUBJECTS
            elif token.pos_ in ("NOUN", "PROPN") and token.dep_ not in ("compound", "npadvmod"):
                self._things.append(token)

    def key_of(self, token: Token) -> int | None:
        """Give the key of the person whom a noun, name or pronoun means."""
        return self._keys.get(token.i)

    def is_name(self, token: Token) -> bool:
        """Whether the token heads a person's name."""
        # The tagger takes some first names that begin a sentence for common nouns: Grace, Victor.
        is_noun_name = token.pos_ == "NOUN" and token.text in self._lexicon.names
        if (token.pos_ != "PROPN" and not is_noun_name) or token.dep_ == "compound":
            return False
        before = [child.text for child in token.children if child.dep_ == "compound"]
        known = self._lexicon.names | self._lexicon.titles
        if token.ent_type_ == "PERSON" or known & {token.text, *before}:
            return True
        # The small model knows few first names; an unknown proper noun that acts or owns is one.
        acts = token.dep_ in (*SUBJECTS, "poss") or any(p.word == token.text for p in self._persons)
        has_kin = token.dep_ == "poss" and token.head.lemma_ in self._lexicon.kin
        is_likely = token.ent_type_ not in _NOT_NAMES or has_kin or _is_called_he_or_she(token)
        return acts and token.tag_ == "NNP" and is_likely

    def find_thing(self, pronoun: Token) -> Token | None:
        """Find the noun that `it` or `them` stands for, or nothing when two nouns might fit."""
        wants_plural = pronoun.lower_ in ("them", "they", "their")
        fitting = [
            noun
            for noun in self._things
            if noun.i < pronoun.i
            and (noun.tag_ in ("NNS", "NNPS")) == wants_plural
            and noun.lemma_.lower() not in self._lexicon.time_nouns
        ]
        objects = [noun for noun in fitting if noun.dep_ == "dobj"]
        if len(fitting) == 1:
            return fitting[0]
        return objects[0] if len(objects) == 1 else None

    def _identify(self, token: Token) -> Person | None:
        word = token.lower_
        if token.tag_ in ("PRP", "PRP$"):
            if word in _SPEAKER or word in _LISTENER:
                return self._known_or_new("I" if word in _SPEAKER else "you", is_plural=True)
            return self._resolve(token, _THIRD[word]) if word in _THIRD else None
        if token.tag_ in ("WP", "WDT") and token.head.dep_ == "relcl":
            key = self.key_of(token.head.head)
            return None if key is None else self._persons[key]
        if self.is_name(token):
            return self._name(token)
        lemma = token.lemma_.lower()
        if token.pos_ in ("NOUN", "PRON") and {lemma, word} & self._lexicon.persons:
            return self._noun(token, lemma if lemma in self._lexicon.persons else word)
        return None

    def _name(self, token: Token) -> Person:
        words = [child.text for child in token.children if child.dep_ == "compound"] + [token.text]
        genders = [g for word in words if (g := self._lexicon.genders.get(word))]
        person = self._known_or_new(token.text, gender=genders[0] if genders else "")
        self._join_group(token)
        return person

    def _noun(self, token: Token, lemma: str) -> Person:
        is_definite = any(child.lower_ == "the" for child in token.children)
        gender = self._lexicon.genders.get(lemma, "")
        is_plural = token.tag_ == "NNS" or lemma in self._lexicon.plural_only
        person = (
            self._known_or_new(lemma, gender=gender, is_plural=is_plural)
            if is_definite
            else self._new(lemma, gender=gender, is_plural=is_plural)
        )
        person.is_any_number = lemma in ("someone", "somebody", "everyone", "everybody")
        self._join_group(token)
        return person

    def _join_group(self, token: Token) -> None:
        """Let `they` mean the first of two coordinated persons, who then stands for both."""
        if token.dep_ == "conj" and (key := self.key_of(token.head)) is not None:
            self._persons[key].is_any_number = True

    def _known_or_new(self, word: str, *, gender: str = "", is_plural: bool = False) -> Person:
        known = [person for person in self._persons if person.word == word]
        return known[-1] if known else self._new(word, gender=gender, is_plural=is_plural)

    def _new(self, word: str, *, gender: str = "", is_plural: bool = False) -> Person:
        person = Person(len(self._persons), word, gender, is_plural)
        self._persons.append(person)
        return person

    def _resolve(self, token: Token, gender: str) -> Person | None:
        is_possessive = token.tag_ == "PRP$"
        local = self._local_subject(token)
        if token.lower_.endswith(("self", "selves")):
            return None if local is None else self._persons[local]
        barred = set() if is_possessive else self._coarguments(token, local)
        fitting = [p for p in self._persons if p.key not in barred and _fits(p, gender)]
        if not fitting:
            if gender == "plural" and is_possessive and local is not None:
                return self._persons[local]
            if gender == "plural" and self.find_plural_thing(token):
                return None
            return self._new(
                token.tag_,
                gender="" if gender == "plural" else gender,
                is_plural=gender == "plural",
            )
        chosen = self._choose(token, fitting, local, gender)
        if gender != "plural":
            chosen.gender = gender
        return chosen

    def _choose(
        self, token: Token, fitting: list[Person], local: int | None, gender: str
    ) -> Person:
        sure = [p for p in fitting if p.gender == gender or (gender == "plural" and p.is_plural)]
        fitting = sure or fitting
        if token.tag_ == "PRP$":
            judged = self._judged(token)
            for key in (judged, local):
                found = [p for p in fitting if p.key == key]
                if found:
                    return found[0]
        if token.dep_ in SUBJECTS:
            subjects = [p for p in fitting if p.is_subject]
            return (subjects or fitting)[0]
        return fitting[-1]

    def find_plural_thing(self, token: Token) -> bool:
        """Whether a plural noun that is no person comes before the token."""
        return any(noun.tag_ in ("NNS", "NNPS") for noun in self._things if noun.i < token.i)

    def _judged(self, token: Token) -> int | None:
        """Give the object of `thank Anna for her help`: the help is Anna's."""
        for ancestor in token.ancestors:
            if ancestor.lower_ in ("for", "on", "about") and (
                ancestor.head.lemma_ in self._lexicon.judging
            ):
                objects = [c for c in ancestor.head.children if c.dep_ in ("dobj", "dative")]
                return self.key_of(objects[0]) if objects else None
        return None

    def _local_subject(self, token: Token) -> int | None:
        """Give the key of the subject of the clause that the token stands in."""
        verb = token
        while True:
            verb = next(
                (t for t in verb.ancestors if t.pos_ in ("VERB", "AUX") or t.dep_ == "ccomp"), None
            )
            if verb is None:
                return None
            subjects = [c for c in verb.children if c.dep_ in SUBJECTS]
            if subjects:
                return self.key_of(subjects[0])
            if verb.dep_ in ("xcomp", "pcomp"):
                # The object controls: "asked Anna to help him", "thanked Anna for helping him".
                owner = verb.head if verb.dep_ == "xcomp" else verb.head.head
                objects = [
                    c for c in owner.children if c.dep_ in ("dobj", "dative") and c.i < verb.i
                ]
                keys = [k for c in objects if (k := self.key_of(c)) is not None]
                if keys:
                    return keys[-1]

    def _coarguments(self, token: Token, local: int | None) -> set[int]:
        siblings = [c for c in token.head.children if c.dep_ in ("dobj", "dative") and c != token]
        keys = {local, *(self.key_of(c) for c in siblings)}
        return set() if token.dep_ in SUBJECTS else {key for key in keys if key is not None}


def _fits(person: Person, gender: str) -> bool:
    if person.word in ("I", "you"):
        return False
    if gender == "plural":
        return person.is_plural or person.is_any_number
    return person.gender in ("", gender) and not person.is_plural


def _is_called_he_or_she(name: Token) -> bool:
    """Whether a later pronoun of the sentence gives the owner of an unknown name away."""
    later = name.doc[name.i + 1 : name.sent.end]
    return any(_THIRD.get(token.lower_) in ("male", "female") for token in later)
