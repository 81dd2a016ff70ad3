"""Events of a parsed sentence: one for each clause in which a person acts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kgbuild.seeds.inflections import verb_lemma
from kgbuild.seeds.people import SUBJECTS, SentencePeople
from kgbuild.seeds.phrases import Phrases, UnusableError, join_words
from kgbuild.seeds.predicates import is_negated, render_predicate
from kgbuild.seeds.words import Lexicon

Token = Any

_FINITE = ("VBD", "VBZ", "VBP", "MD")
_MAX_WORDS = 18


@dataclass(frozen=True)
class Clause:
    """What became of one clause: an event's text, or the reason why there is none."""

    source: str
    event: str = ""
    reason: str = ""
    detail: str = ""


def read_clauses(sentence: Any, lexicon: Lexicon) -> Iterator[Clause]:
    """Give every finite clause of a sentence in order, as an event or with a reason."""
    people = SentencePeople(sentence, lexicon)
    for verb in sentence:
        if verb.pos_ not in ("VERB", "AUX") or verb.dep_ in ("aux", "auxpass"):
            continue
        if not _is_clause(verb):
            continue
        source = str(sentence.doc[verb.left_edge.i : verb.right_edge.i + 1].text).strip()
        try:
            yield Clause(source=source, event=_render_event(verb, sentence, people, lexicon))
        except UnusableError as refusal:
            yield Clause(source=source, reason=refusal.reason, detail=refusal.detail)


def _is_clause(verb: Token) -> bool:
    auxiliaries = _auxiliaries(verb)
    if verb.tag_ in _FINITE or any(child.tag_ in _FINITE for child in auxiliaries):
        return True
    if verb.dep_ == "conj" and verb.head.pos_ in ("VERB", "AUX"):
        return _is_clause(verb.head) and not any(c.tag_ == "TO" for c in auxiliaries)
    return bool(verb.dep_ == "ROOT" and verb.tag_ == "VB")


def _auxiliaries(verb: Token) -> list[Token]:
    own = [child for child in verb.children if child.dep_ in ("aux", "auxpass")]
    is_shared = (
        not own and verb.dep_ == "conj" and verb.tag_ not in _FINITE and not _own_subject(verb)
    )
    return _auxiliaries(verb.head) if is_shared else own


def _own_subject(verb: Token) -> Token | None:
    return next((child for child in verb.children if child.dep_ in (*SUBJECTS, "expl")), None)


def _subject(verb: Token) -> Token | None:
    own = _own_subject(verb)
    if own is not None:
        return own
    if verb.dep_ == "conj" and verb.head.pos_ in ("VERB", "AUX"):
        owner = verb.head
        if _own_subject(owner) is None and owner.dep_ in ("xcomp", "advcl"):
            owner = owner.head  # "asked him to sit and took his coat"
        return _subject(owner)
    # The parser hangs the first verb of a row under the last: "tasted it, added salt and stirred".
    first = next((c for c in verb.lefts if c.dep_ == "ccomp" and c.tag_ in _FINITE), None)
    is_quoted = first is None or any(t.is_quote for t in verb.doc[first.left_edge.i : verb.i])
    return None if is_quoted else _own_subject(first)


def _render_event(verb: Token, sentence: Any, people: SentencePeople, lexicon: Lexicon) -> str:
    if any(token.text == "?" for token in sentence[-2:]):
        raise UnusableError("question")
    subject = _subject(verb)
    if subject is None:
        raise UnusableError("no_subject")
    _refuse_unreal(verb, subject, lexicon)
    key = people.key_of(subject)
    if key is None:
        raise UnusableError("subject_is_no_person", f"the subject is {subject.text!r}")
    if verb.lemma_ == "be":
        _refuse_empty_copula(verb)
    if verb_lemma(verb) in lexicon.reporting and not any(
        c.dep_ in ("dobj", "acomp") for c in verb.children
    ):
        raise UnusableError("reported_clause", "it only says that somebody says or thinks")
    lettered = frozenset({key})
    while True:
        phrases = Phrases(people, lexicon, lettered=lettered)
        words = [phrases.letter(key), *render_predicate(verb, phrases)]
        if phrases.torn <= lettered:
            break
        # A noun here and a letter there for one person would read as two persons.
        lettered |= phrases.torn
    if len(words) > _MAX_WORDS:
        raise UnusableError("too_long", f"{len(words)} words")
    return join_words(words)


def _refuse_unreal(verb: Token, subject: Token, lexicon: Lexicon) -> None:
    """Refuse what did not happen, may happen, or happens to the subject."""
    auxiliaries = _auxiliaries(verb)
    shares = verb.dep_ == "conj" and verb.tag_ not in _FINITE
    is_no_one = subject.lower_ in lexicon.nobody or any(c.lower_ == "no" for c in subject.children)
    if is_no_one or is_negated(verb) or (shares and is_negated(verb.head)):
        raise UnusableError("negated")
    if any(child.tag_ == "MD" for child in auxiliaries) or _is_modal_like(verb, lexicon):
        raise UnusableError("modal")
    # The parser takes 's for a passive "is" where it stands for "has": "she's been looking".
    is_active = verb.tag_ == "VBG"
    passive = [] if is_active else [c for c in auxiliaries if c.dep_ == "auxpass"]
    has_agent = any(child.dep_ == "agent" for child in verb.children)
    if any(child.lemma_ != "get" for child in passive) or (passive and has_agent):
        raise UnusableError("passive")


def _is_modal_like(verb: Token, lexicon: Lexicon) -> bool:
    complements = [c for c in verb.children if c.dep_ in ("xcomp", "acomp")]
    for child in complements:
        is_infinitive = any(c.tag_ == "TO" for c in child.children)
        if child.dep_ == "acomp" and child.lower_ in lexicon.modal_adjectives:
            return any(c.dep_ == "xcomp" for c in child.children)
        # "was going to leave" may never happen, "went to see a film" did.
        is_motion = verb.lemma_ == "go" and verb.tag_ != "VBG"
        if is_infinitive and verb_lemma(verb) in lexicon.modal_like and not is_motion:
            return True
    return False


def _refuse_empty_copula(verb: Token) -> None:
    for child in verb.rights:
        if child.dep_ in ("acomp", "xcomp", "dobj"):
            return
        if child.dep_ == "attr" and child.pos_ in ("NOUN", "PROPN", "ADJ"):
            return
        if child.dep_ == "prep" and any(c.pos_ in ("NOUN", "PROPN") for c in child.rights):
            return
    raise UnusableError("empty_copula")
