"""Verb phrases: a verb with its objects, particles and short prepositional phrases."""

from __future__ import annotations

from typing import Any

from kgbuild.seeds.inflections import present_form, verb_lemma
from kgbuild.seeds.phrases import Phrases, UnusableError

Token = Any

_MAX_PREPOSITIONS = 2
_MAX_PREPOSITION_WORDS = 7
_FINITE = ("VBD", "VBZ", "VBP")
_ADVERBIAL_MARKS = ("when", "while", "before", "after", "until", "because", "since", "as", "once")
# "after" belongs to these verbs; elsewhere it only says when.
_AFTER_VERBS = ("name", "look", "run", "take", "chase", "clean")
_NEGATIONS = ("not", "n't", "never", "hardly", "barely", "rarely", "scarcely", "seldom", "neither")


def render_predicate(verb: Token, phrases: Phrases) -> list[str]:
    """Give the words of a finite predicate in the third person present.

    Raises:
        UnusableError: If a part is negated, reports a clause or refers to nothing in the sentence.
    """
    get = next((c for c in verb.children if c.dep_ == "auxpass" and c.lemma_ == "get"), None)
    lemma = verb_lemma(verb)
    first = [present_form("get"), verb.lower_] if get is not None else [present_form(lemma)]
    complements = _relative_object(verb, phrases) + _complements(verb, phrases)
    if not complements and get is None:
        complements = _borrowed(verb, lemma, phrases)
    if not complements and get is None and lemma not in phrases.lexicon.intransitive:
        raise UnusableError("no_complement", f"{lemma!r} says too little alone")
    return first + complements


def is_negated(verb: Token) -> bool:
    """Whether a negating word hangs on the verb or its auxiliary."""
    return any(child.dep_ == "neg" or child.lower_ in _NEGATIONS for child in verb.children)


def _borrowed(verb: Token, lemma: str, phrases: Phrases) -> list[str]:
    """Give `the dishes` to `washed` in `washed and dried the dishes`."""
    partner = next((c for c in verb.rights if c.dep_ == "conj" and c.pos_ == "VERB"), None)
    if partner is None or partner.i - verb.i > 2 or lemma not in phrases.lexicon.sharing:
        return []
    has_object = any(child.dep_ == "dobj" for child in partner.rights)
    return _complements(partner, phrases) if has_object else []


def _relative_object(verb: Token, phrases: Phrases) -> list[str]:
    """Give `the cake` to `baked` in `the cake that Maria baked`."""
    if verb.dep_ != "relcl":
        return []
    before = [child for child in verb.lefts if child.tag_ in ("WDT", "WP", "WRB", "WP$")]
    if any(child.dep_ in ("dobj", "pobj") for child in before):
        key = phrases.people.key_of(verb.head)
        if key is not None:
            return [phrases.letter(key)]
        lefts = [child for child in verb.head.lefts if child.dep_ != "relcl"]
        return phrases.bare_phrase(verb.head) if lefts or verb.head.tag_ == "NNS" else []
    if any(child.dep_ in ("nsubj", "nsubjpass") for child in before):
        return []
    has_object = any(child.dep_ == "dobj" for child in verb.rights)
    if has_object or any(child.tag_ == "WRB" for child in before):
        return []
    raise UnusableError("gapped_clause", "its object stands outside the clause")


def _complements(verb: Token, phrases: Phrases) -> list[str]:
    words: list[str] = []
    prepositions = 0
    for child in verb.rights:
        if child.dep_ == "prep" or (child.dep_ == "dative" and child.pos_ == "ADP"):
            found = _preposition(child, phrases)
            if found and prepositions < _MAX_PREPOSITIONS and len(found) <= _MAX_PREPOSITION_WORDS:
                words += found
                prepositions += 1
        else:
            words += _complement(child, verb, phrases)
    return words


def _complement(child: Token, verb: Token, phrases: Phrases) -> list[str]:
    if child.dep_ in ("prt", "acomp", "oprd", "xcomp", "ccomp"):
        if child.dep_ == "prt":
            moved = [c for c in child.children if c.dep_ == "nsubj"]  # "let the cat out"
            return [*(w for c in moved for w in phrases.noun_phrase(c)), child.lower_]
        return _open_complement(child, phrases)
    # A second subject behind the verb is an object: "the cat" in "she let the cat out".
    is_object = child.dep_ == "nsubj" and any(c.dep_ == "nsubj" for c in verb.lefts)
    if is_object or child.dep_ in ("dobj", "dative", "attr"):
        _refuse_misread_clause(child, verb)
        words = phrases.noun_phrase(child) if child.pos_ != "ADJ" else [child.lower_]
        return words + _misread_object(child, verb, phrases)
    if child.dep_ == "advmod":
        is_particle = child.lower_ == "together" and verb.lemma_ == "put"
        is_kept = is_particle or child.lower_ in phrases.lexicon.kept_adverbs
        return [child.lower_] if is_kept else []
    if child.dep_ == "npadvmod":
        return _measure(child, phrases)
    if child.dep_ == "advcl" and verb.lemma_ == "spend" and child.tag_ == "VBG":
        return _nonfinite(child, phrases)
    return []


def _refuse_misread_clause(noun: Token, verb: Token) -> None:
    """Refuse `made her cry` where the parser takes the crying for something of hers."""
    owner = next(noun.lefts, None)
    if verb.lemma_ in ("make", "let") and owner is not None and owner.lower_ == "her":
        raise UnusableError("ambiguous_parse", f"'her {noun.text}' may be a clause")


def _misread_object(noun: Token, verb: Token, phrases: Phrases) -> list[str]:
    """Give `her car` in `lent her brother her car`, which the parser takes for an apposition."""
    if verb_lemma(verb) not in phrases.lexicon.giving:
        return []
    second = next((child for child in noun.rights if child.dep_ == "appos"), None)
    is_set_off = second is None or any(
        t.text in (",", "(", "-", "—") for t in noun.doc[noun.i : second.i]
    )
    return [] if is_set_off else phrases.noun_phrase(second)


def _measure(noun: Token, phrases: Phrases) -> list[str]:
    if noun.pos_ == "PRON":  # Mere emphasis: "fixed the sink herself".
        return []
    is_habit = any(child.lower_ in ("every", "each") for child in noun.children)
    is_time = noun.ent_type_ in ("DATE", "TIME") or noun.lemma_ in phrases.lexicon.time_nouns
    return phrases.noun_phrase(noun) if is_habit or not is_time else []


def _preposition(child: Token, phrases: Phrases) -> list[str]:
    gerund = next((c for c in child.rights if c.dep_ == "pcomp" and c.tag_ == "VBG"), None)
    if child.lower_ == "after" and child.head.lemma_ in _AFTER_VERBS:
        noun = next((c for c in child.rights if phrases.people.key_of(c) is not None), None)
        return ["after", *phrases.noun_phrase(noun)] if noun is not None else []
    if gerund is None:
        return phrases.prepositional_phrase(child)
    if child.lower_ not in phrases.lexicon.kept_prepositions or child.lower_ in ("like", "on"):
        return []
    return [child.lower_, *_nonfinite(gerund, phrases)]


def _open_complement(child: Token, phrases: Phrases) -> list[str]:
    """Give `to open the window`, `crying`, `her drive the car`, `happy`, `afraid of dogs`."""
    auxiliaries = [c for c in child.children if c.dep_ in ("aux", "auxpass")]
    is_finite = child.tag_ in _FINITE or any(c.tag_ in (*_FINITE, "MD") for c in auxiliaries)
    if is_finite and any(c.lower_ in _ADVERBIAL_MARKS for c in child.lefts):
        return []
    if is_finite:
        raise UnusableError("reported_clause", "a finite clause is its object")
    subject = next((c for c in child.children if c.dep_ == "nsubj"), None)
    words = phrases.noun_phrase(subject) if subject is not None else []
    if child.pos_ in ("VERB", "AUX"):
        return words + _nonfinite(child, phrases)
    if child.pos_ in ("NOUN", "PROPN", "PRON"):
        return words + phrases.noun_phrase(child)
    degree = ["too" for c in child.lefts if c.lower_ == "too"]
    return words + degree + [child.lower_] + _complements(child, phrases)


def _nonfinite(verb: Token, phrases: Phrases) -> list[str]:
    if is_negated(verb):
        raise UnusableError("negated")
    lead = [c.lower_ for c in verb.lefts if c.tag_ in ("WRB", "WP", "TO") and c.pos_ != "PRON"]
    is_participle = verb.tag_ in ("VBG", "VBN") and "to" not in lead
    form = verb.lower_ if is_participle else verb_lemma(verb)
    passive = [c.lower_ for c in verb.lefts if c.dep_ == "auxpass"]
    return lead + passive + [form] + _complements(verb, phrases)
