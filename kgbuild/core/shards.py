"""Parquet shards of records: what a stage leaves on disk and the next one reads.

The Arrow schema is derived from the record, nested models become structs, so DuckDB, Polars and
Hugging Face datasets open a shard as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import pyarrow as pa
import pyarrow.parquet as pq

from kgbuild.core.errors import FileError
from kgbuild.core.files import replacing
from kgbuild.core.records import Record

R = TypeVar("R", bound=Record)

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
    """Write one Parquet shard, whole or not at all, and give its number of rows."""
    table = to_table(list(records), record)
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")
    return int(table.num_rows)


def read_shard(path: Path, record: type[R]) -> Iterator[R]:
    """Read the records of one shard, in order, a bounded batch at a time.

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
            for batch in shard.iter_batches(batch_size=4096):
                for row in batch.to_pylist():
                    yield record.model_validate(row)
    except (OSError, pa.ArrowInvalid) as error:
        raise FileError(f"{path} is not a readable Parquet shard: {error}") from error


def read_shards(folder: Path, record: type[R], stem: str = "part") -> Iterator[R]:
    """Read all shards of one kind of a folder in the order of their names."""
    for path in sorted(folder.glob(f"{stem}-*.parquet")):
        yield from read_shard(path, record)
