"""From a completion to a tail, or the reason why it is none."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from kgbuild.core.ids import canonical
from kgbuild.decoding import Hypothesis
from kgbuild.prompts import Prompt
from kgbuild.prompts.head_words import find_lemma, find_unknown_words, list_content_words

_MAX_CHARACTERS = 120
_TRAILING = " \t\"'“”‘’«»„`*_,;:.!?…-–—("
_LEADING = " \t\"'“”‘’«»„`*_,;:.!?…-–—)"
_HAS_LETTER = re.compile(r"[^\W\d_]")
# Marks of text that is no phrase: markup, lists, links, code.
_FOREIGN = frozenset("<>{}[]|\\#=~^@")


@dataclass(frozen=True)
class Parsed:
    """A tail, or a reason with an empty tail."""

    tail: str
    reason: str = ""
    detail: str = ""


def parse_completion(prompt: Prompt, hypothesis: Hypothesis) -> Parsed:
    """Give the tail that a completion says, or the fixed word for what is wrong with it.

    Reasons: `empty`, `clause_unmet`, `truncated` (the text did not end in time), `too_long`,
    `bad_characters`, `unknown_word`, `repeats_head`, `copied_shot`.
    """
    said = hypothesis.text.split("\n", 1)[0]
    core = canonical(said.strip(_LEADING).rstrip(_TRAILING))
    tail = canonical(f"{prompt.tail_prefix} {core}") if core else ""
    fault = _find_fault(prompt, hypothesis, core, tail)
    return Parsed("", *fault) if fault else Parsed(tail)


def _find_fault(
    prompt: Prompt, hypothesis: Hypothesis, core: str, tail: str
) -> tuple[str, str] | None:
    if not _HAS_LETTER.search(core):
        return "empty", ""
    if hypothesis.unmet:
        return "clause_unmet", ", ".join(str(clause) for clause in hypothesis.unmet)
    if not hypothesis.is_ended:
        return "truncated", ""
    if len(tail) > _MAX_CHARACTERS:
        return "too_long", f"{len(tail)} characters"
    bad = sorted({sign for sign in tail if _is_bad(sign)})
    if bad or not _is_balanced(core):
        return "bad_characters", " ".join(f"U+{ord(sign):04X}" for sign in bad)
    if tail.casefold() in {canonical(shown).casefold() for shown in prompt.banned_tails}:
        return "copied_shot", ""
    unknown = [word for word in find_unknown_words(tail) if word not in prompt.head.split()]
    if unknown:
        return "unknown_word", " ".join(unknown)
    if _repeats(prompt.head, tail):
        return "repeats_head", ""
    return None


def _is_bad(sign: str) -> bool:
    # Control, format, private, surrogate and unassigned signs; the replacement sign.
    return sign in _FOREIGN or sign == "\ufffd" or unicodedata.category(sign)[0] == "C"


def _is_balanced(text: str) -> bool:
    return text.count("(") == text.count(")") and text.count('"') % 2 == 0


def _repeats(head: str, tail: str) -> bool:
    """Say whether the tail holds no content word that the head does not hold."""
    if canonical(head).casefold() == tail.casefold():
        return True
    told = {find_lemma(word) for word in list_content_words(tail)}
    known = {find_lemma(word) for word in list_content_words(head)}
    return bool(told) and told <= known
