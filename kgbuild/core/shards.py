"""Parquet shards of records: what a stage leaves on disk and the next one reads.

The Arrow schema is derived from the record, nested models become structs, so DuckDB, Polars and
Hugging Face datasets open a shard as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import islice
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import pyarrow as pa
import pyarrow.parquet as pq

from kgbuild.core.errors import FileError
from kgbuild.core.files import replacing
from kgbuild.core.records import Record

R = TypeVar("R", bound=Record)
_ROWS_AT_ONCE = 8_192

_SCALARS: dict[type, pa.DataType] = {
    str: pa.string(),
    float: pa.float64(),
    int: pa.int64(),
    bool: pa.bool_(),
}


def arrow_schema(record: type[Record]) -> pa.Schema:
    """Derive the Arrow schema of a record.

    >>> from kgbuild.core.records import Verdict
    >>> arrow_schema(Verdict).field("probability").type
    DataType(double)
    """
    return pa.schema(_fields(record))


def _fields(record: type[Record]) -> list[pa.Field]:
    fields = []
    for name, field in record.model_fields.items():
        kind, is_nullable = _unwrap(field.annotation)
        fields.append(pa.field(name, _arrow_type(kind), nullable=is_nullable))
    return fields


def _unwrap(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) in (Union, UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not NoneType]
        return kinds[0], True
    return annotation, False


def _arrow_type(kind: Any) -> pa.DataType:
    if get_origin(kind) is tuple:
        return pa.list_(_arrow_type(get_args(kind)[0]))
    if isinstance(kind, type) and issubclass(kind, Record):
        return pa.struct(_fields(kind))
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return pa.string()
    return _SCALARS[kind]


def to_table(records: Sequence[Record], record: type[Record]) -> pa.Table:
    """Turn records into one Arrow table."""
    rows = [entry.model_dump(mode="json") for entry in records]
    return pa.Table.from_pylist(rows, schema=arrow_schema(record))


def later_columns(record: type[Record]) -> tuple[str, ...]:
    """Give the fields that a shard of an earlier version may lack: those with a default.

    >>> from kgbuild.core.records import Edge
    >>> later_columns(Edge)
    ('promise',)
    """
    return tuple(name for name, known in record.model_fields.items() if not known.is_required())


def fill_later(table: pa.Table | pa.RecordBatch, record: type[Record]) -> pa.Table:
    """Add the columns that an earlier version did not write, filled with their defaults."""
    if isinstance(table, pa.RecordBatch):
        table = pa.Table.from_batches([table])
    schema = arrow_schema(record)
    for name in later_columns(record):
        if name not in table.column_names:
            default = record.model_fields[name].get_default()
            filled = pa.repeat(pa.scalar(default, type=schema.field(name).type), table.num_rows)
            table = table.append_column(schema.field(name), filled)
    return table


def complete(table: pa.Table | pa.RecordBatch, record: type[Record]) -> pa.Table | None:
    """Give rows, of an earlier version too, as a table of a record; None if they are others."""
    schema = arrow_schema(record)
    table = fill_later(table, record)
    if set(table.column_names) != set(schema.names):
        return None
    table = table.select(schema.names)
    return table if table.schema.equals(schema) else None


def write_shard(path: Path, records: Iterable[Record], record: type[Record]) -> int:
    """Write one Parquet shard, whole or not at all, and give its number of rows.

    Of records that come one by one a bounded number is in memory.
    """
    source = iter(records)
    chunks = iter(lambda: list(islice(source, _ROWS_AT_ONCE)), [])
    return write_tables(path, (to_table(chunk, record) for chunk in chunks), record)


def write_tables(path: Path, tables: Iterable[pa.Table], record: type[Record]) -> int:
    """Write tables with a record's columns as one shard, as `write_shard` does."""
    rows = 0
    with (
        replacing(path) as temporary,
        pq.ParquetWriter(temporary, arrow_schema(record), compression="zstd") as writer,
    ):
        for table in tables:
            writer.write_table(table)
            rows += table.num_rows
    return rows


def read_columns(path: Path, columns: Sequence[str]) -> pa.Table:
    """Read some columns of a shard, those of nested records by their path, without the rest.

    Raises:
        FileError: If it is not a shard with these columns.
    """
    try:
        with pq.ParquetFile(path) as shard:
            table = shard.read(columns=list(columns))
    except (OSError, pa.ArrowInvalid) as error:
        raise FileError(f"{path} is not a readable Parquet shard: {error}") from error
    missing = {name.partition(".")[0] for name in columns} - set(table.column_names)
    if missing:
        raise FileError(
            f"{path} has no column {sorted(missing)[0]}; build into a new run folder with this "
            "version of kgbuild"
        )
    return table


def count_rows(path: Path) -> int:
    """Give the number of rows of a shard without reading them.

    Raises:
        FileError: If it is not a shard.
    """
    try:
        return int(pq.read_metadata(path).num_rows)
    except (OSError, pa.ArrowInvalid) as error:
        raise FileError(f"{path} is not a readable Parquet shard: {error}") from error


def read_tables(path: Path, record: type[Record], *, rows_at_once: int) -> Iterator[pa.Table]:
    """Read the rows of one shard as tables with a record's columns, in order.

    Raises:
        FileError: If the file is missing or is not a shard of this record.
    """
    try:
        with pq.ParquetFile(path) as shard:
            if complete(shard.schema_arrow.empty_table(), record) is None:
                raise FileError(
                    f"{path} does not hold {record.__name__} records of this version of kgbuild; "
                    "build into a new run folder"
                )
            for batch in shard.iter_batches(batch_size=rows_at_once):
                yield complete(batch, record)
    except (OSError, pa.ArrowInvalid) as error:
        raise FileError(f"{path} is not a readable Parquet shard: {error}") from error


def read_shard(path: Path, record: type[R]) -> Iterator[R]:
    """Read the records of one shard, in order, a bounded batch at a time.

    Raises:
        FileError: If the file is missing or is not a shard of this record.
    """
    for table in read_tables(path, record, rows_at_once=_ROWS_AT_ONCE):
        for row in table.to_pylist():
            yield record.model_validate(row)


def read_shards(folder: Path, record: type[R], stem: str = "part") -> Iterator[R]:
    """Read all shards of one kind of a folder in the order of their names."""
    for path in sorted(folder.glob(f"{stem}-*.parquet")):
        yield from read_shard(path, record)
