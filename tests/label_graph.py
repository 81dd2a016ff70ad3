"""A small real graph: what a teacher said and people-like readers accepted, around some phrases.

The probabilities are the teacher's own (the geometric mean over the tail's tokens), not a critic's:
reading them needs no model, and queries only order by them.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from kgbuild.core.ids import phrase_id
from kgbuild.core.records import Edge, Label
from kgbuild.core.relations import load_relations
from kgbuild.core.shards import to_table
from kgbuild.store.rejected import RejectedEdge

LABELS = Path(__file__).parents[1] / "data" / "labels"
RELATIONS = load_relations(["atomic2020.en", "generics.en"])
NAMES = [relation.name for relation in RELATIONS]


def accepted_near(phrases: Collection[str]) -> list[Edge]:
    """Give every accepted triple that begins or ends at one of some phrases.

    And one of each relation, as in ladybug a query may only name relations that have an edge.
    """
    wanted = {phrase.casefold() for phrase in phrases}
    held: set[str] = set()
    edges = []
    for row in _judged(is_accepted=True):
        ends = {row["head"].casefold(), row["tail"].casefold()}
        if wanted & ends or row["relation"] not in held:
            held.add(row["relation"])
            edges.append(make_edge(row))
    return edges


def make_edge(row: dict[str, Any]) -> Edge:
    return Edge(
        triple_id=row["triple_id"],
        head_id=phrase_id(row["head"]),
        tail_id=phrase_id(row["tail"]),
        head=row["head"],
        relation=row["relation"],
        tail=row["tail"],
        kind=row["kind"],
        polarity=RELATIONS.get(row["relation"]).polarity,
        sentence=row["sentence"],
        probability=math.exp(row["mean_log_probability"]),
        threshold=0.0,
        cluster_size=1,
        source="labels",
        teacher=row["teacher"],
        teacher_hash="",
        prompt_id="",
        decoding=row["arm"],
        log_probability=row["log_probability"],
        mean_log_probability=row["mean_log_probability"],
        prior_log_probability=row["prior_log_probability"],
        tokens=row["tokens"],
        clauses=0,
        clauses_met=0,
        rank=0,
        critic="",
        run="labels",
        round=0,
    )


def rejected_near(phrases: Collection[str]) -> pa.Table:
    """Give every rejected triple of some heads."""
    wanted = {phrase.casefold() for phrase in phrases}
    rows = [row for row in _judged(is_accepted=False) if row["head"].casefold() in wanted]
    return to_table(
        [
            RejectedEdge(
                triple_id=row["triple_id"],
                head_id=phrase_id(row["head"]),
                tail_id=phrase_id(row["tail"]),
                head=row["head"],
                relation=row["relation"],
                tail=row["tail"],
                stage="labels",
                reason=row["label"],
                detail="",
                probability=math.exp(row["mean_log_probability"]),
                threshold=1.0,
                teacher=row["teacher"],
                run="labels",
            )
            for row in rows
        ],
        RejectedEdge,
    )


def _judged(*, is_accepted: bool) -> Iterator[dict[str, Any]]:
    for rows in _read_labels().values():
        if {Label(row["label"]).is_accepted for row in rows} == {is_accepted}:
            yield rows[0]


@cache
def _read_labels() -> dict[str, list[dict[str, Any]]]:
    judged: dict[str, list[dict[str, Any]]] = {}
    for path in (LABELS / "round-1.jsonl", *sorted(LABELS.glob("*.jsonl.gz"))):
        text = path.read_bytes() if path.suffix != ".gz" else gzip.decompress(path.read_bytes())
        for line in text.splitlines():
            row = json.loads(line)
            judged.setdefault(row["triple_id"], []).append(row)
    return judged
