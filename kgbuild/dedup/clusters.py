"""Joins triples of one head and relation whose tails say the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kgbuild.core.config import DedupConfig
from kgbuild.core.ids import phrase_id
from kgbuild.core.records import Merge, Triple
from kgbuild.dedup.comparing import TailComparer
from kgbuild.dedup.embeddings import Encoder

SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("triple_id", "head", "relation", "tail")]
    + [("probability", pa.float64())]
)
Existing = Callable[[Sequence[str]], pa.Table]
_ROWS_AT_ONCE = 20_000


@dataclass
class _Group:
    """The tails of one head and relation: those in the graph first, then best first."""

    held: int = 0
    triple_ids: list[str] = field(default_factory=list)
    tails: list[str] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)


def to_columns(triples: Iterable[Triple], probabilities: Mapping[str, float]) -> pa.Table:
    """Give the columns that `cluster_triples` reads, for the triples that have a probability."""
    rows = [
        {
            "triple_id": triple.triple_id,
            "head": triple.head,
            "relation": triple.relation,
            "tail": triple.tail,
            "probability": probabilities[triple.triple_id],
        }
        for triple in triples
        if triple.triple_id in probabilities
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def cluster_triples(
    triples: Iterable[pa.Table | pa.RecordBatch],
    *,
    embeddings: Encoder,
    config: DedupConfig,
    existing: Existing | None = None,
) -> Iterator[Merge]:
    """Give every row its place in a cluster, ordered by head id, relation, and best first.

    The best triple of a cluster represents it, and a tail joins a representative only by its own
    similarity to it, so nothing is chained through a third tail. What the graph holds always
    represents itself and is not stored again. Ties are broken by `triple_id`.

    Args:
        triples: Columns `triple_id`, `head`, `relation`, `tail` and the verdict's `probability`,
            of accepted triples only, in any order. They are sorted as columns and become Python
            objects some thousands at a time.
        embeddings: Gives the tails' vectors; an `EmbeddingCache` computes each once.
        config: From which similarity two tails are one.
        existing: Gives the edges that the graph holds for some head ids, with the columns
            `triple_id`, `head_id`, `relation` and `tail`, as `GraphStore.incident` does.
    """
    comparer = TailComparer(embeddings, config)
    for rows in _whole_groups(_sort(triples)):
        groups = _read_groups(rows, existing)
        several = [group for group in groups if len(group.tails) > 1]
        comparer.learn(tail for group in several for tail in group.tails)
        places = [(group, pair) for group in several for pair in comparer.candidates(group.tails)]
        compared = comparer.compare(
            [(g.tails[later], g.tails[earlier]) for g, (later, earlier) in places]
        )
        near: dict[int, dict[int, list[tuple[float, int]]]] = defaultdict(lambda: defaultdict(list))
        for (group, (later, earlier)), comparison in zip(places, compared, strict=True):
            if comparison.is_same:
                near[id(group)][later].append((comparison.similarity, earlier))
        for group in groups:
            yield from _merge(group, near[id(group)])


def _merge(group: _Group, near: Mapping[int, list[tuple[float, int]]]) -> Iterator[Merge]:
    places: dict[str, Merge] = {}
    representatives = set(range(group.held))
    for place, triple in enumerate(group.triple_ids):
        # The graph's own first, then the nearest, then the better of two equally near.
        joined = max(
            (
                (earlier < group.held, similarity, -earlier)
                for similarity, earlier in near.get(place, ())
                if earlier in representatives
            ),
            default=None,
        )
        if place < group.held or joined is None:
            representatives.add(place)
            reason = "in_graph" if place < group.held else "representative"
            places[triple] = Merge(
                triple_id=triple, cluster_id=triple, similarity=1.0, reason=reason
            )
        else:
            is_held, similarity, earlier = joined
            places[triple] = Merge(
                triple_id=triple,
                cluster_id=group.triple_ids[-earlier],
                similarity=similarity,
                reason="in_graph" if is_held else "semantic",
            )
    written: set[str] = set()
    for triple in group.rows:
        merge = places[triple]
        yield merge.model_copy(update={"reason": "exact"}) if triple in written else merge
        written.add(triple)


def _sort(triples: Iterable[pa.Table | pa.RecordBatch]) -> pa.Table:
    tables = [
        pa.table({name: columns[name] for name in SCHEMA.names}).cast(SCHEMA) for columns in triples
    ]
    table = pa.concat_tables([SCHEMA.empty_table(), *tables])
    heads = pc.unique(table["head"])
    ids = pa.array([phrase_id(head) for head in heads.to_pylist()], pa.string())
    head_ids = ids.take(pc.index_in(table["head"], value_set=heads).combine_chunks())
    table = table.drop_columns(["head"]).append_column("head_id", head_ids)
    order = [("head_id", "ascending"), ("relation", "ascending"), ("probability", "descending")]
    return table.take(pc.sort_indices(table, [*order, ("triple_id", "ascending")]))


def _whole_groups(table: pa.Table) -> Iterator[pa.Table]:
    """Give slices of bounded size that never cut a group of one head and relation."""
    if not table.num_rows:
        return
    is_start = np.ones(table.num_rows, dtype=bool)
    for name in ("head_id", "relation"):
        column = table[name]
        differs = pc.not_equal(column.slice(1), column.slice(0, table.num_rows - 1)).to_numpy()
        is_start[1:] = differs if name == "head_id" else is_start[1:] | differs
    starts = np.append(np.flatnonzero(is_start), table.num_rows)
    begin = 0
    for end in starts[1:]:
        if end - begin >= _ROWS_AT_ONCE or end == table.num_rows:
            yield table.slice(begin, end - begin)
            begin = end


def _read_groups(rows: pa.Table, existing: Existing | None) -> list[_Group]:
    groups: dict[tuple[str, str], _Group] = {}
    held: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    if existing is not None:
        for row in _pairs(existing(rows["head_id"].unique().to_pylist())):
            held[row[:2]].append(row[2:])
    for *key, triple, tail in _pairs(rows):
        group = groups.get((key[0], key[1]))
        if group is None:
            known = sorted(held[key[0], key[1]])
            group = groups[key[0], key[1]] = _Group(
                held=len(known),
                triple_ids=[triple for triple, _ in known],
                tails=[tail for _, tail in known],
                seen={triple for triple, _ in known},
            )
        group.rows.append(triple)
        if triple not in group.seen:
            group.seen.add(triple)
            group.triple_ids.append(triple)
            group.tails.append(tail)
    return list(groups.values())


def _pairs(table: pa.Table) -> Iterator[tuple[str, str, str, str]]:
    names = ("head_id", "relation", "triple_id", "tail")
    return zip(*(table[name].to_pylist() for name in names), strict=True)
