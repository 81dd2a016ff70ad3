"""What a record is, and the fixed words that records use."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A frozen record with exactly the declared fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class HeadKind(StrEnum):
    """What a head speaks of."""

    EVENT = "event"
    CONCEPT = "concept"


class Split(StrEnum):
    """The part of a corpus that a head's triples belong to."""

    TRAIN = "train"
    DEV = "dev"
    TEST = "test"


class Label(StrEnum):
    """A judgement of one verbalised triple (labelling guideline 1)."""

    ALWAYS = "always"
    LIKELY = "likely"
    FARFETCHED = "farfetched"
    INVALID = "invalid"
    UNSURE = "unsure"

    @property
    def is_accepted(self) -> bool:
        """Whether a typical adult would accept the triple as ordinary commonsense."""
        return self in (Label.ALWAYS, Label.LIKELY)
