"""What a relation pack holds: the models that `schemas/relations/*.yaml` is read into.

A relation says how a head is asked about (`prompt`), how a finished triple reads (`sentence`),
what a tail must and must not contain (`clauses`, `length`), and how it is listed. Clauses are
readable literals here; `prompts` hands them to `decoding`.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

from pydantic import ConfigDict, Field, model_validator

from kgbuild.core.errors import did_you_mean
from kgbuild.core.records import HeadKind, Record

NAME_RULE = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}")
# How a frame may show the head, the tail, and verbs that agree with the head.
HEAD_FORMS = ("head", "Head", "a head", "A head", "heads", "Heads", "something")
TAIL_FORMS = ("tail", "a tail", "bare tail")
AGREEMENT = {
    "is": ("is", "are"),
    "has": ("has", "have"),
    "does": ("does", "do"),
    "wants": ("wants", "want"),
}
PLACEHOLDERS = (*HEAD_FORMS, *AGREEMENT, *TAIL_FORMS)
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class Polarity(StrEnum):
    """Whether a relation says that something is so or that it is not."""

    POSITIVE = "positive"
    NEGATIVE = "negative"


class TailKind(StrEnum):
    """What kind of answer a relation asks for."""

    ACTION = "action"
    CONCEPT = "concept"
    EVENT = "event"
    FEELING = "feeling"
    PROPERTY = "property"
    STATE = "state"
    TRAIT = "trait"


class Family(StrEnum):
    """The family of a relation in ATOMIC-2020 (Hwang et al. 2021, section 3)."""

    SOCIAL = "social"
    EVENT = "event"
    PHYSICAL = "physical"


class ClauseSpec(Record):
    """One decoding clause as people write it: any of these, none of these, or a count.

    Phrases match whole words and ignore case. In YAML a bare list is `any:`.

    >>> ClauseSpec.model_validate(["buy", "find"]).any
    ('buy', 'find')
    >>> ClauseSpec.model_validate({"not": "again"}).banned
    ('again',)
    >>> ClauseSpec.model_validate({"count": {"phrases": ["and"], "max": 1}}).counted
    ('and',)
    """

    # By name too, so that a relation can be read back from its own `model_dump`.
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    any: tuple[str, ...] = Field(default=(), description="One of these phrases must occur")
    banned: tuple[str, ...] = Field(default=(), alias="not", description="None of these may occur")
    counted: tuple[str, ...] = Field(
        default=(), description="These together occur min to max times"
    )
    min: int = Field(default=0, ge=0)
    max: int | None = Field(default=None, ge=0)

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        if isinstance(value, list):
            return {"any": value}
        if not isinstance(value, dict):
            return value
        fields: dict[str, Any] = {
            key: [part] if isinstance(part, str) else part for key, part in value.items()
        }
        count = fields.get("count")
        if isinstance(count, dict):
            del fields["count"]
            fields |= {"counted" if key == "phrases" else key: part for key, part in count.items()}
        return fields

    @model_validator(mode="after")
    def _check(self) -> ClauseSpec:
        if sum(map(bool, (self.any, self.banned, self.counted))) != 1:
            raise ValueError("a clause is a list of phrases, `not:` phrases, or `count:`")
        if any(not phrase.strip() for phrase in (*self.any, *self.banned, *self.counted)):
            raise ValueError("a clause holds an empty phrase")
        if self.max is not None and self.max < self.min:
            raise ValueError(f"count min {self.min} is over max {self.max}")
        return self


class Length(Record):
    """Bounds of a tail, in words, the tail prefix included."""

    min_words: int = Field(default=1, ge=1)
    max_words: int = Field(default=8, ge=1)

    def has_room_for(self, tail: str) -> bool:
        """Whether a tail has a number of words within the bounds."""
        return self.min_words <= len(tail.split()) <= self.max_words

    @model_validator(mode="after")
    def _check(self) -> Length:
        if self.max_words < self.min_words:
            raise ValueError(f"min_words {self.min_words} is over max_words {self.max_words}")
        return self


class Relation(Record):
    """How one relation is explained, asked, verbalised and constrained."""

    name: str
    gloss: str
    head_kind: HeadKind
    tail_kind: TailKind
    family: Family
    polarity: Polarity = Polarity.POSITIVE
    negates: str | None = Field(default=None, description="The positive relation it denies")
    sentence: str = Field(description="Verbalisation that people and the critic read")
    prompt: str = Field(description="The line that the teacher continues")
    tail_prefix: str | None = Field(default=None, description="Words that every tail begins with")
    reverse_question: str = Field(description="Asks for the head, given the tail")
    whether: str | None = Field(
        default=None, description="Asks yes or no whether a triple holds; {is} first is capitalised"
    )
    clauses: tuple[ClauseSpec, ...] = ()
    ban_head_words: bool = Field(default=False, description="Ban the head's content words")
    ban_head_verb: bool = Field(default=False, description="Ban the head's main verb")
    ban_shot_tails: bool = Field(default=True, description="Ban the tails that the prompt shows")
    length: Length = Length()

    @model_validator(mode="after")
    def _check(self) -> Relation:
        if not NAME_RULE.fullmatch(self.name):
            raise ValueError(f"name {self.name!r} is not letters and digits, a letter first")
        for field in ("sentence", "prompt", "reverse_question", "whether"):
            frame = getattr(self, field)
            if frame is None:
                continue
            forms = PLACEHOLDER.findall(frame)
            for form in forms:
                if form not in PLACEHOLDERS:
                    raise ValueError(
                        f"{field} has {{{form}}}{did_you_mean(form, PLACEHOLDERS)}; known are "
                        + ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
                    )
            if field != "reverse_question" and not set(forms) & set(HEAD_FORMS):
                raise ValueError(f"{field} names no {{head}}")
            if field != "prompt" and not set(forms) & set(TAIL_FORMS):
                raise ValueError(f"{field} names no {{tail}}")
        if (self.polarity is Polarity.NEGATIVE) != (self.negates is not None):
            raise ValueError("a negative relation, and no other, says which one it negates")
        return self


class RelationPack(Record):
    """The relations of one file."""

    pack: str
    language: str
    version: int
    relations: tuple[Relation, ...]

    # Not a minimal length of the field: pydantic would then count only the valid relations.
    @model_validator(mode="after")
    def _check(self) -> RelationPack:
        if not self.relations:
            raise ValueError("a pack holds at least one relation")
        return self


class Shot(Record):
    """A worked example for a prompt."""

    head: str
    relation: str
    tail: str
