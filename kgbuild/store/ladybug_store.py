"""The embedded graph database: one file, no server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ladybug
import pyarrow as pa
import pyarrow.compute as pc

from kgbuild.core.errors import StoreError, StoreLockedError
from kgbuild.core.files import write_error
from kgbuild.store import cypher
from kgbuild.store.batches import (
    EDGE_SCHEMA,
    EXPORT_ORDER,
    FACETS,
    PHRASE_SCHEMA,
    phrase_table,
    rows_changed,
    rows_missing,
)
from kgbuild.store.graph_store import SCHEMA_VERSION, Counts, GraphStore, LoadReport, Phrase
from kgbuild.store.lock import StoreLock, describe_holder
from kgbuild.store.paths import Direction

_META = {"schema_version": SCHEMA_VERSION, "facets": " ".join(FACETS)}
_EXPORT_EDGES = 20_000
_IDS_AT_ONCE = 5_000
# The engine's own default is most of the machine's memory, and a checkpoint rewrites the
# relation tables it touches, so it should come seldom while loading.
_POOL_BYTES = 2**30
_CHECKPOINT_BYTES = 256 * 2**20


class LadybugStore(GraphStore):
    """A ladybug database behind the protocol of all stores.

    Args:
        path: The database file. A writer creates it where it is missing.
        is_read_only: Open for queries; several readers may share a store.
        options: `relations` and `batch_edges`, as for every store.

    Raises:
        StoreLockedError: If another process holds the store.
        StoreError: If the file is missing for a reader, or not a store of this version.
    """

    def __init__(self, path: Path, *, is_read_only: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self._path = Path(path)
        self._is_closed = True
        self._has_written = False
        if is_read_only and not self._path.is_file():
            raise StoreError(f"There is no graph at {path}; build one with `kgbuild build`")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = StoreLock(self._path, is_shared=is_read_only)
        except OSError as error:
            raise write_error(self._path, error) from error
        try:
            self._database, self._connection = self._open(is_read_only=is_read_only)
            self._is_closed = False
            self._relations = self._check_schema(is_read_only=is_read_only)
        except BaseException:
            self.close()
            self._lock.release()
            raise

    def _open(self, *, is_read_only: bool) -> tuple[ladybug.Database, ladybug.Connection]:
        try:
            database = ladybug.Database(
                self._path,
                read_only=is_read_only,
                buffer_pool_size=_POOL_BYTES,
                checkpoint_threshold=_CHECKPOINT_BYTES,
            )
            return database, ladybug.Connection(database)
        except RuntimeError as error:
            raise self._opening_error(error) from error

    def _opening_error(self, error: RuntimeError) -> StoreError:
        said = str(error)
        if "Could not set lock" in said:
            return StoreLockedError(
                f"{self._path} is locked: {describe_holder('', self._path)} has it open. Wait "
                "until it ends, or stop it, and try again."
            )
        if "different version" in said:
            reason = "was written by another version of the ladybug database"
        elif "not a valid" in said:
            reason = "is not a graph database"
        else:
            reason = f"cannot be opened ({said.strip()})"
        return StoreError(f"{self._path} {reason}. {_WAY_OUT}")

    def _check_schema(self, *, is_read_only: bool) -> list[str]:
        tables = self._rows(cypher.TABLES)
        if not tables and not is_read_only:
            self._has_written = True
            with self._transaction():
                self._run(cypher.CREATE_META)
                self._run(cypher.CREATE_PHRASES)
                for key, value in _META.items():
                    self._run(cypher.ADD_META, key=key, value=value)
            return []
        if not any(row["name"] == "KgbuildMeta" for row in tables):
            holds = "is a database that kgbuild did not make" if tables else "holds no graph yet"
            raise StoreError(f"{self._path} {holds}. {_WAY_OUT}")
        meta = self.meta()
        if meta != _META:
            raise StoreError(
                f"{self._path} has the graph schema {meta.get('schema_version')} of another "
                f"version of kgbuild; this one reads and writes schema {SCHEMA_VERSION}. {_WAY_OUT}"
            )
        return sorted(row["name"] for row in tables if row["type"] == "REL")

    # -- talking to the engine -------------------------------------------------------------------

    def _run(self, text: str, **params: Any) -> ladybug.QueryResult:
        if self._is_closed:
            raise StoreError(f"{self._path} is closed; open it again to go on")
        try:
            result = self._connection.execute(text, params)
        except RuntimeError as error:
            raise StoreError(f"{self._path}: {str(error).strip()}") from error
        return result

    def _rows(self, text: str, **params: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._run(text, **params).rows_as_dict().get_all()
        return rows

    def _table(self, text: str, schema: pa.Schema, **params: Any) -> pa.Table:
        table = self._run(text, **params).get_as_arrow()
        return table.select(schema.names).cast(schema) if table.num_rows else schema.empty_table()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._run(cypher.BEGIN)
        try:
            yield
        except BaseException:
            self._run(cypher.ROLLBACK)
            raise
        self._run(cypher.COMMIT)

    def _write(self, text: str, columns: pa.Table) -> None:
        self._has_written = True
        self._run(text, columns=columns)

    # -- writing ---------------------------------------------------------------------------------

    def upsert(self, edges: pa.Table) -> LoadReport:
        """Store one batch: add what is new, set the facets that differ, leave the rest alone."""
        names = self._check_relations(edges, self._relations)
        held = list(self._relations)
        with self._transaction():
            report = LoadReport(added_nodes=self._add_phrases(phrase_table(edges)))
            for name in names:
                part = edges.filter(pc.equal(edges["relation"], name))
                if name not in held:
                    self._run(cypher.create_relation(name))
                    held.append(name)
                report += self._upsert_relation(name, part)
        self._relations = sorted(held)
        return report

    def _add_phrases(self, phrases: pa.Table) -> int:
        known = self._table(cypher.KNOWN_PHRASES, PHRASE_SCHEMA, columns=phrases.select(["id"]))
        added = rows_missing(phrases, "id", known["id"])
        if added.num_rows:
            # Never a key that is there: the engine does not survive a failing COPY from memory.
            self._write(cypher.ADD_PHRASES, added)
        if known.num_rows:
            joined = phrases.join(known, "id", join_type="inner", right_suffix="_known")
            later = joined.filter(pc.greater(joined["kind"], joined["kind_known"]))
            if later.num_rows:
                self._write(cypher.SET_KINDS, later.select(["id", "kind"]))
        return int(added.num_rows)

    def _upsert_relation(self, name: str, edges: pa.Table) -> LoadReport:
        ends = edges.select(["head_id", "tail_id"])
        known = self._table(cypher.known_edges(name), EDGE_SCHEMA, columns=ends)
        added = rows_missing(edges, "triple_id", known["triple_id"])
        changed = rows_changed(edges, known)
        columns = ["head_id", "tail_id", *FACETS]
        if added.num_rows:
            self._write(cypher.add_edges(name), added.select(columns))
        if changed.num_rows:
            self._write(cypher.update_edges(name), changed.select(columns))
        return LoadReport(
            added_edges=added.num_rows,
            unchanged=edges.num_rows - added.num_rows - changed.num_rows,
            updated=changed.num_rows,
        )

    def remove(self, triple_ids: Iterable[str]) -> int:
        """Take edges out, with the phrases that no edge needs any more; give how many edges."""
        edges = self.edge_table(sorted(set(triple_ids)))
        if not edges.num_rows:
            return 0
        ends = pc.unique(pa.chunked_array(edges["head_id"].chunks + edges["tail_id"].chunks))
        with self._transaction():
            for name in edges["relation"].unique().to_pylist():
                part = edges.filter(pc.equal(edges["relation"], name))
                self._write(cypher.delete_edges(name), part.select(["head_id", "tail_id"]))
            self._write(cypher.DROP_ORPHANS, pa.table({"id": ends}))
        return int(edges.num_rows)

    def close(self) -> None:
        """Put everything on disk and give the lock back. A second time does nothing."""
        if self._is_closed:
            return
        try:
            if self._has_written:
                self._run(cypher.CHECKPOINT)
        finally:
            self._is_closed = True
            self._connection.close()
            self._database.close()
            self._lock.release()

    # -- reading ---------------------------------------------------------------------------------

    def edge_tables(self, *, relations: Iterable[str] = ()) -> Iterator[pa.Table]:
        """Give all edges in tables, ordered by relation, head text, tail text, `triple_id`."""
        wanted = set(relations)
        for name in self._relations:
            if wanted and name not in wanted:
                continue
            heads = self._run(cypher.heads_of(name)).get_as_arrow()
            start, size = 0, 0
            for place, count in enumerate(heads["edges"].to_numpy() if heads.num_rows else ()):
                size += count
                if size >= _EXPORT_EDGES or place == heads.num_rows - 1:
                    ids = heads.slice(start, place + 1 - start).select(["id"])
                    yield self._edges_at("h", name, ids).sort_by(EXPORT_ORDER)
                    start, size = place + 1, 0

    def incident(
        self, phrase_ids: Sequence[str], direction: Direction, *, relation: str | None = None
    ) -> pa.Table:
        """Give the edges that leave, enter or touch any of these phrases, once each."""
        ids = pa.table({"id": pa.array(sorted(set(phrase_ids)), pa.string())})
        held = self._relations
        if not ids.num_rows or not held or (relation is not None and relation not in held):
            return EDGE_SCHEMA.empty_table()
        if direction != "both":
            return self._edges_at("h" if direction == "out" else "t", relation, ids)
        leaving = self._edges_at("h", relation, ids)
        arriving = self._edges_at("t", relation, ids)
        return pa.concat_tables([leaving, rows_missing(arriving, "head_id", ids["id"])])

    def _edges_at(self, end: str, relation: str | None, ids: pa.Table) -> pa.Table:
        return self._table(cypher.edges_at(end, relation), EDGE_SCHEMA, columns=ids)

    def edge_table(self, triple_ids: Sequence[str]) -> pa.Table:
        """Give the edges with these ids, in no particular order. Reads every edge."""
        if not self._relations:
            return EDGE_SCHEMA.empty_table()
        chunks = [
            self._table(
                cypher.edges_by_id(),
                EDGE_SCHEMA,
                ids=list(triple_ids[start : start + _IDS_AT_ONCE]),
            )
            for start in range(0, len(triple_ids), _IDS_AT_ONCE)
        ]
        return pa.concat_tables([EDGE_SCHEMA.empty_table(), *chunks])

    def phrases(self) -> Iterator[Phrase]:
        """Give every phrase, ordered by its text."""
        table = self._table(cypher.ALL_PHRASES, PHRASE_SCHEMA)
        for batch in table.to_batches(max_chunksize=_IDS_AT_ONCE):
            for row in batch.to_pylist():
                yield Phrase(**row)

    def counts(self) -> Counts:
        """Count nodes and edges."""
        counted = {
            name: self._rows(cypher.count_edges(name))[0]["count"] for name in self._relations
        }
        return Counts(
            nodes=self._rows(cypher.COUNT_PHRASES)[0]["count"],
            edges=sum(counted.values()),
            relations={name: count for name, count in counted.items() if count},
        )

    def cypher(self, text: str, **params: Any) -> list[dict[str, Any]]:
        """Give the rows of a reading Cypher query; every value is a parameter such as `$text`."""
        statement = cypher.check_reading(text)
        self._run(cypher.BEGIN_READING)
        try:
            return self._rows(statement, **params)
        finally:
            self._run(cypher.ROLLBACK)

    def meta(self) -> dict[str, str]:
        """Give what the store says of itself, `schema_version` above all."""
        return {row["key"]: row["value"] for row in self._rows(cypher.META)}


_WAY_OUT = (
    "Name another path, or move the file away and run the same build again: the run's shards hold "
    "everything that a store is filled from."
)
