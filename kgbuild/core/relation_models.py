"""What a relation pack holds: the models that `schemas/relations/*.yaml` is read into.

A relation says how a head is asked about (`prompt`), how a finished triple reads (`sentence`),
what a tail must and must not contain (`clauses`, `length`), and how it is listed. Clauses are
readable literals here; `decoding` turns them into token sequences.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field, model_validator

from kgbuild.core.records import HeadKind, Record


class TailKind(StrEnum):
    """What a tail speaks of."""

    EVENT = "event"
    ACTION = "action"
    STATE = "state"
    FEELING = "feeling"
    TRAIT = "trait"
    CONCEPT = "concept"
    PROPERTY = "property"


class Family(StrEnum):
    """The group that a relation is listed and coloured with."""

    SOCIAL = "social"
    EVENT = "event"
    PHYSICAL = "physical"


class Polarity(StrEnum):
    """Whether a relation states something or denies it."""

    POSITIVE = "positive"
    NEGATIVE = "negative"


class ClauseRule(StrEnum):
    """What a clause asks of its phrases."""

    ANY = "any"
    NOT = "not"
    COUNT = "count"


class Clause(Record):
    """Phrases of which a tail holds at least one, none, or between `min` and `max`.

    Phrases match whole words and ignore case. In YAML a bare list is `any`.

    >>> Clause.model_validate(["buy", "find"]).rule
    <ClauseRule.ANY: 'any'>
    >>> Clause.model_validate({"not": "again"}).phrases
    ('again',)
    >>> Clause.model_validate({"count": {"phrases": ["and"], "max": 1}}).max_count
    1
    """

    rule: ClauseRule
    phrases: tuple[str, ...] = Field(min_length=1)
    min_count: int = Field(default=0, ge=0, description="Occurrences asked for, for `count`")
    max_count: int | None = Field(default=None, description="Occurrences allowed; null is any")

    @model_validator(mode="before")
    @classmethod
    def _read_yaml(cls, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return {"rule": ClauseRule.ANY, "phrases": tuple(value)}
        if not isinstance(value, dict) or "rule" in value or len(value) != 1:
            return value
        rule, content = next(iter(value.items()))
        if rule == ClauseRule.COUNT and isinstance(content, dict):
            names = {"min": "min_count", "max": "max_count"}
            return {"rule": rule, **{names.get(key, key): part for key, part in content.items()}}
        return {"rule": rule, "phrases": (content,) if isinstance(content, str) else content}


class Length(Record):
    """How many words a tail has, its `tail_prefix` included."""

    min_words: int = Field(default=1, ge=1)
    max_words: int = Field(default=10, ge=1)

    def has_room_for(self, tail: str) -> bool:
        """Whether the tail's number of words is within the bounds.

        >>> Length(min_words=2, max_words=3).has_room_for("to buy flour")
        True
        """
        return self.min_words <= len(tail.split()) <= self.max_words


class Relation(Record):
    """One relation of a pack: how to ask for it, read it, and constrain its tails."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9]*$", description="A graph relationship type")
    gloss: str = Field(min_length=1, description="What the tail is to the head, in one line")
    head_kind: HeadKind
    tail_kind: TailKind
    family: Family
    polarity: Polarity = Polarity.POSITIVE
    negates: str | None = Field(default=None, description="The relation that this one denies")
    sentence: str = Field(description="The triple as a sentence, for labelling and the critic")
    prompt: str = Field(description="The line that the teacher continues")
    tail_prefix: str | None = Field(
        default=None, description="Words that end the prompt and begin the tail, such as `to`"
    )
    reverse_question: str = Field(description="The question whose answer is the head")
    clauses: tuple[Clause, ...] = ()
    ban_head_words: bool = Field(
        default=False, description="Ban the head's content words, where repetition is the failure"
    )
    ban_head_verb: bool = Field(
        default=False, description="Ban the head's main verb only; its other words may return"
    )
    ban_shot_tails: bool = Field(default=True, description="Ban the whole tails of the shots shown")
    length: Length = Length()


class RelationPack(Record):
    """One YAML file of relations."""

    pack: str
    language: str
    version: int = Field(ge=1)
    relations: tuple[Relation, ...] = Field(min_length=1)


class Shot(Record):
    """An example triple that stands in a prompt."""

    relation: str
    head: str
    tail: str
