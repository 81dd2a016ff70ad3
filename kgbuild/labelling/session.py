"""One labeller at work: the next question, the answer, the last answer taken back."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime
from types import TracebackType

from pydantic import Field

from kgbuild.core.errors import LabelError
from kgbuild.core.ids import content_key
from kgbuild.core.records import Label, LabelledTriple, Record
from kgbuild.labelling.label_file import LabelFile
from kgbuild.labelling.question import AGAIN, Question

__all__ = ["LabelSession", "Question", "SessionProgress"]

_MAX_NAME = 64
_MAX_COMMENT = 1_000
# So many other sentences lie between two readings of one: the answer is forgotten by then.
_FORGOTTEN_AFTER = 20


class SessionProgress(Record):
    """How far a session is, and how the labeller agrees with themself."""

    judged_now: int = Field(description="Answers of this session that stand")
    judged: int = Field(description="The labeller's answers in the file that stand")
    left: int = Field(description="Questions left for this session")
    counts: dict[Label, int] = Field(description="The labeller's standing answers, by label")
    per_minute: float | None = Field(description="Answers a minute of this session")
    asked_again: int = Field(description="Second readings of a sentence, both of them sure")
    agreed_again: int = Field(description="Of those, how many were accepted or refused both times")


class LabelSession:
    """One labeller and one label file that is only added to.

    Whatever was answered is on disk when `answer` returns. The next question follows from the
    file and the given order alone, so a session that was killed goes on where it stopped.

    Args:
        file: Where answers go; closed with the session.
        questions: What to ask, in order; what the labeller has judged in the file is left out.
        labeller: Who judges.
        clock: Gives the time, in UTC.
        guideline: Version of the guideline that is followed.
        limit: End after this many answers; 0 is no limit.
        again_share: Share of answers that are second readings of one's own earlier ones.
        seed: Chooses which of one's own are asked again.

    Raises:
        LabelError: If the labeller's name is empty, too long or not printable.
    """

    def __init__(
        self,
        file: LabelFile,
        questions: Iterable[Question],
        *,
        labeller: str,
        clock: Callable[[], datetime],
        guideline: int = 1,
        limit: int = 0,
        again_share: float = 0.1,
        seed: int = 0,
    ) -> None:
        self._labeller = check_labeller(labeller)
        self._file = file
        self._clock = clock
        self._guideline = guideline
        self._limit = limit
        self._again_every = round(1 / again_share) if again_share > 0 else 0
        self._seed = seed
        self._own = [row for row in file.standing() if row.labeller == self._labeller]
        self._latest = max((row.labelled_at for row in self._own), default="")
        judged = {row.triple_id for row in self._own}
        unique = {question.triple_id: question for question in questions}
        self._known = {*unique}
        self._queue = deque(one for one in unique.values() if one.triple_id not in judged)
        # What is asked next, the last first: drawn from the queue, or taken back into it.
        self._asked: list[Question] = []
        self._judged_now = 0
        self._started: datetime | None = None
        self._answered: datetime | None = None

    def __enter__(self) -> LabelSession:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the label file."""
        self._file.close()

    @property
    def labeller(self) -> str:
        """Whose answers these are."""
        return self._labeller

    def current(self) -> Question | None:
        """Give the question to answer now; None if all are judged or the limit is reached."""
        if self._limit and self._judged_now >= self._limit:
            return None
        if not self._asked:
            drawn = self._draw()
            if drawn is None:
                return None
            self._asked.append(drawn)
        if self._started is None:
            self._started = self._clock()
        return self._asked[-1]

    def answer(
        self,
        question_id: str,
        label: Label,
        *,
        harm: bool = False,
        comment: str = "",
        seconds: float | None = None,
    ) -> None:
        """Write the answer to the current question to disk.

        Args:
            question_id: The `triple_id` of the question that was shown.
            label: The answer.
            harm: Whether the sentence demeans a group of people.
            comment: What the labeller wrote beside it.
            seconds: How long the labeller took.

        Raises:
            LabelError: If the question is not the current one, or a value breaks a rule.
            FileError: If the answer cannot be written; the question stays the current one.
        """
        question = self.current()
        if question is None or question.triple_id != question_id:
            raise LabelError(
                f"{question_id[:80]!r} is not the question that is asked now; the answer was not "
                "saved, look at the current question"
            )
        if len(comment) > _MAX_COMMENT or not all(map(str.isprintable, comment)):
            raise LabelError(
                f"The comment {comment[:80]!r} has {len(comment):,} characters or a line break; at "
                f"most {_MAX_COMMENT:,} on one line are kept"
            )
        if seconds is not None and not (math.isfinite(seconds) and seconds >= 0):
            raise LabelError(f"{seconds} seconds is no time; give a number from 0, or nothing")
        now = self._clock()
        row = LabelledTriple(
            **question.model_dump(),
            label=Label(label),
            harm=harm,
            labeller=self._labeller,
            labelled_at=self._stamp(now),
            guideline=self._guideline,
            comment=comment,
            seconds=None if seconds is None else round(seconds, 1),
        )
        self._file.append(row)
        self._own.append(row)
        self._asked.pop()
        self._judged_now += 1
        self._answered = now

    def undo(self) -> Question | None:
        """Take the labeller's last answer back and give its question, which is asked again now.

        A row marked `is_retraction` is added; readers of the file then count neither. Answers of
        earlier sessions can be taken back too, newest first, as long as they are about the
        triples of this session; None if there is no such answer.

        Raises:
            FileError: If it cannot be written; the answer stands.
        """
        if not self._own or self._own[-1].triple_id not in self._known:
            return None
        last = self._own[-1]
        stamp = self._stamp(self._clock())
        self._file.append(last.model_copy(update={"is_retraction": True, "labelled_at": stamp}))
        self._own.pop()
        self._judged_now = max(0, self._judged_now - 1)
        question = Question.of_label(last, chosen_by=last.chosen_by)
        self._asked.append(question)
        return question

    def progress(self) -> SessionProgress:
        """Give the counts so far."""
        left = len(self._queue) + len(self._asked)
        if self._limit:
            left = min(left, max(0, self._limit - self._judged_now))
        pairs = self._read_twice()
        return SessionProgress(
            judged_now=self._judged_now,
            judged=len(self._own),
            left=left,
            counts={label: sum(row.label is label for row in self._own) for label in Label},
            per_minute=self._rate(),
            asked_again=len(pairs),
            agreed_again=sum(a.is_accepted is b.is_accepted for a, b in pairs),
        )

    def _read_twice(self) -> list[tuple[Label, Label]]:
        """Give the first label and the later one wherever both are sure."""
        first: dict[str, Label] = {}
        pairs: list[tuple[Label, Label]] = []
        for row in self._own:
            if row.label is not Label.UNSURE:
                if row.triple_id in first:
                    pairs.append((first[row.triple_id], row.label))
                first.setdefault(row.triple_id, row.label)
        return pairs

    def _draw(self) -> Question | None:
        if not self._queue:
            return None
        return self._draw_again() or self._queue.popleft()

    def _draw_again(self) -> Question | None:
        """Give an earlier sentence for a second reading, if it is time for one."""
        if not self._again_every or (len(self._own) + 1) % self._again_every:
            return None
        reads: dict[str, list[LabelledTriple]] = {}
        for row in self._own:
            reads.setdefault(row.triple_id, []).append(row)
        recent = {row.triple_id for row in self._own[-_FORGOTTEN_AFTER:]}
        once = [rows[0] for name, rows in reads.items() if len(rows) == 1 and name not in recent]
        if not once:
            return None
        chosen = min(once, key=lambda row: content_key([self._seed, AGAIN, row.triple_id]))
        # It may be taken back, wherever it came from.
        self._known.add(chosen.triple_id)
        return Question.of_label(chosen, chosen_by=AGAIN)

    def _stamp(self, now: datetime) -> str:
        """Give the time for a row; a clock that was set back never makes it older than the last."""
        self._latest = max(self._latest, now.isoformat(timespec="seconds"))
        return self._latest

    def _rate(self) -> float | None:
        if self._started is None or self._answered is None or not self._judged_now:
            return None
        minutes = (self._answered - self._started).total_seconds() / 60
        return self._judged_now / minutes if minutes > 0 else None


def check_labeller(name: str) -> str:
    """Give a labeller's name without outer space.

    Raises:
        LabelError: If it is empty, too long or not printable.
    """
    name = name.strip()
    if not name or len(name) > _MAX_NAME or not name.isprintable():
        raise LabelError(
            f"{name[:80]!r} is no labeller's name; give one line of 1 to {_MAX_NAME} characters "
            "with --labeller"
        )
    return name
