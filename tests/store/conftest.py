"""Edges made by hand for the store's own tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kgbuild.core.ids import phrase_id, triple_id
from kgbuild.core.records import Edge, HeadKind


def _make_edge(number: int, *, probability: float = 0.9) -> Edge:
    head, relation, tail = (
        f"PersonX does thing {number // 3}",
        ("xReact", "xWant")[number % 2],
        f"t {number}",
    )
    return Edge(
        triple_id=triple_id(head, relation, tail),
        head_id=phrase_id(head),
        tail_id=phrase_id(tail),
        head=head,
        relation=relation,
        tail=tail,
        kind=HeadKind.EVENT,
        polarity="positive",
        sentence=f"{head}, so {tail}",
        probability=probability,
        threshold=0.5,
        cluster_size=1,
        source="teacher",
        teacher="tiny",
        teacher_hash="00",
        prompt_id="p",
        decoding="beam",
        log_probability=-1.0,
        mean_log_probability=-0.5,
        prior_log_probability=None,
        tokens=2,
        clauses=0,
        clauses_met=0,
        rank=0,
        critic="c",
        run="r",
        round=0,
    )


@pytest.fixture
def make_edge() -> Callable[..., Edge]:
    return _make_edge
