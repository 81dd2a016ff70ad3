"""The embedded graph database: one file, no server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kgbuild.core.errors import StoreError
from kgbuild.core.phrases import PHRASE_SCHEMA
from kgbuild.core.records import Edge
from kgbuild.store import cypher
from kgbuild.store.batches import (
    EDGE_SCHEMA,
    EXPORT_ORDER,
    FACETS,
    HEADS_SCHEMA,
    LATER,
    STORED,
    cut_heads,
    edge_batches,
    phrase_table,
    rows_changed,
    rows_missing,
)
from kgbuild.store.engine import WAY_OUT, Engine
from kgbuild.store.first_load import copy_first
from kgbuild.store.graph_store import SCHEMA_VERSION, Counts, GraphStore, LoadReport, Phrase
from kgbuild.store.paths import Direction

_META = {"schema_version": SCHEMA_VERSION, "facets": " ".join(FACETS)}
_IDS_AT_ONCE = 25_000
_FEW_IDS = 20


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
        self._lacking: tuple[str, ...] = ()
        self._engine = Engine(Path(path), is_read_only=is_read_only)
        try:
            self._relations = self._check_schema()
        except BaseException:
            self._engine.close()
            raise

    def _check_schema(self) -> list[str]:
        tables = self._engine.rows(cypher.TABLES)
        if not tables and not self._engine.is_read_only:
            with self._engine.writing():
                for statement, values in cypher.create_schema(_META):
                    self._engine.run(statement, **values)
            return []
        if not any(row["name"] == "KgbuildMeta" for row in tables):
            holds = "is a database that kgbuild did not make" if tables else "holds no graph yet"
            raise StoreError(f"{self._engine.path} {holds}. {WAY_OUT}")
        meta = self.meta()
        held = meta.get("facets", "").split()
        lacking = tuple(facet for facet in LATER if facet not in held)
        known = " ".join(facet for facet in FACETS if facet not in lacking)
        if meta != {**_META, "facets": known}:
            raise StoreError(
                f"{self._engine.path} has the graph schema {meta.get('schema_version')} of another "
                f"version of kgbuild; this one reads and writes schema {SCHEMA_VERSION}. {WAY_OUT}"
            )
        relations = sorted(row["name"] for row in tables if row["type"] == "REL")
        if lacking and self._engine.is_read_only:
            self._lacking = lacking
        elif lacking:
            self._add_facets(relations, lacking)
        return relations

    def _add_facets(self, relations: Sequence[str], facets: Iterable[str]) -> None:
        """Make a store of an earlier version one of this."""
        with self._engine.writing():
            for facet in facets:
                for name in relations:
                    self._engine.run(cypher.add_facet(name, facet))
            self._engine.run(cypher.SET_META, key="facets", value=_META["facets"])

    # -- writing ---------------------------------------------------------------------------------

    def load_edges(self, edges: Iterable[Edge | pa.Table | pa.RecordBatch]) -> LoadReport:
        """Store edges so that doing it again changes nothing.

        The first load of an empty store, if it is more than one batch, is copied as a whole: a
        commit a batch would take half of its time. Killed half-way, it leaves the store empty.
        Every other load goes batch by batch, and what is killed keeps its whole batches.

        Raises:
            FileError: If the disk is full.
            StoreError: If an edge's relation is not a known one, or the store is read only.
        """
        batches = edge_batches(edges, self._batch_edges)
        first = list(islice(batches, 2))
        every = chain(first, batches)
        if len(first) < 2 or self._relations or self._engine.is_read_only:
            return super().load_edges(every)
        report = copy_first(self._engine, map(self._checked, every), meta=_META)
        if report is None:
            return super().load_edges(every)
        self._relations = self._check_schema()
        return report

    def _checked(self, batch: pa.Table) -> pa.Table:
        self._check_relations(batch, self._relations)
        return batch

    def upsert(self, edges: pa.Table) -> LoadReport:
        """Store one batch: add what is new, set the facets that differ, leave the rest alone."""
        names = self._check_relations(edges, self._relations)
        new_phrases, new_kinds = self._compare_phrases(phrase_table(edges))
        compared = {name: self._compare_edges(name, edges) for name in names}
        added = sum(new.num_rows for new, _ in compared.values())
        updated = sum(changed.num_rows for _, changed in compared.values())
        report = LoadReport(
            added_nodes=new_phrases.num_rows,
            added_edges=added,
            unchanged=edges.num_rows - added - updated,
            updated=updated,
        )
        if not (new_phrases.num_rows or new_kinds.num_rows or added or updated):
            return report
        new_names = [name for name in names if name not in self._relations]
        with self._engine.writing():
            # Never a key that is there: the engine does not survive a failing COPY from memory.
            self._write(cypher.ADD_PHRASES, new_phrases)
            for kind in new_kinds["kind"].unique().to_pylist():
                ids = new_kinds.filter(pc.equal(new_kinds["kind"], kind))["id"].to_pylist()
                self._engine.run(cypher.SET_KIND, ids=ids, kind=kind)
            for name in new_names:
                self._engine.run(cypher.create_relation(name))
            for name, (new, changed) in compared.items():
                # An edge is taken out and copied in anew: twenty facets at once, in bulk.
                self._delete(name, changed)
                self._write(cypher.add_edges(name), pa.concat_tables([new, changed]))
        self._relations = sorted([*self._relations, *new_names])
        return report

    def _write(self, statement: str, columns: pa.Table) -> None:
        if columns.num_rows:
            self._engine.run(statement, columns=columns)

    def _delete(self, name: str, edges: pa.Table) -> None:
        ends = edges.select(["head_id", "tail_id"])
        for batch in ends.to_batches(max_chunksize=_IDS_AT_ONCE):
            self._engine.run(cypher.delete_edges(name), rows=batch.to_pylist())

    def _compare_phrases(self, phrases: pa.Table) -> tuple[pa.Table, pa.Table]:
        known = self._known_phrases(phrases["id"])
        joined = phrases.join(known, "id", join_type="inner", right_suffix="_known")
        later = joined.filter(pc.greater(joined["kind"], joined["kind_known"]))
        return rows_missing(phrases, "id", known["id"]), later.select(["id", "kind"])

    def _known_phrases(self, ids: pa.ChunkedArray) -> pa.Table:
        """Give those of some phrases, ordered by id, that are in the store."""
        found = [PHRASE_SCHEMA.empty_table()]
        for start in range(0, len(ids), _IDS_AT_ONCE):
            wanted = ids.slice(start, _IDS_AT_ONCE).combine_chunks()
            low, high = wanted[0].as_py(), wanted[-1].as_py()
            held = self._engine.table(PHRASE_SCHEMA, cypher.PHRASES_BETWEEN, low=low, high=high)
            found.append(held.filter(pc.is_in(held["id"], value_set=wanted)))
        return pa.concat_tables(found)

    def _compare_edges(self, name: str, edges: pa.Table) -> tuple[pa.Table, pa.Table]:
        part = edges.filter(pc.equal(edges["relation"], name))
        if name not in self._relations:
            return part.select(STORED), part.slice(0, 0).select(STORED)
        known = self._edges_at("h", name, part["head_id"].unique().to_pylist())
        new = rows_missing(part, "triple_id", known["triple_id"])
        return new.select(STORED), rows_changed(part, known).select(STORED)

    def remove(self, triple_ids: Iterable[str]) -> int:
        """Take edges out, with the phrases that no edge needs any more; give how many edges."""
        edges = self.edge_table(sorted(set(triple_ids)))
        if not edges.num_rows:
            return 0
        ends = pc.unique(pa.chunked_array(edges["head_id"].chunks + edges["tail_id"].chunks))
        with self._engine.writing():
            for name in edges["relation"].unique().to_pylist():
                self._delete(name, edges.filter(pc.equal(edges["relation"], name)))
            self._engine.run(cypher.DROP_ORPHANS, ids=ends.to_pylist())
        return int(edges.num_rows)

    def close(self) -> None:
        """Put everything on disk and give the lock back. A second time does nothing."""
        self._engine.close()

    # -- reading ---------------------------------------------------------------------------------

    def edge_tables(self, *, relations: Iterable[str] = ()) -> Iterator[pa.Table]:
        """Give all edges in tables, ordered by relation, head text, tail text, `triple_id`."""
        wanted = set(relations)
        for name in self._relations:
            if wanted and name not in wanted:
                continue
            statement = self._fitting(cypher.edges_between(name))
            for heads in cut_heads(self._engine.table(HEADS_SCHEMA, cypher.heads_of(name))):
                low, high = (heads["text"][end].as_py() for end in (0, -1))
                found = self._engine.table(EDGE_SCHEMA, statement, low=low, high=high)
                yield found.sort_by(EXPORT_ORDER)

    def incident(
        self, phrase_ids: Sequence[str], direction: Direction, *, relation: str | None = None
    ) -> pa.Table:
        """Give the edges that leave, enter or touch any of these phrases, once each."""
        ids = sorted(set(phrase_ids))
        held = self._relations
        if not ids or not held or (relation is not None and relation not in held):
            return EDGE_SCHEMA.empty_table()
        if direction != "both":
            return self._edges_at("h" if direction == "out" else "t", relation, ids)
        leaving = self._edges_at("h", relation, ids)
        arriving = self._edges_at("t", relation, ids)
        here = pa.chunked_array([ids])
        return pa.concat_tables([leaving, rows_missing(arriving, "head_id", here)])

    def _edges_at(self, end: str, relation: str | None, ids: list[str]) -> pa.Table:
        statement = self._fitting(cypher.edges_at(end, relation))
        # Rows come back several times sooner than a table of few rows.
        rows = [row for id in ids for row in self._engine.rows(statement, id=id)]
        return pa.Table.from_pylist(rows, schema=EDGE_SCHEMA)

    def _fitting(self, statement: str) -> str:
        return cypher.without(statement, self._lacking)

    def edge_table(self, triple_ids: Sequence[str]) -> pa.Table:
        """Give the edges with these ids, in no particular order. Reads every edge."""
        if not self._relations or not triple_ids:
            return EDGE_SCHEMA.empty_table()
        if len(triple_ids) <= _FEW_IDS:  # compared with every edge, one by one
            statement = self._fitting(cypher.edges_by_id())
            return self._engine.table(EDGE_SCHEMA, statement, ids=list(triple_ids))
        wanted = pa.array(triple_ids)
        found = (
            table.filter(pc.is_in(table["triple_id"], value_set=wanted))
            for table in self.edge_tables()
        )
        return pa.concat_tables([EDGE_SCHEMA.empty_table(), *found])

    def phrases(self) -> Iterator[Phrase]:
        """Give every phrase, ordered by its text."""
        table = self._engine.table(PHRASE_SCHEMA, cypher.ALL_PHRASES)
        for batch in table.to_batches(max_chunksize=_IDS_AT_ONCE):
            for row in batch.to_pylist():
                yield Phrase(**row)

    def counts(self) -> Counts:
        """Count nodes and edges."""
        counted = {
            name: self._engine.rows(cypher.count_edges(name))[0]["count"]
            for name in self._relations
        }
        return Counts(
            nodes=self._engine.rows(cypher.COUNT_PHRASES)[0]["count"],
            edges=sum(counted.values()),
            relations={name: count for name, count in counted.items() if count},
        )

    def cypher(self, text: str, /, **params: Any) -> list[dict[str, Any]]:
        """Give the rows of a reading Cypher query; every value is a parameter such as `$text`."""
        statement = cypher.translate(cypher.check_reading(text))
        with self._engine.reading():
            return self._engine.rows(statement, **params)

    def meta(self) -> dict[str, str]:
        """Give what the store says of itself, `schema_version` above all."""
        return {row["key"]: row["value"] for row in self._engine.rows(cypher.META)}
