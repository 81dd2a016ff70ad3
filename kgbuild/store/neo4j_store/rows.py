"""Rows of a server's answers as Arrow columns, and columns as rows of a statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import neo4j
import pyarrow as pa
from neo4j.graph import Node, Path, Relationship

from kgbuild.store.batches import FACETS

_ROWS_AT_ONCE = 10_000
WRITTEN = ("head_id", "tail_id", *FACETS)


def read_table(
    tx: neo4j.ManagedTransaction, schema: pa.Schema, statement: str, /, **params: Any
) -> pa.Table:
    """Give the answer of a statement as a table with the columns of a schema."""
    result = tx.run(statement, params)
    parts = [schema.empty_table()]
    while records := result.fetch(_ROWS_AT_ONCE):
        parts.append(to_table([record.values(*schema.names) for record in records], schema))
    return pa.concat_tables(parts)


def to_table(rows: Sequence[Sequence[Any]], schema: pa.Schema) -> pa.Table:
    """Give rows, each in the order of a schema's columns, as a table."""
    if not rows:
        return schema.empty_table()
    columns = zip(zip(*rows, strict=True), schema, strict=True)
    return pa.table([pa.array(column, type=field.type) for column, field in columns], schema=schema)


def change(tx: neo4j.ManagedTransaction, statement: str, /, **params: Any) -> None:
    """Run a statement that writes, to its end."""
    tx.run(statement, params).consume()


def to_rows(table: pa.Table, columns: Sequence[str] = WRITTEN) -> list[tuple[Any, ...]]:
    """Give the rows of a table as tuples; the driver sends them as lists."""
    return list(zip(*(table[name].to_pylist() for name in columns), strict=True))


def slices(table: pa.Table, size: int) -> Iterator[pa.Table]:
    """Cut a table into tables of at most `size` rows."""
    for start in range(0, table.num_rows, size):
        yield table.slice(start, size)


def plain(value: Any) -> Any:
    """Give a value of a Cypher answer without the driver's classes, as ladybug gives it.

    Nodes and relationships are dictionaries of their properties with `_LABEL`; a path has
    `_NODES` and `_RELS`.
    """
    if isinstance(value, Node):
        label = "Phrase" if "Phrase" in value.labels else ":".join(sorted(value.labels))
        return {"_LABEL": label, **{name: plain(inner) for name, inner in value.items()}}
    if isinstance(value, Relationship):
        return {"_LABEL": value.type, **{name: plain(inner) for name, inner in value.items()}}
    if isinstance(value, Path):
        return {
            "_NODES": [plain(node) for node in value.nodes],
            "_RELS": [plain(edge) for edge in value.relationships],
        }
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value
