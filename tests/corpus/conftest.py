from __future__ import annotations

from collections.abc import Callable

import pytest

from kgbuild.core.ids import phrase_id, triple_id
from kgbuild.core.records import Edge, HeadKind


def make_edge(head: str, relation: str, tail: str, probability: float = 0.91) -> Edge:
    return Edge(
        triple_id=triple_id(head, relation, tail),
        head_id=phrase_id(head),
        tail_id=phrase_id(tail),
        head=head,
        relation=relation,
        tail=tail,
        kind=HeadKind.EVENT,
        polarity="positive",
        sentence=f"{head}, so {tail}.",
        probability=probability,
        threshold=0.7,
        cluster_size=1,
        source="teacher",
        teacher="smollm2",
        teacher_hash="0" * 64,
        prompt_id="p",
        decoding="beam",
        log_probability=-3.25,
        mean_log_probability=-0.8125,
        prior_log_probability=None,
        tokens=4,
        clauses=2,
        clauses_met=2,
        rank=0,
        critic="c",
        run="r",
        round=0,
    )


@pytest.fixture(name="make_edge")
def _make_edge() -> Callable[..., Edge]:
    return make_edge


@pytest.fixture
def edges() -> list[Edge]:
    heads = [f"PersonX plants tree {number}" for number in range(40)]
    return [
        make_edge(head, relation, tail)
        for head in heads
        for relation, tail in (("xWant", "to water it"), ("xReact", "proud"))
    ]


# What a model may write and a format must carry.
HOSTILE = (
    'says "no", twice',
    "one line\nand another\r\nand a third",
    "a\ttab and a back\\slash \\n",
    "=HYPERLINK(1)",
    "[leading bracket",
    "fête 🎂 für alle",
    "שלום עולם",
    "a, b; c | d",
    "</node><x> & 'y'",
    "\u2028 separator \x85",
    "'=quoted already",
    "-1+1",
)


@pytest.fixture
def hostile_edges() -> list[Edge]:
    """Edges in the graph's order whose texts try to break out of their fields."""
    pairs = [(f"PersonX types {text}", "xWant", text) for text in HOSTILE]
    pairs += [("PersonX types", "xReact", text) for text in HOSTILE]
    made = [make_edge(head, relation, tail) for head, relation, tail in pairs]
    return sorted(made, key=lambda edge: (edge.relation, edge.head, edge.tail))
