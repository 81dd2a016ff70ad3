r"""A graph as N-Quads, line by line, in the vocabulary of `schemas/rdf/kgbuild.ttl`.

Each triple stands alone in a graph that is named by its id. The graph `urn:kgbuild:provenance`
says of that name how the triple was made, and `urn:kgbuild:phrases` gives phrases their text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from kgbuild.core.records import Edge
from kgbuild.core.shards import arrow_schema

TERMS = "urn:kgbuild:vocabulary#"
PHRASE, RELATION, TRIPLE, RUN = (
    f"urn:kgbuild:{kind}:" for kind in ("phrase", "relation", "triple", "run")
)
PHRASES, PROVENANCE = "urn:kgbuild:phrases", "urn:kgbuild:provenance"
_RDF_TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
_LABEL = "<http://www.w3.org/2000/01/rdf-schema#label>"
_DERIVED = "<http://www.w3.org/ns/prov#wasGeneratedBy>"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_TYPES = {pa.string(): "", pa.float64(): f"^^<{_XSD}double>", pa.int64(): f"^^<{_XSD}integer>"}
# Said by the triple itself or by a link to its run.
_SAID = ("triple_id", "head_id", "tail_id", "head", "tail", "relation", "kind", "run")
_FACETS = {
    field.name: (f"<{TERMS}{field.name}>", _TYPES[field.type])
    for field in arrow_schema(Edge)
    if field.name not in _SAID
}
_UNSAFE = re.compile('[\\\\"\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]')
_NAMED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def nquads_lines(
    phrases: Iterator[dict[str, Any]], edges: Iterator[dict[str, Any]]
) -> Iterator[str]:
    """Give the quads: what each phrase says, then each triple and its provenance."""
    for phrase in phrases:
        subject = _iri(PHRASE, phrase["id"])
        yield f"{subject} {_LABEL} {_literal(phrase['text'])} <{PHRASES}> .\n"
        kind = {"event": "Event", "concept": "Concept"}.get(phrase["kind"], "Phrase")
        yield f"{subject} {_RDF_TYPE} <{TERMS}{kind}> <{PHRASES}> .\n"
    for edge in edges:
        name = _iri(TRIPLE, edge["triple_id"])
        yield (
            f"{_iri(PHRASE, edge['head_id'])} {_iri(RELATION, edge['relation'])} "
            f"{_iri(PHRASE, edge['tail_id'])} {name} .\n"
        )
        yield f"{name} {_RDF_TYPE} <{TERMS}Triple> <{PROVENANCE}> .\n"
        yield f"{name} {_DERIVED} {_iri(RUN, edge['run'])} <{PROVENANCE}> .\n"
        for facet, (term, kind) in _FACETS.items():
            value = edge[facet]
            if value is None or value == "":
                continue
            yield f"{name} {term} {_literal(value)}{kind} <{PROVENANCE}> .\n"


def _iri(space: str, name: str) -> str:
    return f"<{space}{quote(name, safe='')}>"


def _literal(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    escaped = _UNSAFE.sub(lambda match: _NAMED.get(match[0]) or f"\\u{ord(match[0]):04X}", text)
    return f'"{escaped}"'
