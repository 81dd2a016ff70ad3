"""The rules of a relation pack that concern several fields at once.

They look at the raw values, field by field, so that a relation which is broken in one place is
still checked in every other.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from pydantic import ValidationError

from kgbuild.core.relation_models import (
    AGREEMENT,
    HEAD_FORMS,
    NAME_RULE,
    PLACEHOLDER,
    TAIL_FORMS,
    ClauseSpec,
    Length,
)

Place = tuple[str | int, ...]
# For each frame: the placeholders it may use, and which of head and tail it must show.
_Forms = tuple[str, ...]
_FRAMES: dict[str, tuple[_Forms, dict[str, _Forms]]] = {
    "sentence": ((*HEAD_FORMS, *AGREEMENT, *TAIL_FORMS), {"head": HEAD_FORMS, "tail": TAIL_FORMS}),
    "prompt": ((*HEAD_FORMS, *AGREEMENT), {"head": HEAD_FORMS}),
    "reverse_question": (TAIL_FORMS, {"tail": TAIL_FORMS}),
    "whether": ((*HEAD_FORMS, *AGREEMENT, *TAIL_FORMS), {"head": HEAD_FORMS, "tail": TAIL_FORMS}),
}


class Report(Protocol):
    """Takes down one finding."""

    def __call__(self, place: Place, rule: str, message: str, suggestion: str) -> None:
        """Take down what breaks `rule` at `place`, and the way out."""


def nearest_word(word: str, known: Iterable[str]) -> str:
    """Suggest the nearest valid word, or all of them if none is near.

    >>> nearest_word("phisical", ["social", "event", "physical"])
    'did you mean physical?'
    >>> nearest_word("blue", ["social", "event"])
    'use one of social, event'
    >>> nearest_word("haed", ["head", "Head"])
    'did you mean head?'
    """
    names = list(known)
    folded = [name.casefold() for name in names]
    near = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.5)
    if not near:
        return f"use one of {', '.join(names)}"
    # Of head and Head, the one that is written more like the word.
    alike = [name for name in names if name.casefold() == near[0]]
    best = max(alike, key=lambda name: difflib.SequenceMatcher(None, word, name).ratio())
    return f"did you mean {best}?"


def check_relations(raws: list[Any], report: Report) -> None:
    """Report every rule that the raw relations of a pack break."""
    _check_names(raws, report)
    for index, raw in enumerate(raws):
        if isinstance(raw, dict):
            place: Place = ("relations", index)
            _check_frames(raw, place, report)
            _check_polarity(raw, place, report)
            _check_lengths(raw, place, report)
            _check_clauses(raw, place, report)


def _check_names(raws: list[Any], report: Report) -> None:
    named = [
        (index, raw["name"])
        for index, raw in enumerate(raws)
        if isinstance(raw, dict) and isinstance(raw.get("name"), str)
    ]
    seen: set[str] = set()
    for index, name in named:
        place = ("relations", index, "name")
        if not NAME_RULE.fullmatch(name):
            message = f"{name!r} is not letters and digits, a letter first"
            report(place, "name", message, "it names a graph relationship; write it as in xNeed")
        if name in seen:
            report(place, "duplicate-name", f"{name} stands twice", "rename or remove one")
        seen.add(name)
    for index, raw in enumerate(raws):
        negates = raw.get("negates") if isinstance(raw, dict) else None
        if isinstance(negates, str) and negates not in seen:
            place = ("relations", index, "negates")
            suggestion = nearest_word(negates, sorted(seen))
            report(place, "negates", f"{negates} is not in this pack", suggestion)


def _check_frames(raw: Mapping[str, Any], place: Place, report: Report) -> None:
    for key, (known, needed) in _FRAMES.items():
        frame, at = raw.get(key), (*place, key)
        if not isinstance(frame, str):
            continue
        forms = PLACEHOLDER.findall(frame)
        for form in forms:
            if form not in known:
                message = f"{{{form}}} is not a placeholder of {key}"
                report(at, "placeholder", message, nearest_word(form, known))
        for part, ways in needed.items():
            if not set(forms) & set(ways):
                report(at, "placeholder", f"{key} names no {{{part}}}", f"add {{{part}}}")
        if frame.count("{") != len(forms) or frame.count("}") != len(forms):
            report(at, "placeholder", f"{key} has a brace alone", "write a placeholder as {head}")
        if key == "prompt" and frame != frame.rstrip():
            message = "the prompt ends with a space, and the next word brings its own"
            report(at, "prompt-end", message, "remove the space")


def _check_polarity(raw: Mapping[str, Any], place: Place, report: Report) -> None:
    is_negative, negates = raw.get("polarity") == "negative", raw.get("negates")
    if is_negative and not negates:
        message = f"{raw.get('name')} is negative and has no `negates`"
        report((*place, "polarity"), "negates", message, "name the relation that it denies")
    elif negates and not is_negative:
        message = f"{raw.get('name')} negates {negates}, but its polarity is not negative"
        suggestion = "write `polarity: negative` or `negates: null`"
        report((*place, "negates"), "negates", message, suggestion)


def _check_lengths(raw: Mapping[str, Any], place: Place, report: Report) -> None:
    low, high = _bounds(raw)
    if low is not None and high is not None and low > high:
        message = f"min_words {low} is over max_words {high}"
        report((*place, "length"), "length", message, "exchange the two")


def _bounds(raw: Mapping[str, Any]) -> tuple[int | None, int | None]:
    length = raw.get("length", {})
    if not isinstance(length, dict):
        return None, None
    defaults = Length()
    low = length.get("min_words", defaults.min_words)
    high = length.get("max_words", defaults.max_words)
    return low if isinstance(low, int) else None, high if isinstance(high, int) else None


def _check_clauses(raw: Mapping[str, Any], place: Place, report: Report) -> None:
    clauses = dict(_readable_clauses(raw.get("clauses")))
    bans = [phrase for clause in clauses.values() for phrase in clause.banned]
    prefix, most = raw.get("tail_prefix"), _bounds(raw)[1]
    for ban in bans:
        if isinstance(prefix, str) and _holds(prefix, ban):
            message = f"{ban!r} is banned, but tail_prefix is {prefix!r}"
            report((*place, "tail_prefix"), "contradiction", message, "remove one of the two")
    for index, clause in clauses.items():
        wanted = clause.any or (clause.counted if clause.min else ())
        for phrase in wanted:
            at = (*place, "clauses", index)
            for ban in bans:
                if _holds(phrase, ban):
                    message = f"{phrase!r} is asked for, but {ban!r} is banned"
                    report(at, "contradiction", message, "remove one of the two")
            if most is not None and len(phrase.split()) > most:
                message = f"{phrase!r} has more words than max_words {most}"
                report(at, "contradiction", message, "raise max_words or shorten the phrase")


def _readable_clauses(raw: Any) -> Iterator[tuple[int, ClauseSpec]]:
    for index, value in enumerate(raw if isinstance(raw, list) else []):
        try:
            yield index, ClauseSpec.model_validate(value)
        except ValidationError:
            continue  # The finding of the models names it.


def _holds(text: str, phrase: str) -> bool:
    return f" {' '.join(phrase.casefold().split())} " in f" {' '.join(text.casefold().split())} "
