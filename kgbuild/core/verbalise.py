"""A triple as an English sentence, and a head as the line that a teacher continues.

Labelling, the critic and the prompts read the same words, so there is one function for each.
A concept head is a bare noun ("knife", "scissors", "milk"), and the frame of its relation says
which form it wants. Number and article are guessed from the noun's last word; a short list
holds the nouns for which the guess is wrong.
"""

from __future__ import annotations

import re

from kgbuild.core.relation_models import Relation

_DETERMINERS = frozenset(
    "a an the some any no one two three many several most all both each every another "
    "this that these those my your his her its our their".split()
)
_PLURAL = frozenset(
    "bellows binoculars briefs cattle chopsticks clippers clothes cutlery fireworks forceps "
    "glasses goggles groceries headphones jeans leggings men mice overalls pajamas pants people "
    "pliers police pyjamas scales scissors shears shorts stairs sunglasses teeth thanks tights "
    "tongs trousers tweezers women children feet geese".split()
) - {"cutlery"}
_MASS = frozenset(
    "advice air aluminium aluminum anger ash bacon baggage bamboo bark beef beer blood bread "
    "broccoli butter cardboard cash celery cement chalk charcoal cheese chess chocolate clay "
    "clothing coal coffee compost concrete confetti cooperation copper cotton courage cream "
    "cutlery dew dirt dough dust electricity envy equipment fabric fear fire firewood fish flour "
    "fog food frost fun fur furniture garbage garlic gasoline glass glue gold grass gravel grease "
    "grief hail hair happiness hay health heat help homework honesty honey housework humidity ice "
    "information ink insomnia insurance iron ivy jam jealousy jewelry jewellery joy ketchup "
    "knowledge laughter laundry lava lead leather lemonade lettuce lightning linen loneliness love "
    "luck luggage lumber machinery mail makeup meat medicine milk moisture mold money mortar "
    "moss mud music mustard news nylon oatmeal oil oxygen paint paper parsley pasta patience "
    "petrol plastic pollen pollution popcorn pork porcelain poverty progress rain research rice "
    "rubber rubbish rust salt sand sandpaper sauce scaffolding seaweed seafood shade silence silk "
    "silver sleep smoke snow soap software soil soup spaghetti spinach steam steel stress string "
    "sugar sunlight sunscreen sunshine sweat tape tar tea thunder time timber tissue tofu "
    "toothpaste traffic trash trust velvet vinegar vocabulary water wax weather wheat wind wine "
    "wood wool work yarn yeast yogurt".split()
)
_ONE_OF_A_KIND = frozenset("earth moon sky sun sea ocean internet world desert".split())
_SINGULAR_S = re.compile(r"(?:ss|us|is|ics|ness|gas|lens|canvas|atlas|bus|chaos|cosmos|species)$")
_AN = re.compile(r"^(?:[aeio]|u(?!n[iy]|s[eua]|r[aeiou]|tens|to|ku)|hour|honest|honou?r|heir)", re.I)
_A = re.compile(r"^(?:eu|ewe|one\b|once\b|uni(?!n|m))", re.I)
_LETTER_AN = re.compile(r"^[AEFHILMNORSX](?:-|[A-Z]|$|\s)")
_IRREGULAR = {
    "man": "men", "woman": "women", "child": "children", "person": "people", "foot": "feet",
    "tooth": "teeth", "mouse": "mice", "goose": "geese", "knife": "knives", "wife": "wives",
    "life": "lives", "leaf": "leaves", "loaf": "loaves", "shelf": "shelves", "wolf": "wolves",
    "thief": "thieves", "calf": "calves", "half": "halves", "scarf": "scarves", "elf": "elves",
    "potato": "potatoes", "tomato": "tomatoes", "volcano": "volcanoes", "mosquito": "mosquitoes",
    "hero": "heroes", "echo": "echoes", "cactus": "cacti", "deer": "deer", "sheep": "sheep",
    "salmon": "salmon", "trout": "trout", "aircraft": "aircraft", "species": "species",
    "ox": "oxen", "louse": "lice", "quiz": "quizzes", "bus": "buses", "gas": "gases",
}  # fmt: skip
_AGREEMENT = {
    "is": ("is", "are"),
    "has": ("has", "have"),
    "does": ("does", "do"),
    "wants": ("wants", "want"),
}
_BLANK = re.compile(r"_{2,}")
_FIELD = re.compile(r"\{([^{}]*)\}")
_HEAD_FIELDS = frozenset(
    ["head", "Head", "a head", "A head", "heads", "Heads", "something", *_AGREEMENT]
)
_TAIL_FIELDS = frozenset(["tail", "a tail", "bare tail"])
# Words that cannot follow "to" as its verb, so a tail that begins with one is left alone.
_NO_VERB = _DETERMINERS | frozenset("to not for personx persony more nothing something".split())


def frame_fields(frame: str) -> list[str]:
    """Give the placeholders of a sentence frame, in order.

    >>> frame_fields("{A head} {is} made of {tail}.")
    ['A head', 'is', 'tail']
    """
    return _FIELD.findall(frame)


def known_fields(*, with_tail: bool) -> list[str]:
    """Give the placeholders that a frame may use; a prompt has none for the tail."""
    return sorted(_HEAD_FIELDS | _TAIL_FIELDS if with_tail else _HEAD_FIELDS)


def is_head_field(field: str) -> bool:
    """Whether the placeholder shows the head itself, not only a verb that agrees with it."""
    return field in _HEAD_FIELDS and field not in _AGREEMENT


def is_tail_field(field: str) -> bool:
    """Whether the placeholder shows the tail."""
    return field in _TAIL_FIELDS


def is_plural(noun: str) -> bool:
    """Whether a bare noun reads as a plural.

    >>> [is_plural(noun) for noun in ("scissors", "kitchen knives", "bus", "glass", "police car")]
    [True, True, False, False, False]
    """
    last = _last_word(noun)
    if last in _PLURAL or last in {"mice", "people"}:
        return True
    if last in _MASS or not last.endswith("s") or len(last) < 4:
        return False
    return not _SINGULAR_S.search(last)


def is_mass(noun: str) -> bool:
    """Whether a bare noun names a stuff or a state and takes no article.

    >>> [is_mass(noun) for noun in ("milk", "salt water", "water bottle")]
    [True, True, False]
    """
    return _last_word(noun) in _MASS


def with_article(noun: str) -> str:
    """Put "a" or "an" before a bare noun that wants one.

    >>> [with_article(noun) for noun in ("knife", "umbrella", "milk", "scissors", "a bakery")]
    ['a knife', 'an umbrella', 'milk', 'scissors', 'a bakery']
    >>> [with_article(noun) for noun in ("unicycle", "hourglass", "X-ray machine", "sun", "Paris")]
    ['a unicycle', 'an hourglass', 'an X-ray machine', 'the sun', 'Paris']
    """
    first = noun.split(" ", 1)[0]
    if not noun or first.casefold() in _DETERMINERS or is_plural(noun) or is_mass(noun):
        return noun
    if noun.casefold() in _ONE_OF_A_KIND:
        return f"the {noun}"
    if _LETTER_AN.match(noun) and not first.istitle():
        return f"an {noun}"
    if noun[0].isupper() and first.istitle() and "-" not in first:
        return noun
    return f"an {noun}" if _AN.match(noun) and not _A.match(noun) else f"a {noun}"


def to_plural(noun: str) -> str:
    """Give the plural of a bare noun; mass nouns and plurals stay as they are.

    >>> [to_plural(noun) for noun in ("knife", "bakery", "box", "milk", "scissors", "toy")]
    ['knives', 'bakeries', 'boxes', 'milk', 'scissors', 'toys']
    """
    if is_plural(noun) or is_mass(noun) or not noun:
        return noun
    start, last = noun[: len(noun) - len(_last_word(noun))], noun[-len(_last_word(noun)) :]
    if last.casefold() in _IRREGULAR:
        return start + _IRREGULAR[last.casefold()]
    if re.search(r"(?:s|x|z|ch|sh)$", last):
        return f"{noun}es"
    if re.search(r"[^aeiou]y$", last):
        return f"{noun[:-1]}ies"
    return f"{noun}s"


def verbalise(relation: Relation, head: str, tail: str) -> str:
    """Give the sentence that a person labels and the critic reads.

    A tail that comes from elsewhere without the words its relation puts before it ("cut bread"
    for "to cut bread") gets them here.

    >>> from kgbuild.core.relations import load_relations
    >>> relations = load_relations(["atomic2020", "generics"])
    >>> verbalise(relations.get("xNeed"), "PersonX bakes a cake", "to buy flour")
    'PersonX bakes a cake. Before that, PersonX needed to buy flour.'
    >>> verbalise(relations.get("IsA"), "scissors", "a tool")
    'Scissors are a kind of tool.'
    >>> verbalise(relations.get("ObjectUse"), "umbrella", "keep dry")
    'An umbrella can be used to keep dry.'
    >>> verbalise(relations.get("isFilledBy"), "PersonX plays ___ at night", "the piano")
    'PersonX plays something at night, for example the piano.'
    """
    return fill_frame(relation.sentence, head, with_prefix(relation, tail))


def prompt_line(relation: Relation, head: str) -> str:
    """Give the line that a teacher continues, without a space at its end.

    >>> from kgbuild.core.relations import load_relations
    >>> relations = load_relations(["atomic2020"])
    >>> prompt_line(relations.get("xWant"), "PersonX bakes a cake")
    'PersonX bakes a cake. After that, PersonX wants to'
    >>> prompt_line(relations.get("HasProperty"), "scissors")
    'Scissors are usually'
    """
    line = fill_frame(relation.prompt, head, "")
    return f"{line} {relation.tail_prefix}" if relation.tail_prefix else line


def with_prefix(relation: Relation, tail: str) -> str:
    """Put the relation's "to" before a tail that begins with a bare verb.

    Only "to" is supplied: another prefix is part of what the tail says, and a tail that begins
    with an article or a person is not a verb, so it is left for the critic to judge.
    """
    first = tail.split(" ", 1)[0].casefold()
    if relation.tail_prefix != "to" or not tail or first in _NO_VERB:
        return tail
    return f"to {tail}"


def fill_frame(frame: str, head: str, tail: str) -> str:
    """Fill the placeholders of a frame; its first letter becomes a capital.

    >>> fill_frame("{heads} live in {a tail}.", "wolf", "forest")
    'Wolves live in a forest.'
    """
    text = _FIELD.sub(lambda match: _fill_field(match.group(1), head.strip(), tail.strip()), frame)
    return text[:1].upper() + text[1:]


def _fill_field(field: str, head: str, tail: str) -> str:
    if field in _AGREEMENT:
        return _AGREEMENT[field][is_plural(head)]
    if field in _TAIL_FIELDS:
        return {"tail": tail, "a tail": with_article(tail), "bare tail": _without_article(tail)}[
            field
        ]
    if field == "something":
        return _BLANK.sub("something", head)
    form = {"head": head, "a head": with_article(head), "heads": to_plural(head)}[
        field[:1].lower() + field[1:]
    ]
    return form[:1].upper() + form[1:] if field[0].isupper() else form


def _without_article(noun: str) -> str:
    return re.sub(r"^(?:an?|the)\s+", "", noun, flags=re.IGNORECASE)


def _last_word(noun: str) -> str:
    """Give the word that carries number: "cup" in "cup of tea", "car" in "police car"."""
    core = re.split(r"\s(?:of|in|on|for|with|at|from|that|who)\s", noun.casefold(), maxsplit=1)[0]
    return core.split(" ")[-1] if core else ""
