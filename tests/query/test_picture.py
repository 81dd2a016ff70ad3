"""The picture for a notebook, up to what the drawing library is given."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import pytest

from kgbuild.core.errors import ExtraError, KgbuildError
from kgbuild.core.records import Edge
from kgbuild.query import Graph
from kgbuild.query.palette import FAMILIES, NEGATIVE, PHRASES, UNKNOWN, edge_width

pytest.importorskip("neo4j_viz", reason="pip install 'kgbuild[notebook]' to draw pictures")


def read_drawn(picture: Any) -> dict[str, Any]:
    """Read the graph out of the page that a notebook would show."""
    [block] = re.findall(
        r'<script type="application/json" id="neo4j-viz-data">(.*?)</script>', picture.data
    )
    drawn: dict[str, Any] = json.loads(block)
    return drawn


def test_a_picture_has_every_edge_once_and_its_phrases(
    graph: Graph, made_edges: list[Edge]
) -> None:
    drawn = read_drawn(graph.draw([*made_edges, *graph.tails("cake")]))
    assert {edge["id"] for edge in drawn["relationships"]} == {
        edge.triple_id for edge in made_edges
    }
    assert len(drawn["relationships"]) == len(made_edges)
    assert {node["caption"] for node in drawn["nodes"]} == {
        text for edge in made_edges for text in (edge.head, edge.tail)
    }


def test_colours_tell_kinds_and_families_and_width_tells_certainty(
    graph: Graph, made_edges: list[Edge]
) -> None:
    denial = made_edges[0].model_copy(update={"relation": "NotDesires", "triple_id": "denial"})
    own = made_edges[0].model_copy(update={"relation": "homemade", "triple_id": "own"})
    drawn = read_drawn(graph.draw([*made_edges, denial, own]))
    fills = {node["caption"]: node["color"].upper() for node in drawn["nodes"]}
    assert fills["PersonX bakes a cake"] == PHRASES["event"].fill
    assert fills["cake"] == PHRASES["concept"].fill
    assert fills["kitchen"] == PHRASES[""].fill
    edges = {edge["id"]: edge for edge in drawn["relationships"]}
    for edge in made_edges:
        assert edges[edge.triple_id]["width"] == edge_width(edge.probability)
    colours = {edge["caption"]: edge["color"].upper() for edge in drawn["relationships"]}
    assert colours["xReact"] == FAMILIES["social"]
    assert colours["AtLocation"] == FAMILIES["physical"]
    assert (colours["NotDesires"], colours["homemade"]) == (NEGATIVE, UNKNOWN)


def test_a_tail_that_heads_another_edge_keeps_its_kind(
    made_edges: list[Edge], graph: Graph
) -> None:
    bakes = made_edges[0]
    before = bakes.model_copy(
        update={"head": "PersonX buys flour", "head_id": "f", "tail": bakes.head,
                "tail_id": bakes.head_id, "triple_id": "before"}
    )  # fmt: skip
    drawn = read_drawn(graph.draw([bakes, before]))
    assert {node["id"]: node["color"].upper() for node in drawn["nodes"]}[bakes.head_id] == (
        PHRASES["event"].fill
    )


def test_a_hostile_phrase_stays_text(made_edges: list[Edge], graph: Graph) -> None:
    tail = "</script><script>alert(1)</script> \"'\\ \n 🎂 مرحبا ["
    drawn = read_drawn(graph.draw([made_edges[0].model_copy(update={"tail": tail})]))
    assert tail in {node["caption"] for node in drawn["nodes"]}


def test_what_cannot_be_drawn_is_refused(
    graph: Graph, made_edges: list[Edge], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KgbuildError, match="no edges to draw"):
        graph.draw([])
    many = [made_edges[0].model_copy(update={"triple_id": str(place)}) for place in range(2001)]
    with pytest.raises(KgbuildError, match="2,001 edges are more than"):
        graph.draw(many)
    with pytest.raises(KgbuildError, match="height is 0"):
        graph.draw(made_edges, height=0)
    monkeypatch.setitem(sys.modules, "neo4j_viz", None)
    with pytest.raises(ExtraError, match=r"kgbuild\[notebook\]"):
        graph.draw(made_edges)
