"""A teacher's second look at what it denied: the positive question, asked yes or no.

A negative triple ("A fish cannot walk") is easily written and often false, because the teacher
only has to go on from "cannot". Asked "Can a fish walk?" it uses what it knows of fish; where it
says yes it contradicts itself, and the triple is dropped (the self-instructed filter of Snowman,
Wang et al. 2023).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from kgbuild.core.ids import content_key
from kgbuild.core.records import Record, Triple
from kgbuild.core.relations import RelationSet, whether
from kgbuild.decoding import PLACE
from kgbuild.teacher.protocol import Teacher

_AT_ONCE = 512
_EXAMPLES = (
    ("Can a duck swim?", "yes"),
    ("Can a chair sing?", "no"),
    ("Is a kettle used for boiling water?", "yes"),
    ("Does a mouse usually want to meet a cat?", "no"),
    ("Is a pillow used for cutting wood?", "no"),
    ("Does a toddler usually want to play?", "yes"),
    ("Can a snail run fast?", "no"),
    ("Can a crane lift heavy loads?", "yes"),
    ("Does a tenant usually want to pay more rent?", "no"),
    ("Is a comb used for untangling hair?", "yes"),
    ("Is a ladder used for writing letters?", "no"),
    ("Does a hiker usually want to reach the summit?", "yes"),
)
_QUESTION = "Question: {question}\nAnswer:"
SELF_CHECK_PROMPT = (
    "These are questions about everyday things, each answered with yes or no by somebody who knows "
    "the world well.\n\n"
    + "".join(
        f"{_QUESTION.format(question=question)} {answer}\n\n" for question, answer in _EXAMPLES
    )
    + PLACE
)


class SelfCheck(Record):
    """What the teacher answers to the positive question of one negative triple."""

    triple_id: str
    question: str
    yes: float


def check_negatives(
    triples: Iterable[Triple], teacher: Teacher, relations: RelationSet
) -> Iterator[SelfCheck]:
    """Ask about every triple of a relation that denies another one, in order.

    Args:
        triples: Those of positive relations are passed over.
        teacher: Who is asked; no training, a few examples stand before the question.
        relations: Tell which relation a negative one denies. One whose positive is in no pack
            cannot be asked about and is passed over, too.
    """
    source = (
        (triple, positive)
        for triple in triples
        if (denied := relations.get(triple.relation).negates) and denied in relations
        for positive in [relations.get(denied)]
    )
    while chunk := list(islice(source, _AT_ONCE)):
        questions = [whether(positive, one.head, one.tail) for one, positive in chunk]
        answers = teacher.judge(
            [_QUESTION.format(question=question) for question in questions],
            prompt=SELF_CHECK_PROMPT,
        )
        for (triple, _), question, yes in zip(chunk, questions, answers, strict=True):
            yield SelfCheck(triple_id=triple.triple_id, question=question, yes=round(yes, 6))


def prompt_key() -> str:
    """Give the key of all that is asked, for the stage that keeps the answers."""
    return content_key([SELF_CHECK_PROMPT, _QUESTION])
