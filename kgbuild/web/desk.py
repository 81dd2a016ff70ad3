"""The one place where answers of all pages meet: each turn takes one, in order."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kgbuild.core.records import Label, Record
from kgbuild.web.forms import AnswerForm, TurnForm

if TYPE_CHECKING:
    from kgbuild.labelling import LabelSession, Question, SessionProgress


class StaleTurnError(Exception):
    """The page showed an earlier state; the message tells its reader what became of the answer."""


class Answered(Record):
    """The answer that `undo` would take back, for the page to show."""

    turn: int
    question: str
    sentence: str
    label: Label
    is_harm: bool


@dataclass(frozen=True)
class DeskView:
    """What a page shows: the state of the session at one turn."""

    turn: int
    question: Question | None
    progress: SessionProgress
    last: Answered | None


class LabelDesk:
    """A label session that several pages of one labeller may use at once.

    Every change begins a new turn, and a page sends the turn that it shows. So a form that is
    sent twice, a second window and a request that was lost and tried again can neither answer
    twice nor take back more than what the reader saw.
    """

    def __init__(self, session: LabelSession) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._turn = 1
        self._last: Answered | None = None

    @property
    def labeller(self) -> str:
        """Whose labels these are."""
        return self._session.labeller

    def view(self) -> DeskView:
        """Give what a page shows now."""
        with self._lock:
            return DeskView(
                turn=self._turn,
                question=self._session.current(),
                progress=self._session.progress(),
                last=self._last,
            )

    def answer(self, form: AnswerForm) -> None:
        """Write one answer to disk and go on to the next question.

        Raises:
            StaleTurnError: If the page did not show the current question.
            KgbuildError: If the session refuses it or it cannot be written.
        """
        with self._lock:
            question = self._session.current()
            is_current = question is not None and question.triple_id == form.question
            if form.turn != self._turn or question is None or not is_current:
                raise StaleTurnError(self._explain(form))
            self._session.answer(
                form.question,
                form.label,
                harm=form.harm,
                comment=form.comment,
                seconds=form.seconds,
            )
            self._last = Answered(
                turn=self._turn,
                question=form.question,
                sentence=question.sentence,
                label=form.label,
                is_harm=form.harm,
            )
            self._turn += 1

    def undo(self, form: TurnForm) -> bool:
        """Take the last answer back and give whether there was one.

        Raises:
            StaleTurnError: If the page did not show the current question.
            KgbuildError: If it cannot be written.
        """
        with self._lock:
            if form.turn != self._turn:
                raise StaleTurnError(
                    "Nothing was taken back: this page was behind. Here is the current sentence."
                )
            if self._session.undo() is None:
                return False
            self._last = None
            self._turn += 1
            return True

    def _explain(self, form: AnswerForm) -> str:
        last = self._last
        if last is not None and (form.turn, form.question) == (last.turn, last.question):
            if form.label is last.label:
                return f"“{form.label}” was saved already, once."
            return (
                f"“{form.label}” was not saved: “{last.label}” had been saved for that sentence. "
                "Undo takes it back."
            )
        return f"“{form.label}” was not saved: this page was behind. Here is the current sentence."
