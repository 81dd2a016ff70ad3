from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kgbuild.core.ids import triple_id
from kgbuild.core.records import HeadKind, Label, LabelledTriple
from kgbuild.labelling import LabelFile, LabelSession, Question


def make_question(number: int, *, relation: str = "xReact") -> Question:
    head, tail = f"PersonX visits friend {number}", "tired"
    return Question(
        triple_id=triple_id(head, relation, tail),
        head=head,
        relation=relation,
        tail=tail,
        kind=HeadKind.EVENT,
        sentence=f"{head}. PersonX feels {tail}.",
        teacher="tiny",
        log_probability=-3.0,
        mean_log_probability=-1.5,
        prior_log_probability=-5.0,
        tokens=2,
    )


def make_row(
    number: int,
    label: Label,
    *,
    by: str = "ann",
    at: str = "2026-11-24T10:00:00+00:00",
    relation: str = "xReact",
    **changes: object,
) -> LabelledTriple:
    fields = {
        **make_question(number, relation=relation).model_dump(),
        "arm": "beam",
        "label": label,
        "labeller": by,
        "labelled_at": at,
        "guideline": 1,
        **changes,
    }
    return LabelledTriple.model_validate(fields)


class Clock:
    """Goes on six seconds whenever it is read."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 26, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=6)
        return self.now


@pytest.fixture(autouse=True)
def synced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes at which a file was synced, instead of waiting for a busy disk."""
    sizes: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda file: sizes.append(os.fstat(file).st_size))
    return sizes


Start = Callable[..., LabelSession]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "labels" / "ann.jsonl"


@pytest.fixture
def start(path: Path) -> Iterator[Start]:
    """Opens a session of ten questions; the one before is closed first."""
    open_now: list[LabelSession] = []

    def make(count: int = 10, *, labeller: str = "ann", **settings: object) -> LabelSession:
        while open_now:
            open_now.pop().close()
        questions = [make_question(number) for number in range(count)]
        session = LabelSession(
            LabelFile(path),
            questions,
            labeller=labeller,
            clock=settings.pop("clock", Clock()),
            **{"again_share": 0.0, **settings},
        )
        open_now.append(session)
        return session

    yield make
    while open_now:
        open_now.pop().close()


def answer_all(session: LabelSession, label: Label = Label.LIKELY, *, most: int = 1_000) -> int:
    """Answer until there is nothing left, and give how many answers that took."""
    count = 0
    while count < most and (question := session.current()) is not None:
        session.answer(question.triple_id, label)
        count += 1
    return count
