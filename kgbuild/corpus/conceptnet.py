r"""Triples as lines of ConceptNet 5.7's assertion dump, and back.

Five columns, separated by tabs: the URI of the assertion, of its relation, of its start, of its
end, and a JSON object. A concept's URI keeps only the words of a phrase in lower case, so the
phrase itself stands in `surfaceStart` and `surfaceEnd`, as in ConceptNet, and what kgbuild knows
beyond that under `kgbuild`.
"""

from __future__ import annotations

import json
import re
from typing import Any

from kgbuild.core.ids import phrase_id
from kgbuild.core.records import CorpusRow
from kgbuild.corpus.lines import JSON_UNSAFE, TSV_COLUMNS

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_RELATION = re.compile(r"/r/([^/\s]+)(?:/.*)?")
_CONCEPT = re.compile(r"/c/([a-z]{2,3})/([^/\s]+)(?:/.*)?")
_SAID_ELSEWHERE = ("head", "relation", "tail", "sentence")
_BEYOND = tuple(name for name in TSV_COLUMNS if name not in _SAID_ELSEWHERE)


def concept_uri(phrase: str, *, language: str = "en") -> str:
    """Give the URI of a phrase. A phrase without any word is named by its id.

    >>> concept_uri("PersonX bakes a cake!")
    '/c/en/personx_bakes_a_cake'
    """
    words = _WORD.findall(phrase)
    return f"/c/{language}/{'_'.join(words).lower() if words else phrase_id(phrase)}"


def conceptnet_line(row: CorpusRow, *, licence: str = "other") -> str:
    """Give a row as one line of the dump; the weight is the probability."""
    values = row.model_dump(mode="json")
    start, end = concept_uri(row.head), concept_uri(row.tail)
    relation = f"/r/{row.relation}"
    about = {
        "dataset": "/d/kgbuild",
        "kgbuild": {name: values[name] for name in _BEYOND},
        "license": licence,
        "sources": [{"contributor": "/s/resource/kgbuild", "process": "/s/process/distillation"}],
        "surfaceEnd": row.tail,
        "surfaceStart": row.head,
        "surfaceText": row.sentence,
        "weight": row.probability,
    }
    written = json.dumps(about, ensure_ascii=False, allow_nan=False, sort_keys=True)
    written = JSON_UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", written)
    assertion = f"/a/[{relation}/,{start}/,{end}/]"
    return "\t".join((assertion, relation, start, end, written)) + "\n"


def parse_conceptnet(line: str) -> dict[str, Any] | None:
    """Read one line as the fields of a triple; None if it is not about English.

    A surface text counts if it has the words of its URI; otherwise the URI's own words are taken.

    Raises:
        ValueError: If the line is no assertion.
    """
    cells = line.split("\t")
    if len(cells) != 5:
        raise ValueError(f"it has {len(cells)} columns, not the 5 of a ConceptNet assertion")
    _, relation, start, end, about = cells
    named = _RELATION.fullmatch(relation)
    ends = [_CONCEPT.fullmatch(uri) for uri in (start, end)]
    if named is None:
        raise ValueError(f"{relation[:80]!r} is no relation URI such as /r/UsedFor")
    if ends[0] is None or ends[1] is None:
        wrong = start if ends[0] is None else end
        raise ValueError(f"{wrong[:80]!r} is no concept URI such as /c/en/knife")
    try:
        facts = json.loads(about)
    except RecursionError as error:
        raise ValueError("its last column is nested too deeply") from error
    if not isinstance(facts, dict):
        raise ValueError("its last column is not a JSON object")
    if {ends[0][1], ends[1][1]} != {"en"}:
        return None
    own = facts.get("kgbuild", {})
    if not isinstance(own, dict):
        raise ValueError("kgbuild in its last column is not a JSON object")
    return {
        **own,
        "head": _phrase(facts.get("surfaceStart"), start, ends[0][2]),
        "relation": named[1],
        "tail": _phrase(facts.get("surfaceEnd"), end, ends[1][2]),
    }


def _phrase(surface: Any, uri: str, slug: str) -> str:
    if isinstance(surface, str) and concept_uri(surface) == "/".join(uri.split("/")[:4]):
        return surface
    return slug.replace("_", " ")
