from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import polars
import pyarrow as pa
import pytest

from kgbuild.core import records, shards
from kgbuild.core.errors import FileError
from kgbuild.core.records import Head, HeadKind, Provenance, Record, Triple, Verdict
from kgbuild.core.shards import (
    arrow_schema,
    count_rows,
    read_columns,
    read_shard,
    read_shards,
    to_table,
    write_shard,
)

PROVENANCE = Provenance(
    source="teacher",
    teacher="tiny",
    teacher_hash="00",
    prompt_id="p",
    decoding="beam:k",
    log_probability=-3.0,
    mean_log_probability=-1.0,
    tokens=3,
    clauses=2,
    clauses_met=2,
)


def make_triple(tail: str) -> Triple:
    return Triple.of("PersonX sings", "xReact", tail, kind=HeadKind.EVENT, provenance=PROVENANCE)


def test_records_come_back_as_they_were(tmp_path: Path) -> None:
    triples = [make_triple(tail) for tail in ("happy", 'a "quoted"\ttail\n', "שלום 🎂", "[x")]
    path = tmp_path / "part-00000.parquet"
    assert write_shard(path, triples, Triple) == 4
    assert list(read_shard(path, Triple)) == triples


def test_lists_and_missing_values_come_back(tmp_path: Path) -> None:
    head = Head.of("knife", HeadKind.CONCEPT, source="a:1", relations=("UsedFor", "IsA"))
    path = tmp_path / "part-00000.parquet"
    write_shard(path, [head], Head)
    assert list(read_shard(path, Head)) == [head]


def test_an_empty_shard_is_a_shard(tmp_path: Path) -> None:
    path = tmp_path / "part-00000.parquet"
    assert write_shard(path, [], Triple) == 0
    assert list(read_shard(path, Triple)) == []


def test_shards_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    for number in (2, 0, 1):
        write_shard(tmp_path / f"part-{number:05}.parquet", [make_triple(f"tail {number}")], Triple)
    write_shard(tmp_path / "rejected-00000.parquet", [], Triple)
    assert [triple.tail for triple in read_shards(tmp_path, Triple)] == [
        "tail 0", "tail 1", "tail 2",
    ]  # fmt: skip


def test_a_shard_of_another_record_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "part-00000.parquet"
    write_shard(path, [make_triple("happy")], Triple)
    with pytest.raises(FileError, match="does not hold Verdict records"):
        list(read_shard(path, Verdict))


def test_a_cut_off_shard_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "part-00000.parquet"
    write_shard(path, [make_triple("happy")], Triple)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(FileError, match="not a readable Parquet shard"):
        list(read_shard(path, Triple))


def test_two_writes_of_the_same_records_are_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_shard(tmp_path / name, [make_triple("happy")], Triple)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_other_tools_open_a_shard(tmp_path: Path) -> None:
    path = tmp_path / "part-00000.parquet"
    write_shard(path, [make_triple("happy")], Triple)
    found = duckdb.sql(f"select tail, provenance.teacher from '{path}'").fetchall()
    assert found == [("happy", "tiny")]
    assert polars.read_parquet(path)["tail"].to_list() == ["happy"]


def test_every_record_has_an_arrow_schema() -> None:
    kinds = [
        kind
        for kind in vars(records).values()
        if isinstance(kind, type)
        and issubclass(kind, records.Record)
        and kind is not records.Record
    ]
    for kind in kinds:
        assert arrow_schema(kind).names == list(kind.model_fields)
    assert len(kinds) > 5


def test_records_are_written_a_bounded_number_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "_ROWS_AT_ONCE", 2)
    taken = 0
    sizes = []

    def give() -> Iterator[Triple]:
        nonlocal taken
        for number in range(5):
            taken += 1
            yield make_triple(str(number))

    def keep(records: Sequence[Record], record: type[Record]) -> pa.Table:
        sizes.append((len(records), taken))
        return to_table(records, record)

    monkeypatch.setattr(shards, "to_table", keep)
    path = tmp_path / "part-00000.parquet"
    assert write_shard(path, give(), Triple) == 5
    assert sizes == [(2, 2), (2, 4), (1, 5)]
    assert [triple.tail for triple in read_shard(path, Triple)] == list("01234")


def test_columns_are_read_alone_and_missing_ones_are_named(tmp_path: Path) -> None:
    path = tmp_path / "part-00000.parquet"
    write_shard(path, [make_triple("happy")], Triple)
    table = read_columns(path, ["tail", "provenance.tokens"])
    assert table.to_pylist() == [{"tail": "happy", "provenance": {"tokens": 3}}]
    assert count_rows(path) == 1
    with pytest.raises(FileError, match="tial"):
        read_columns(path, ["tial"])
    path.write_bytes(b"PAR1 no more")
    for read in (lambda: read_columns(path, ["tail"]), lambda: count_rows(path)):
        with pytest.raises(FileError, match="not a readable Parquet shard"):
            read()
