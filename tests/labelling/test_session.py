from __future__ import annotations

from pathlib import Path

import pytest

from kgbuild.core.errors import LabelError
from kgbuild.core.records import Label, LabelledTriple
from kgbuild.core.review import read_rows
from kgbuild.critic import read_labels, settle_labels
from kgbuild.labelling import LabelFile, LabelSession
from tests.labelling.conftest import Clock, Start, answer_all, make_question


def test_an_answer_is_on_disk_with_all_that_is_known_when_the_next_question_comes(
    start: Start, path: Path
) -> None:
    session = start()
    question = session.current()
    assert question == make_question(0)
    session.answer(question.triple_id, Label.ALWAYS, harm=True, comment="rude", seconds=2.345)
    (row,) = read_labels([path])
    assert (row.label, row.harm, row.comment, row.seconds) == (Label.ALWAYS, True, "rude", 2.3)
    assert (row.labeller, row.guideline, row.chosen_by) == ("ann", 1, "random")
    assert row.labelled_at.startswith("2026-11-26T12:00:")
    assert (row.sentence, row.teacher, row.tokens) == (question.sentence, "tiny", 2)
    assert session.current() == make_question(1)


def test_an_answer_is_synced_to_disk_before_it_counts(start: Start, synced: list[int]) -> None:
    session = start()
    for number in range(3):
        synced.clear()
        session.answer(make_question(number).triple_id, Label.LIKELY)
        assert len(synced) == 1


def test_only_the_current_question_can_be_answered(start: Start, path: Path) -> None:
    session = start()
    first, second = make_question(0).triple_id, make_question(1).triple_id
    for wrong in (second, "", "x" * 1_000):
        with pytest.raises(LabelError, match="not the question that is asked now"):
            session.answer(wrong, Label.LIKELY)
    session.answer(first, Label.LIKELY)
    with pytest.raises(LabelError, match="not saved"):
        session.answer(first, Label.INVALID)
    assert [row.label for row in read_labels([path])] == [Label.LIKELY]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"comment": "two\nlines"}, "line break"),
        ({"comment": "x" * 1_001}, "1,001 characters"),
        ({"seconds": float("nan")}, "no time"),
        ({"seconds": -1.0}, "no time"),
    ],
)
def test_a_refused_answer_leaves_no_trace(
    start: Start, path: Path, given: dict[str, object], message: str
) -> None:
    session = start()
    with pytest.raises(LabelError, match=message):
        session.answer(make_question(0).triple_id, Label.LIKELY, **given)
    assert path.read_bytes() == b""
    assert session.current() == make_question(0)


def test_undo_asks_again_and_its_rows_count_for_nobody(start: Start, path: Path) -> None:
    session = start()
    for label in (Label.LIKELY, Label.INVALID):
        session.answer(session.current().triple_id, label)
    assert session.undo() == session.current() == make_question(1)
    assert [row.label for row in read_labels([path])] == [Label.LIKELY]
    session.answer(make_question(1).triple_id, Label.ALWAYS)
    assert session.current() == make_question(2)
    assert [row.label for row in read_labels([path])] == [Label.LIKELY, Label.ALWAYS]
    # Nothing was rewritten: what was said and taken back can be read.
    every = [(row.label, row.is_retraction) for row in read_rows(path, LabelledTriple)]
    assert every == [
        (Label.LIKELY, False), (Label.INVALID, False), (Label.INVALID, True), (Label.ALWAYS, False),
    ]  # fmt: skip


def test_undo_goes_back_to_the_first_answer_and_no_further(start: Start, path: Path) -> None:
    session = start()
    assert session.undo() is None
    assert answer_all(session, most=3) == 3
    assert [session.undo() for _ in range(4)] == [*map(make_question, (2, 1, 0)), None]
    assert read_labels([path]) == []
    assert [session.current() for _ in range(2)] == [make_question(0)] * 2
    assert answer_all(session) == 10


def test_a_new_session_goes_on_where_the_last_one_was_and_may_undo_it(
    start: Start, path: Path
) -> None:
    answer_all(start(), most=4)
    session = start()
    assert session.current() == make_question(4)
    assert session.progress().judged == 4
    assert session.undo() == make_question(3)
    session = start()
    assert session.current() == make_question(3)
    assert answer_all(session) == 7
    assert len(read_labels([path])) == 10
    assert start().current() is None


def test_undo_never_touches_answers_about_other_triples(start: Start, path: Path) -> None:
    answer_all(start(2))
    session = start(1)  # The last answer was about question 1, which is not asked here.
    assert session.undo() is None
    assert len(read_labels([path])) == 2


def test_another_labeller_reads_the_same_sentences_into_the_same_file(
    start: Start, path: Path
) -> None:
    answer_all(start(3), Label.LIKELY)
    other = start(3, labeller="bob")
    assert other.current() == make_question(0)
    answer_all(other, Label.INVALID)
    assert other.progress().judged == 3
    rows = read_labels([path])
    assert [row.labeller for row in rows] == ["ann"] * 3 + ["bob"] * 3
    assert other.undo() == make_question(2)
    assert {row.labeller for row in read_labels([path]) if row.head.endswith("2")} == {"ann"}


def test_unsure_is_an_answer_and_not_an_undo(start: Start, path: Path) -> None:
    session = start(1)
    answer_all(session, Label.UNSURE)
    assert session.current() is None
    assert [row.label for row in read_labels([path])] == [Label.UNSURE]
    assert settle_labels(read_labels([path])) == []


def test_the_limit_ends_a_session_and_undo_opens_it_again(start: Start) -> None:
    session = start(limit=2)
    assert session.progress().left == 2
    assert answer_all(session) == 2
    assert session.progress().left == 0
    session.undo()
    assert session.current() == make_question(1)
    assert answer_all(session) == 1
    assert answer_all(start(limit=2)) == 2


def test_every_tenth_answer_is_a_second_reading_of_an_old_one(start: Start, path: Path) -> None:
    session = start(100, again_share=0.1)
    assert answer_all(session) > 100
    rows = read_labels([path])
    again = [place for place, row in enumerate(rows) if row.chosen_by == "again"]
    assert again == [29, 39, 49, 59, 69, 79, 89, 99]
    first = {row.triple_id: place for place, row in reversed(list(enumerate(rows)))}
    assert all(place - first[rows[place].triple_id] > 20 for place in again)
    # Never a third time, and the words are those of the first reading.
    assert len({rows[place].triple_id for place in again}) == len(again)
    progress = session.progress()
    assert (progress.asked_again, progress.agreed_again) == (8, 8)
    assert (progress.judged, progress.left) == (108, 0)


def test_second_readings_are_chosen_by_the_seed_and_found_again_after_a_kill(
    start: Start, path: Path
) -> None:
    def read(seed: int, *, restart_after: int) -> list[str]:
        path.unlink(missing_ok=True)
        answer_all(start(60, again_share=0.2, seed=seed), most=restart_after)
        answer_all(start(60, again_share=0.2, seed=seed))
        return [row.triple_id for row in read_labels([path])]

    assert read(1, restart_after=33) == read(1, restart_after=29) == read(1, restart_after=0)
    assert read(1, restart_after=33) != read(2, restart_after=33)


def test_agreement_with_oneself_counts_sides_and_leaves_unsure_out(start: Start) -> None:
    session = start(60, again_share=0.1)
    answer_all(session, Label.LIKELY, most=29)
    for label in (Label.ALWAYS, Label.INVALID, Label.UNSURE):
        while session.current().chosen_by != "again":
            session.answer(session.current().triple_id, Label.LIKELY)
        session.answer(session.current().triple_id, label)
    progress = session.progress()
    assert (progress.asked_again, progress.agreed_again) == (2, 1)
    assert progress.counts[Label.UNSURE] == progress.counts[Label.INVALID] == 1


def test_progress_counts_answers_a_minute_by_the_clock(start: Start) -> None:
    session = start()
    assert session.progress().per_minute is None
    answer_all(session, most=5)
    # The clock is read for the first question and for five answers: five steps of six seconds.
    progress = session.progress()
    assert progress.per_minute == pytest.approx(10.0)
    assert (progress.judged_now, progress.left) == (5, 5)
    assert progress.counts[Label.LIKELY] == 5


def test_a_clock_that_was_set_back_makes_no_answer_older_than_the_one_before(
    start: Start, path: Path
) -> None:
    clock = Clock()
    session = start(clock=clock)
    session.answer(make_question(0).triple_id, Label.LIKELY)
    session.undo()
    clock.now = clock.now.replace(year=2020)
    session.answer(make_question(0).triple_id, Label.INVALID)
    session.answer(make_question(1).triple_id, Label.INVALID)
    times = [row.labelled_at for row in read_rows(path, LabelledTriple)]
    assert len(times) == 4
    assert times == sorted(times)
    # So the latest answer wins, not the one with the latest clock.
    assert [row.label for row in settle_labels(read_labels([path]))] == [Label.INVALID] * 2


@pytest.mark.parametrize("name", ["", "   ", "x" * 65, "an\nn", "an\x1bn"])
def test_a_name_that_is_none_is_refused(start: Start, name: str) -> None:
    with pytest.raises(LabelError, match="no labeller's name"):
        start(labeller=name)


def test_a_question_that_comes_twice_is_asked_once(start: Start, path: Path) -> None:
    with LabelSession(
        LabelFile(path), [make_question(0)] * 3, labeller="ann", clock=Clock()
    ) as session:
        assert session.progress().left == 1
        assert answer_all(session) == 1
