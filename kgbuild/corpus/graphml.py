"""A graph as GraphML, line by line.

An attribute without a value, or with an empty one, is left out. Characters that XML 1.0 cannot
hold, such as control characters, are replaced by U+FFFD.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pyarrow as pa

from kgbuild.core.records import Edge
from kgbuild.core.shards import arrow_schema

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TYPES = {pa.string(): "string", pa.float64(): "double", pa.int64(): "long"}
_NODE = {"text": "string", "kind": "string"}
_EDGE = {
    field.name: _TYPES[field.type]
    for field in arrow_schema(Edge)
    if field.name not in ("head_id", "tail_id", "head", "tail")
}


def graphml_lines(
    phrases: Iterator[dict[str, Any]], edges: Iterator[dict[str, Any]]
) -> Iterator[str]:
    """Give the file in pieces: keys, nodes, edges, under the ids of phrases and triples."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
    for place, names in (("node", _NODE), ("edge", _EDGE)):
        for name, kind in names.items():
            yield f'<key id="{place}_{name}" for="{place}" '
            yield f'attr.name="{name}" attr.type="{kind}"/>\n'
    yield '<graph id="kgbuild" edgedefault="directed">\n'
    for phrase in phrases:
        yield f"<node id={_attribute(phrase['id'])}>{_data('node', _NODE, phrase)}</node>\n"
    for edge in edges:
        yield (
            f"<edge id={_attribute(edge['triple_id'])} source={_attribute(edge['head_id'])} "
            f"target={_attribute(edge['tail_id'])}>{_data('edge', _EDGE, edge)}</edge>\n"
        )
    yield "</graph>\n</graphml>\n"


def _data(place: str, names: dict[str, str], values: dict[str, Any]) -> str:
    return "".join(
        f'<data key="{place}_{name}">{_text(values[name])}</data>'
        for name in names
        if values[name] not in (None, "")
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        return repr(value)
    # A parser turns a bare carriage return into a line feed.
    return escape(_NO_XML.sub("\N{REPLACEMENT CHARACTER}", value), {"\r": "&#13;"})


def _attribute(value: str) -> str:
    return quoteattr(_NO_XML.sub("\N{REPLACEMENT CHARACTER}", value))
