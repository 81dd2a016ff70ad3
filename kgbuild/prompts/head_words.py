"""The words of a head that an answer must not repeat, in all their inflections."""

from __future__ import annotations

import re
from functools import lru_cache

# Words that carry no content of their own; an answer may always use them.
_FUNCTION_WORDS = frozenset(
    """a an the this that these those some any no every each all both few many much more most
    other another such own same and or but nor so yet if then than as at by for from in into of
    off on onto out over through to toward under until up upon with without about above across
    after again against along among around away back before behind below beneath beside between
    beyond down during inside near outside past since while when where which who whom whose what
    why how i you he she it we they me him her us them my your his its our their mine yours hers
    ours theirs not never only just very too also still even ever is are was were be been being
    am do does did doing done has have had having will would can could may might shall should
    must person personx persony personz x y z someone something anyone anything one two
    three""".split()
)
# Verbs that say little without their object, so banning them bans good answers.
LIGHT_VERBS = frozenset("be have do make take get give go keep put let come bring use".split())
# Everyday words that the list of inflections lacks.
_UNLISTED = frozenset(
    """fridge gallery pub reflection skillet kitchenware zookeeper zookeepers tv bible olympics
    drumbeat cop doc mr tech ten burgers breadcrumbs calories locket poolside watchtower wetsuit
    treehouse safehouse lumberyard newscast toasty afterlife partygoers hers ca wo sha isn aren
    four five six seven eight nine eleven twelve twenty thirty forty fifty hundred thousand
    everything everyone nothing nobody none themselves himself herself itself themself yourself
    somebody everybody whose whoever whatever whenever wherever because although unless though
    him hers theirs amid upon via per let""".split()
)
_CONTRACTION = re.compile(r"(?:n't|'(?:s|re|ve|ll|d|m|t))$")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+")
_SHORTEST = 3


def list_content_words(text: str) -> list[str]:
    """List the words of a head or tail that carry its content, folded, in order, once each.

    >>> list_content_words("PersonX bakes a cake for PersonY's mother")
    ['bakes', 'cake', 'mother']
    """
    words: list[str] = []
    for word in _split_words(text):
        if len(word) >= _SHORTEST and word not in _FUNCTION_WORDS and word not in words:
            words.append(word)
    return words


def _split_words(text: str) -> list[str]:
    words = (word.casefold().replace("’", "'") for word in _WORD.findall(text))
    return [word.removesuffix("'s").removesuffix("'") for word in words]


@lru_cache(maxsize=8192)
def find_lemma(word: str, part: str = "VERB") -> str:
    """Give the dictionary form of a word read as a verb or a noun.

    >>> find_lemma("bakes")
    'bake'
    """
    import lemminflect

    found = lemminflect.getLemma(word, upos=part)
    return str(found[0]) if found else word


@lru_cache(maxsize=8192)
def list_inflections(word: str) -> tuple[str, ...]:
    """List a word and its other inflections as verb, noun or adjective, sorted.

    >>> "baking" in list_inflections("bakes")
    True
    """
    import lemminflect

    forms = {word}
    for part in ("VERB", "NOUN", "ADJ"):
        # A word unknown as this part is not inflected by rule: "bus" is no verb.
        for lemma in lemminflect.getLemma(word, upos=part, lemmatize_oov=False):
            forms.add(lemma)
            for inflected in lemminflect.getAllInflections(lemma, upos=part).values():
                forms.update(inflected)
    return tuple(sorted(form for form in forms if form.strip()))


@lru_cache(maxsize=65536)
def is_known_word(word: str) -> bool:
    """Say whether a lower-case word is English, as a large list of inflections has it.

    A search that may not write a word tends to write it with a tail: "annoyedward".

    >>> [is_known_word(word) for word in ("annoyed", "annoyedward", "don't", "the")]
    [True, False, True, True]
    """
    import lemminflect

    plain = _CONTRACTION.sub("", word.replace("’", "'"))
    if plain in _FUNCTION_WORDS or plain in _UNLISTED or plain.startswith("person"):
        return True
    return bool(lemminflect.getAllLemmas(plain))


def find_unknown_words(text: str) -> list[str]:
    """List the words of a text that are no English words; names with a capital pass.

    >>> find_unknown_words("PersonX goes to Paris ofdough")
    ['ofdough']
    """
    words = [part for word in _WORD.findall(text) for part in word.split("-")]
    return [
        word for word in words if word.islower() and not word.isdigit() and not is_known_word(word)
    ]


def find_main_verb(head: str) -> str:
    """Give the first content word behind the person, which in "PersonX bakes a cake" is "bakes".

    Empty when the head begins in another way.
    """
    words = _split_words(head)
    if len(words) < 2 or words[0] not in ("personx", "persony"):
        return ""
    return words[1]


def list_restatements(head: str) -> list[str]:
    """List the phrases that would say the head's act again.

    A verb with a meaning of its own is banned in all forms. A light verb ("takes a shower") is
    banned only together with what follows it.

    >>> list_restatements("PersonX takes a shower")[:3]
    ['take a shower', 'taken a shower', 'takes a shower']
    """
    verb = find_main_verb(head)
    if not verb:
        return []
    lemma = find_lemma(verb)
    forms = _list_verb_forms(lemma, verb)
    if lemma not in LIGHT_VERBS and verb not in _FUNCTION_WORDS:
        return forms
    rest = _WORD.findall(head)[2:5]
    return [" ".join([form, *rest]) for form in forms] if rest else []


def _list_verb_forms(lemma: str, verb: str) -> list[str]:
    import lemminflect

    forms = {lemma, verb}
    for inflected in lemminflect.getAllInflections(lemma, upos="VERB").values():
        forms.update(inflected)
    return sorted(forms)
