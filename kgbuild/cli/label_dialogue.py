"""The conversation of `kgbuild label`: single keys on a terminal, characters of a pipe elsewhere.

Plain lines only: it works on a terminal that can do no more than print. The conversation is on
stderr, so stdout holds the summary and nothing else.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kgbuild.cli.keyboard import END, Keyboard, open_keyboard
from kgbuild.cli.output import say
from kgbuild.core.records import Label

if TYPE_CHECKING:
    from kgbuild.labelling import LabelSession, Question

KEYS = {
    "a": Label.ALWAYS,
    "l": Label.LIKELY,
    "f": Label.FARFETCHED,
    "i": Label.INVALID,
    "u": Label.UNSURE,
}
_PROMPT = (
    "  [a]lways [l]ikely [f]arfetched [i]nvalid [u]nsure   [h]arm [c]omment [z] back [?] [q]uit"
)


def run_dialogue(session: LabelSession, *, guideline: str) -> None:
    """Ask until all is judged, the limit is reached, or the labeller quits."""
    say("Would a typical adult, told nothing more, accept this as ordinary commonsense?")
    say(_PROMPT)
    with open_keyboard() as keyboard:
        while (question := session.current()) is not None:
            progress = session.progress()
            keyboard.forget()
            say(f"\n{progress.judged_now + 1} ({progress.left} left)  {clean(question.sentence)}")
            if not _ask(session, question, keyboard, guideline=guideline):
                return


def _ask(session: LabelSession, question: Question, keyboard: Keyboard, *, guideline: str) -> bool:
    """Read keys until the question is answered or taken back; False when the labeller quits."""
    started = time.monotonic()
    is_harm, comment = False, ""
    while True:
        key = keyboard.read_key()
        if key in (END, "q"):
            return False
        if key in KEYS:
            session.answer(
                question.triple_id,
                KEYS[key],
                harm=is_harm,
                comment=comment,
                seconds=time.monotonic() - started,
            )
            say(f"  {KEYS[key]}{' (harm)' if is_harm else ''}")
            return True
        if key == "z":
            if session.undo() is not None:
                say("  taken back")
                return True
            say("  there is no answer to take back")
        elif key == "h":
            is_harm = not is_harm
            say("  marked as harm" if is_harm else "  no longer marked as harm")
        elif key == "c":
            comment = _read_comment(keyboard)
        elif key == "?":
            say(guideline)
            say(clean(question.sentence))
        elif not key.isspace():
            say(f"  {clean(key)!r} is no key here\n{_PROMPT}")


def clean(text: str) -> str:
    """Give a text without what would steer a terminal.

    >>> clean("a\\x1b[2Jb")
    'a\\ufffd[2Jb'
    """
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def _read_comment(keyboard: Keyboard) -> str:
    say("  comment, then Enter:")
    kept = " ".join(clean(" ".join(keyboard.read_line().split())).split())[:1_000]
    say(f"  comment kept: {kept}" if kept else "  no comment")
    return kept
