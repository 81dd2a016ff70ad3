"""Answers through the page: each is on disk before the next sentence, once, and by its question."""

from __future__ import annotations

import errno
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kgbuild.core.errors import FileError
from kgbuild.core.records import Label
from kgbuild.web.pages import CHOICES
from tests.web.conftest import ORIGIN, Desk


def test_an_answer_is_on_disk_when_the_next_sentence_is_shown(desk: Desk) -> None:
    desk.enter()
    for number, label in enumerate(("always", "likely", "farfetched", "invalid", "unsure"), 1):
        shown = desk.sentence()
        reply = desk.post("/answer", desk.form(label))
        assert (reply.status_code, reply.headers["location"]) == (303, "/")
        rows = desk.rows()
        assert len(rows) == number
        assert (rows[-1].label, rows[-1].sentence, rows[-1].labeller) == (label, shown, "ann")
        assert desk.sentence() != shown


def test_the_script_gets_the_next_page_at_once(desk: Desk) -> None:
    desk.enter()
    reply = desk.post("/answer", desk.form("likely"), by_script=True)
    assert reply.status_code == 200
    assert desk.sentence() in reply.text


def test_harm_comment_and_seconds_are_kept(desk: Desk) -> None:
    desk.enter()
    beside = {"harm": "true", "comment": " two\r\nlines\x07 ", "seconds": "2.5"}
    assert desk.post("/answer", desk.form("invalid") | beside).status_code == 303
    (row,) = desk.rows()
    assert (row.label, row.harm, row.comment) == (Label.INVALID, True, "two lines")
    assert row.seconds == 2.5


def test_a_page_without_its_script_sends_no_seconds(desk: Desk) -> None:
    desk.enter()
    assert desk.post("/answer", desk.form("likely") | {"seconds": ""}).status_code == 303
    assert desk.rows()[0].seconds is None


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"label": "maybe"}, 422),
        ({"label": "Likely"}, 422),
        ({"label": ""}, 422),
        ({"turn": "one"}, 422),
        ({"turn": "0"}, 422),
        ({"turn": "9" * 5_000}, 422),
        ({"seconds": "nan"}, 422),
        ({"seconds": "inf"}, 422),
        ({"seconds": "-1"}, 422),
        ({"seconds": "1e9"}, 422),
        ({"harm": "perhaps"}, 422),
        ({"comment": "x" * 1_001}, 422),
        ({"labeller": "bob"}, 422),
        ({"question": ""}, 422),
        ({"question": "x" * 101}, 422),
    ],
)
def test_a_field_that_breaks_a_rule_saves_nothing(
    desk: Desk, change: dict[str, str], status: int
) -> None:
    desk.enter()
    reply = desk.post("/answer", desk.form("likely") | change)
    assert reply.status_code == status
    assert "nothing was saved" in reply.text
    assert not desk.rows()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"turn",
        b"turn=1&turn=2&question=x&label=likely",
        b"turn=%ff&label=likely",
        b"\xff\xfe",
        b"&".join(b"f%d=1" % number for number in range(200)),
        b'{"turn": 1}',
    ],
)
def test_a_body_that_is_no_form_saves_nothing(desk: Desk, body: bytes) -> None:
    desk.enter()
    headers = {"origin": ORIGIN, "content-type": "application/x-www-form-urlencoded"}
    for path in ("/answer", "/undo"):
        assert desk.client.post(path, content=body, headers=headers).status_code in (400, 422)
    assert not desk.rows()


def test_an_answer_sent_twice_is_saved_once_and_told_so(desk: Desk) -> None:
    desk.enter()
    form = desk.form("likely")
    assert desk.post("/answer", form).status_code == 303
    again = desk.post("/answer", form)
    assert again.status_code == 409
    assert "“likely” was saved already" in again.text
    assert desk.sentence() in again.text
    other = desk.post("/answer", form | {"label": "invalid"})
    assert other.status_code == 409
    assert "“invalid” was not saved: “likely” had been saved" in other.text
    assert [row.label for row in desk.rows()] == [Label.LIKELY]


def test_of_answers_that_arrive_together_one_is_saved(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.enter()
    save = desk.session.answer

    def save_slowly(*words: Any, **named: Any) -> None:
        time.sleep(0.05)
        save(*words, **named)

    monkeypatch.setattr(desk.session, "answer", save_slowly)
    forms = [desk.form(label) for label in ("always", "likely", "invalid", "likely") * 3]
    with ThreadPoolExecutor(len(forms)) as pool:
        replies = list(pool.map(lambda form: desk.post("/answer", form).status_code, forms))
    assert sorted(replies) == [303] + [409] * (len(forms) - 1)
    assert len(desk.rows()) == 1


@pytest.mark.parametrize("change", [{"question": "f" * 16}, {"turn": "2"}, {"turn": "7"}])
def test_an_answer_to_another_than_the_current_question_is_refused(
    desk: Desk, change: dict[str, str]
) -> None:
    desk.enter()
    reply = desk.post("/answer", desk.form("likely") | change)
    assert reply.status_code == 409
    assert "was not saved: this page was behind" in reply.text
    assert desk.sentence() in reply.text
    assert not desk.rows()


def test_a_late_copy_of_an_answer_that_was_taken_back_does_not_give_it_again(desk: Desk) -> None:
    desk.enter()
    form = desk.form("likely")
    desk.post("/answer", form)
    assert desk.post("/undo", {"turn": desk.form()["turn"]}).status_code == 303
    # The same question is current again, but this is the form of an earlier turn.
    assert desk.form()["question"] == form["question"]
    assert desk.post("/answer", form).status_code == 409
    assert not desk.standing()


def test_undo_takes_back_one_answer_however_often_it_is_sent(desk: Desk) -> None:
    desk.enter()
    asked = []
    for _ in range(3):
        asked.append(desk.sentence())
        desk.post("/answer", desk.form("likely"))
    form = {"turn": desk.form()["turn"]}
    assert desk.post("/undo", form).status_code == 303
    assert desk.post("/undo", form).status_code == 409
    assert desk.sentence() == asked[-1]
    assert len(desk.standing()) == 2


def test_undo_without_an_answer_says_so(desk: Desk) -> None:
    desk.enter()
    reply = desk.post("/undo", {"turn": "1"})
    assert reply.status_code == 200
    assert "There is no answer to take back" in reply.text


def test_an_answer_that_cannot_be_written_is_told_and_its_question_stays(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.enter()
    form, shown = desk.form("likely"), desk.sentence()

    def full(*_: object, **__: object) -> None:
        raise FileError("labels.jsonl was not written: the disk is full") from OSError(
            errno.ENOSPC, ""
        )

    with monkeypatch.context() as broken:
        broken.setattr(desk.session, "answer", full)
        reply = desk.post("/answer", form)
    assert reply.status_code == 503
    assert "“likely” was not saved: labels.jsonl was not written: the disk is full" in reply.text
    assert shown in reply.text
    # And the same form is as good as before once there is room.
    assert desk.post("/answer", form).status_code == 303
    assert len(desk.rows()) == 1


def test_the_last_answer_is_shown_beside_undo(desk: Desk) -> None:
    desk.enter()
    shown = desk.sentence()
    desk.post("/answer", desk.form("invalid") | {"harm": "true"})
    page = desk.client.get("/").text
    assert "invalid, harm" in page
    assert shown in page
    desk.post("/undo", {"turn": desk.form()["turn"]})
    assert "invalid, harm" not in desk.client.get("/").text


def test_when_all_are_judged_the_page_says_so_and_undo_still_works(desk: Desk) -> None:
    desk.enter()
    while 'id="answer"' in desk.client.get("/").text:
        assert desk.post("/answer", desk.form("likely")).status_code == 303
    page = desk.client.get("/").text
    assert "That was the last sentence" in page
    given = len(desk.standing())
    turn = page.split('name="turn" value="')[1].split('"')[0]
    late = desk.post("/answer", {"turn": turn, "question": "0" * 16, "label": "likely"})
    assert late.status_code == 409
    assert desk.post("/undo", {"turn": turn}).status_code == 303
    assert 'id="answer"' in desk.client.get("/").text
    assert len(desk.standing()) == given - 1


def test_no_page_tells_a_relation_a_score_or_how_a_question_was_chosen(desk: Desk) -> None:
    desk.enter()
    while 'id="answer"' in (page := desk.client.get("/").text):
        for hidden in ("xReact", "1.2345", "0.6789", "smollm2", "beam-8", "uncertain", "random"):
            assert hidden not in page
        desk.post("/answer", desk.form("likely"))


def test_a_sentence_is_text_whatever_it_holds(desk: Desk) -> None:
    """One of the desk's sentences is markup."""
    desk.enter()
    pages = []
    while 'id="answer"' in (page := desk.client.get("/").text):
        pages.append(page)
        desk.post("/answer", desk.form("invalid"))
    assert any("&lt;img src=x onerror=alert(1)&gt;" in page for page in pages)
    assert not any("<img" in page for page in pages)


def test_markup_in_a_guideline_is_text_too(desk: Desk) -> None:
    desk.enter()
    page = desk.client.get("/guideline").text
    assert "<strong>Relation first.</strong>" in page
    assert "&lt;script&gt;" in page
    assert "<script>" not in page


def test_every_label_has_a_button_and_a_key_of_its_own() -> None:
    assert [choice.label for choice in CHOICES] == list(Label)
    assert len({choice.key for choice in CHOICES} | {"h", "c", "z", "?"}) == len(CHOICES) + 4
