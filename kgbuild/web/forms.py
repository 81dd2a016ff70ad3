"""What a page may send, checked field by field; a request's body is hostile until then."""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from starlette.exceptions import HTTPException

from kgbuild.core.records import Label

MAX_COMMENT = 1_000
_DAY_SECONDS = 86_400
_FIELDS = 8
F = TypeVar("F", bound="TurnForm")


class TurnForm(BaseModel):
    """Every form says which turn its page shows."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_max_length=4 * MAX_COMMENT)

    turn: int = Field(ge=1)


class AnswerForm(TurnForm):
    """One answer: the question that was shown, the label, and what was written beside it."""

    question: str = Field(min_length=1, max_length=100)
    label: Label
    harm: bool = False
    comment: str = Field(default="", max_length=MAX_COMMENT)
    seconds: float | None = Field(default=None, ge=0, le=_DAY_SECONDS)

    @field_validator("comment")
    @classmethod
    def _flatten(cls, comment: str) -> str:
        """Leave one line of text without control characters."""
        return " ".join("".join(c if c.isprintable() else " " for c in comment).split())

    @field_validator("seconds", mode="before")
    @classmethod
    def _allow_none(cls, seconds: object) -> object:
        # The field stands in the page and is filled by its script only.
        return None if seconds == "" else seconds


def read_form(body: bytes, form: type[F]) -> F:
    """Give a body of `application/x-www-form-urlencoded` as a checked form.

    Raises:
        HTTPException: With status 400 or 422, and what is wrong in plain words.
    """
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_FIELDS,
        )
    except ValueError as error:
        raise HTTPException(400, "That is no form that this page sends.") from error
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise HTTPException(400, "A field of the form is given twice.")
    try:
        return form.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise HTTPException(422, f"{place[:40]}: {first['msg']}; nothing was saved.") from error
