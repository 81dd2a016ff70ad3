"""Edges made by hand for the store's own tests."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

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


def _die_while_loading(path: Path, edges: list[Edge], *, method: str, call: int) -> None:
    """Load edges, ten a batch, in a process that is killed after some call of a method."""
    lines = path.with_name("edges.jsonl")
    lines.write_text("".join(edge.model_dump_json() + "\n" for edge in edges))
    script = f"""
        import os, signal
        from pathlib import Path
        from kgbuild.core.records import Edge
        from kgbuild.store.engine import Engine
        from kgbuild.store.ladybug_store import LadybugStore

        calls = -100  # opening the store does not count
        for owner in (Engine, LadybugStore):
            usual = vars(owner).get({method!r})
            if usual is not None:
                def dying(self, *args, _usual=usual, **options):
                    global calls
                    given = _usual(self, *args, **options)
                    calls += 1
                    if calls == {call}:
                        os.kill(os.getpid(), signal.SIGKILL)
                    return given
                setattr(owner, {method!r}, dying)
        store = LadybugStore(Path({str(path)!r}), relations=["xReact", "xWant"], batch_edges=10)
        calls = 0
        store.load_edges(Edge.model_validate_json(line) for line in open({str(lines)!r}))
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    assert killed.returncode == -signal.SIGKILL


@pytest.fixture
def die_while_loading() -> Callable[..., None]:
    return _die_while_loading
