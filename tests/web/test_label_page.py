"""Labelling in a real browser: keyboard, phone, lost connections, killed servers."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kgbuild.core.records import Label, LabelledTriple
from kgbuild.critic.labels import read_labels
from tests.web.conftest import TAILS, write_candidates
from tests.web.label_page import CHROMIUM, LabelPage, Serve, open_browser, open_page

pytest.importorskip("playwright", reason="pip install playwright to drive the page")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="apt-get install chromium for the page"),
    # Playwright's loop warns about its own sockets when the machine is busy.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),
]
PHONE = {
    "viewport": {"width": 360, "height": 640},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}
KEYS = {"a": "always", "l": "likely", "f": "farfetched", "i": "invalid", "u": "unsure"}
PICTURES = os.environ.get("KGBUILD_PICTURES")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with open_browser() as browser:
        yield browser


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    source, labels = tmp_path / "candidates.tsv", tmp_path / "labels.jsonl"
    write_candidates(source)
    return [str(source), "--labels", str(labels), "--labeller", "ann", "--port", "0"]


@pytest.fixture
def serve(words: list[str]) -> Iterator[Serve]:
    with Serve(*words) as server:
        yield server


def read_rows(words: list[str]) -> list[LabelledTriple]:
    lines = Path(words[2]).read_text(encoding="utf-8").splitlines()
    return [LabelledTriple.model_validate_json(line) for line in lines]


def read_votes(words: list[str]) -> dict[str, Label]:
    """What stands in the file, as the critic's training reads it."""
    return {row.sentence: row.label for row in read_labels([Path(words[2])])}


def test_ten_answers_an_undo_a_reload_and_a_killed_server_lose_nothing(
    chromium: Any, words: list[str]
) -> None:
    given: dict[str, Label] = {}
    with open_page(chromium) as label:
        with Serve(*words) as server:
            label.enter(server.url)
            assert "token" not in label.page.url
            for key in "alfilalfia":
                given[label.sentence] = Label(KEYS[key])
                label.press(key)
            assert len(given) == 10
            assert read_votes(words) == given
            last = next(reversed(given))
            label.press("z")
            del given[last]
            assert label.sentence == last
            assert read_votes(words) == given
            # Idle, since an icon that is still on its way is nothing that a kill can lose.
            label.page.reload(wait_until="networkidle")
            assert label.sentence == last
            server.end(signal.SIGKILL)
        assert read_votes(words) == given
        with Serve(*words) as server:
            label.enter(server.url)
            while "That was the last" not in label.sentence:
                assert label.sentence not in given
                given[label.sentence] = Label.INVALID
                label.press("i")
            assert last in given
            assert read_votes(words) == given
            assert len(given) == len(TAILS)
            assert server.end()[:2] == (0, "")
        assert not label.said


def test_the_page_is_used_by_keyboard_alone(chromium: Any, serve: Serve, words: list[str]) -> None:
    with open_page(chromium) as label:
        label.enter(serve.url)
        keyboard = label.page.keyboard
        # Single keys, with harm and a comment beside the answer.
        shown = label.sentence
        keyboard.press("h")
        assert label.page.is_checked("#harm")
        keyboard.press("c")
        assert label.focused == "comment"
        keyboard.type("a lazy hill")
        assert not read_rows(words), "letters of a comment are no answers"
        keyboard.press("Escape")
        label.press("i")
        row = read_rows(words)[0]
        assert (row.sentence, row.label, row.harm) == (shown, Label.INVALID, True)
        assert row.comment == "a lazy hill"
        assert not label.page.is_checked("#harm")
        assert label.page.input_value("#comment") == ""
        # The guideline, one key away and one key back.
        keyboard.press("?")
        assert label.page.is_visible("#guideline")
        keyboard.press("l")
        keyboard.press("?")
        assert not label.page.is_visible("#guideline")
        keyboard.press("?")
        keyboard.press("Escape")
        assert not label.page.is_visible("#guideline")
        assert len(read_rows(words)) == 1, "keys do not answer behind the guideline"
        # Tab and Enter; the focus stays where it was for the next sentence.
        label.page.focus("#sentence")
        keyboard.press("Tab")
        assert label.focused == "choose-always"
        keyboard.press("Tab")
        turn = label.turn
        keyboard.press("Enter")
        label.wait_for_turn(turn + 1)
        assert label.focused == "choose-likely"
        assert read_rows(words)[-1].label is Label.LIKELY
        # Enter in the check box is not an answer.
        label.page.focus("#harm")
        keyboard.press("Enter")
        label.press("u")
        assert [row.label for row in read_rows(words)[2:]] == [Label.UNSURE]
        assert not label.said


def test_single_keys_can_be_switched_off_and_stay_off(
    chromium: Any, serve: Serve, words: list[str]
) -> None:
    with open_page(chromium) as label:
        label.enter(serve.url)
        label.page.keyboard.press("?")
        label.page.focus("#use-keys")
        label.page.keyboard.press("Space")
        label.page.keyboard.press("Escape")
        label.page.reload()
        for key in "alfiuz?":
            label.page.keyboard.press(key)
        assert not label.page.is_visible("#guideline")
        turn = label.turn
        label.page.click("#choose-likely")
        label.wait_for_turn(turn + 1)
        assert [row.label for row in read_rows(words)] == [Label.LIKELY]


def test_a_key_that_is_held_down_answers_once(
    chromium: Any, serve: Serve, words: list[str]
) -> None:
    with open_page(chromium) as label:
        label.enter(serve.url)
        turn = label.turn
        for _ in range(10):
            # A second `down` without an `up` is what a browser sends for a key held down.
            label.page.keyboard.down("l")
        label.wait_for_turn(turn + 1)
        label.page.keyboard.up("l")
        label.press("i")
        assert [row.label for row in read_rows(words)] == [Label.LIKELY, Label.INVALID]


def test_an_answer_outlasts_a_lost_connection(
    chromium: Any, serve: Serve, words: list[str]
) -> None:
    with open_page(chromium) as label:
        label.enter(serve.url)
        shown, turn = label.sentence, label.turn
        label.page.context.set_offline(True)
        label.page.keyboard.press("l")
        label.page.wait_for_selector("#offline:not([hidden])")
        assert "“likely” is not confirmed yet" in label.page.inner_text("#offline")
        assert label.sentence == shown, "nothing goes on before the answer is saved"
        label.page.keyboard.press("i")
        assert not read_rows(words)
        label.page.context.set_offline(False)
        label.wait_for_turn(turn + 1)
        assert not label.page.is_visible("#offline")
        assert read_votes(words) == {shown: Label.LIKELY}


def test_an_answer_whose_reply_was_lost_is_not_given_twice(
    chromium: Any, serve: Serve, words: list[str]
) -> None:
    with open_page(chromium) as label:
        label.enter(serve.url)
        shown, turn = label.sentence, label.turn
        replies: list[int] = []

        def lose(route: Any) -> None:
            reply = route.fetch()
            replies.append(reply.status)
            if len(replies) == 1:
                route.abort("connectionreset")
            else:
                route.fulfill(response=reply)

        label.page.route("**/answer", lose)
        label.page.keyboard.press("f")
        label.wait_for_turn(turn + 1)
        assert replies == [200, 409]
        assert label.page.inner_text("#notice") == "“farfetched” was saved already, once."
        assert label.sentence != shown
        assert len(read_rows(words)) == 1


def test_two_windows_do_not_answer_for_each_other(
    chromium: Any, serve: Serve, words: list[str]
) -> None:
    with open_page(chromium) as one, open_page(chromium) as two:
        one.enter(serve.url)
        two.enter(serve.url)
        shown = one.sentence
        assert two.sentence == shown
        one.press("l")
        two.press("i")
        assert "“invalid” was not saved" in two.page.inner_text("#notice")
        assert two.sentence == one.sentence != shown
        assert read_votes(words) == {shown: Label.LIKELY}


def test_a_page_whose_server_was_started_anew_says_that_it_is_shut_out(
    chromium: Any, words: list[str]
) -> None:
    with open_page(chromium) as label:
        with Serve(*words) as server:
            label.enter(server.url)
            server.end()
        with Serve(*words[:-1], server.port):
            label.page.keyboard.press("l")
            label.page.wait_for_selector("#refusal")
            assert "its address is a new one" in label.page.inner_text("#refusal")
            assert not read_rows(words)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_sideways_scrolling_and_no_small_targets(
    chromium: Any, serve: Serve, words: list[str], scheme: str
) -> None:
    with open_page(chromium, **PHONE, color_scheme=scheme) as label:
        label.enter(serve.url)
        for _ in range(len(KEYS)):
            sizes = label.page.evaluate(
                "[...document.querySelectorAll('main :is(button, a, summary, .harm)')]"
                ".filter(one => one.checkVisibility()).map(one => [one.id || one.className,"
                " one.getBoundingClientRect().width, one.getBoundingClientRect().height])"
            )
            assert len(sizes) >= 10
            for name, width, height in sizes:
                assert min(width, height) >= 44, name
            wide = "document.documentElement.scrollWidth"
            assert label.page.evaluate(wide) == PHONE["viewport"]["width"]  # type: ignore[index]
            turn = label.turn
            label.page.tap("#choose-likely")
            label.wait_for_turn(turn + 1)
        _keep_picture(label, f"phone-{scheme}")
        label.page.tap("#how")
        assert label.page.evaluate(wide) == PHONE["viewport"]["width"]  # type: ignore[index]
        assert label.page.locator("#close").bounding_box()["height"] >= 44
        _keep_picture(label, f"phone-{scheme}-guideline")
        label.page.tap("#close")
        assert not label.page.is_visible("#guideline")
        assert not label.said
    assert len(read_rows(words)) == len(KEYS)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_barrier(chromium: Any, serve: Serve, scheme: str) -> None:
    """WCAG's rules as axe-core checks them: contrast, names, landmarks, order of headings."""
    from axe_playwright_python.sync_playwright import Axe

    axe = Axe()
    with open_page(chromium, color_scheme=scheme) as label:
        label.enter(serve.url)
        label.press("l")
        label.page.click("#remark summary")
        label.page.click("#statistics summary")
        _keep_picture(label, f"desk-{scheme}")
        found = [axe.run(label.page)]
        label.page.keyboard.press("Escape")
        label.page.keyboard.press("?")
        _keep_picture(label, f"guideline-{scheme}")
        found.append(axe.run(label.page))
        label.page.goto(serve.url.split("?")[0] + "guideline")
        found.append(axe.run(label.page))
        label.page.goto(serve.url.split("?")[0] + "nowhere")
        found.append(axe.run(label.page))
    assert [report.generate_report() for report in found if report.violations_count] == []


def test_forms_work_without_the_script(chromium: Any, serve: Serve, words: list[str]) -> None:
    with open_page(chromium, java_script_enabled=False) as label:
        label.page.goto(serve.url)
        label.page.wait_for_url(serve.url.split("?")[0])
        shown = label.sentence
        label.page.press("#harm", "Enter")
        label.page.wait_for_selector("#refusal")
        assert not read_rows(words), "Enter in the check box is not an answer"
        label.page.click("text=To the current sentence")
        assert label.sentence == shown
        label.page.click("#choose-invalid")
        assert label.sentence != shown
        assert read_votes(words) == {shown: Label.INVALID}
        label.page.click("#take-back")
        assert label.sentence == shown
        assert read_votes(words) == {}
        label.page.click("#how")
        assert "ordinary commonsense" in label.page.inner_text("main")
        assert [said for said in label.said if "422" not in said] == []


def test_a_reader_that_hears_the_page_is_told_the_next_sentence(
    chromium: Any, serve: Serve
) -> None:
    with open_page(chromium) as label:
        label.enter(serve.url)
        label.press("l")
        assert label.page.inner_text("#said") == label.sentence
        assert label.page.get_attribute("#said", "aria-live") == "polite"
        assert label.focused == "sentence"


def _keep_picture(label: LabelPage, name: str) -> None:
    if PICTURES:
        label.page.screenshot(path=Path(PICTURES) / f"label-{name}.png")
