"""Identity: an id is a pure function of canonical text.

Loading twice therefore changes nothing, and two runs that find the same triple agree on its id.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from typing import Any

_SPACE = re.compile(r"\s+")
_PERSON = re.compile(r"\bperson ?([xyz])\b", re.IGNORECASE)
_ID_BYTES = 10


def canonical(text: str) -> str:
    """Give the one spelling under which a phrase is known.

    NFC, one space between words, no outer space, no final full stop, PersonX written as PersonX.
    Case is kept (names carry meaning); `phrase_id` folds it.

    >>> canonical("  personx  bakes a cake. ")
    'PersonX bakes a cake'
    """
    text = unicodedata.normalize("NFC", text)
    text = _SPACE.sub(" ", text).strip()
    text = text.rstrip(". ") or text
    return _PERSON.sub(lambda match: f"Person{match.group(1).upper()}", text)


def phrase_id(text: str) -> str:
    """Give the id of a phrase: the same for every spelling that `canonical` and case folding join.

    >>> phrase_id("PersonX bakes a cake") == phrase_id(" personx bakes a cake.")
    True
    """
    return _digest("phrase", canonical(text).casefold())


def triple_id(head: str, relation: str, tail: str) -> str:
    """Give the id of a triple from the ids of its phrases and its relation's name.

    >>> len(triple_id("PersonX bakes a cake", "xReact", "proud"))
    20
    """
    return _digest("triple", phrase_id(head), relation, phrase_id(tail))


def content_key(value: Any) -> str:
    """Give a stable key of any JSON-like value, for caches and stage outputs.

    >>> content_key({"b": 1, "a": 2}) == content_key({"a": 2, "b": 1})
    True
    """
    return _digest("content", json.dumps(value, sort_keys=True, ensure_ascii=False, default=str))


def _digest(*parts: str) -> str:
    joined = "\x1f".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(joined, digest_size=_ID_BYTES).hexdigest()
