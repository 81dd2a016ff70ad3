"""Edges as Arrow tables of bounded size, and what two such tables differ in.

All stores load and compare through these functions, so they agree on what is new, changed or the
same, whatever engine lies below.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kgbuild.core.errors import StoreError
from kgbuild.core.phrases import PHRASE_SCHEMA, keep_once
from kgbuild.core.records import Edge
from kgbuild.core.shards import arrow_schema, fill_later, later_columns, to_table

EDGE_SCHEMA: pa.Schema = arrow_schema(Edge)
ENDS = ("head_id", "tail_id", "head", "relation", "tail")
FACETS = tuple(name for name in EDGE_SCHEMA.names if name not in ENDS)
# What a store of an earlier version may lack; every edge of it has the default.
LATER = later_columns(Edge)
# What a store keeps of an edge whose relation and phrases it knows.
STORED = ("head_id", "tail_id", *FACETS)
# The heads of one relation, with how many edges each has.
HEADS_SCHEMA: pa.Schema = pa.schema(
    [("id", pa.string()), ("text", pa.string()), ("edges", pa.int64())]
)
EXPORT_ORDER = [(name, "ascending") for name in ("relation", "head", "tail", "triple_id")]

_RECORDS_AT_ONCE = 4096
_EXPORT_EDGES = 20_000


def edge_batches(
    edges: Iterable[Edge | pa.Table | pa.RecordBatch], size: int
) -> Iterator[pa.Table]:
    """Give the edges as tables of at most `size` rows, in order, no triple twice in a table.

    Records become columns a few thousand at a time, so a batch of a hundred thousand edges never
    is a hundred thousand Python objects. Of rows with the same `triple_id` the last one counts,
    as if they were loaded one after the other.

    Raises:
        StoreError: If a table's columns are not those of an edge.
    """
    parts: list[pa.Table] = []
    rows = 0
    for table in _tables(edges):
        start = 0
        while start < table.num_rows:
            part = table.slice(start, size - rows)
            parts.append(part)
            rows += part.num_rows
            start += part.num_rows
            if rows == size:
                yield _last_of_each(pa.concat_tables(parts))
                parts, rows = [], 0
    if parts:
        yield _last_of_each(pa.concat_tables(parts))


def _tables(edges: Iterable[Edge | pa.Table | pa.RecordBatch]) -> Iterator[pa.Table]:
    records: list[Edge] = []
    for entry in edges:
        if isinstance(entry, Edge):
            records.append(entry)
            if len(records) < _RECORDS_AT_ONCE:
                continue
        if records:
            yield to_table(records, Edge)
            records = []
        if not isinstance(entry, Edge):
            yield _checked(entry)
    if records:
        yield to_table(records, Edge)


def _checked(columns: pa.Table | pa.RecordBatch) -> pa.Table:
    table = fill_later(columns, Edge)
    try:
        return table.select(EDGE_SCHEMA.names).cast(EDGE_SCHEMA)
    except (KeyError, ValueError) as error:
        raise StoreError(
            f"A table with the columns {', '.join(table.column_names)} holds no edges ({error}); "
            "give it the columns and types of core.records.Edge."
        ) from error


def _last_of_each(table: pa.Table) -> pa.Table:
    places = pa.table({"key": table["triple_id"], "place": np.arange(table.num_rows)})
    last = places.group_by("key").aggregate([("place", "max")])["place_max"]
    return table if len(last) == table.num_rows else table.take(np.sort(last.to_numpy()))


def phrase_table(edges: pa.Table) -> pa.Table:
    """Give the phrases of some edges once each, ordered by id.

    A phrase that heads no edge has an empty kind. The spelling is that of the first edge, head
    before tail, and of two kinds the later in the alphabet stays: neither depends on how the
    edges were cut into batches.
    """
    blank = pa.chunked_array([pa.repeat("", edges.num_rows)])
    order = np.arange(2 * edges.num_rows).reshape(2, -1).T.ravel()  # head 0, tail 0, head 1, ...
    both = pa.table(
        {
            "id": pa.chunked_array(edges["head_id"].chunks + edges["tail_id"].chunks),
            "text": pa.chunked_array(edges["head"].chunks + edges["tail"].chunks),
            "kind": pa.chunked_array(edges["kind"].chunks + blank.chunks),
        },
        schema=PHRASE_SCHEMA,
    ).take(order)
    return keep_once(both)


def cut_heads(heads: pa.Table) -> Iterator[pa.Table]:
    """Cut the heads of a relation, in order, so that the edges of a part fit into one table."""
    start, size = 0, 0
    for place, count in enumerate(heads["edges"].to_numpy()):
        size += count
        if size >= _EXPORT_EDGES or place == heads.num_rows - 1:
            yield heads.slice(start, place + 1 - start)
            start, size = place + 1, 0


def rows_missing(table: pa.Table, key: str, known: pa.ChunkedArray) -> pa.Table:
    """Give the rows whose key is not among the known ones."""
    return table.filter(pc.invert(pc.is_in(table[key], value_set=known.combine_chunks())))


def rows_changed(table: pa.Table, known: pa.Table, *, facets: Sequence[str] = FACETS) -> pa.Table:
    """Give the rows that are known by `triple_id` but differ from it in a facet."""
    places = pc.index_in(table["triple_id"], value_set=known["triple_id"].combine_chunks())
    present = table.filter(pc.is_valid(places))
    if not present.num_rows:
        return present
    stored = known.take(places.drop_null())
    is_changed = np.zeros(present.num_rows, dtype=bool)
    for facet in facets:
        is_changed |= ~_are_same(present[facet], stored[facet])
    return present.filter(pa.array(is_changed))


def _are_same(left: pa.ChunkedArray, right: pa.ChunkedArray) -> np.ndarray:
    same = pc.fill_null(pc.equal(left, right), False)
    same = pc.or_(same, pc.and_(pc.is_null(left), pc.is_null(right)))
    if pa.types.is_floating(left.type):  # NaN is not equal to itself, yet nothing changed.
        both = pc.and_(pc.is_nan(left), pc.is_nan(right))
        same = pc.or_(same, pc.fill_null(both, False))
    answer: np.ndarray = same.to_numpy()
    return answer


def to_edges(table: pa.Table) -> Iterator[Edge]:
    """Give the rows of a table as records, a bounded number at a time."""
    for batch in table.to_batches(max_chunksize=_RECORDS_AT_ONCE):
        for row in batch.to_pylist():
            yield Edge.model_validate(row)
