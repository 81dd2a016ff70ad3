"""The graph store that lives in a Neo4j server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import neo4j
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kgbuild.core.errors import StoreError
from kgbuild.core.phrases import PHRASE_SCHEMA
from kgbuild.core.records import Edge
from kgbuild.core.server_config import Neo4jConfig
from kgbuild.store.batches import (
    EDGE_SCHEMA,
    EXPORT_ORDER,
    HEADS_SCHEMA,
    cut_heads,
    phrase_table,
)
from kgbuild.store.cypher import RESERVED, check_reading, quote
from kgbuild.store.graph_store import Counts, GraphStore, LoadReport, Phrase
from kgbuild.store.neo4j_store import cypher
from kgbuild.store.neo4j_store.address import Address
from kgbuild.store.neo4j_store.connection import Connection
from kgbuild.store.neo4j_store.rejected import write_rejected
from kgbuild.store.neo4j_store.rows import plain, read_table, slices, to_table
from kgbuild.store.neo4j_store.schema import check_schema, make_constraints, make_indexes
from kgbuild.store.neo4j_store.vectors import (
    find_nearest,
    phrases_without_vectors,
    prepare_vectors,
    write_vectors,
)
from kgbuild.store.neo4j_store.writing import remove_edges, write_batch
from kgbuild.store.paths import Direction
from kgbuild.store.words import wanted_words

Vectors = npt.NDArray[np.floating[Any]]

_TRIPLE_IDS = pa.schema([("triple_id", pa.string())])
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_IDS_AT_ONCE = 10_000
_VECTORS_AT_ONCE = 1_000
# A range index takes keys of 8,167 bytes at most.
_PHRASE_BYTES = 8_000


class Neo4jStore(GraphStore):
    """A Neo4j database behind the protocol of all stores.

    Args:
        address: The server, from `find_address`.
        is_read_only: Open for queries; the server refuses writes then.
        config: Patience and the size of a transaction.
        options: `relations` and `batch_edges`, as for every store.

    Raises:
        StoreError: If the server is not there or refuses us, or the database is not one of this
            version of kgbuild.
    """

    def __init__(
        self,
        address: Address,
        *,
        is_read_only: bool = False,
        config: Neo4jConfig | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        for name in self._allowed:
            quote(name)
        config = config or Neo4jConfig()
        self._batch_edges = min(self._batch_edges, config.batch_edges)
        self._connection = Connection(address, config=config, is_read_only=is_read_only)
        try:
            check_schema(self._connection)
            self._relations = self._read_relations()
            if not is_read_only:
                make_constraints(self._connection, self._relations)
        except BaseException:
            self._connection.close()
            raise

    def __repr__(self) -> str:
        return f"<Neo4jStore {self._connection.name}>"

    def _read_relations(self) -> list[str]:
        names = [row["name"] for row in self._connection.rows(cypher.TYPES)]
        ours = [name for name in names if _NAME.fullmatch(name) and name not in RESERVED]
        # The server never forgets a name; what has no edge is not held.
        return sorted(self._count(ours)[1])

    def close(self) -> None:
        """End the connection. A second time does nothing."""
        self._connection.close()

    # -- writing ---------------------------------------------------------------------------------

    def load_edges(self, edges: Iterable[Edge | pa.Table | pa.RecordBatch]) -> LoadReport:
        """Store edges so that doing it again changes nothing, and index them; see `GraphStore`."""
        report = super().load_edges(edges)
        make_indexes(self._connection)
        return report

    def upsert(self, edges: pa.Table) -> LoadReport:
        """Store one batch: add what is new, set the facets that differ, leave the rest alone."""
        names = self._check_relations(edges, self._relations)
        phrases = phrase_table(edges)
        _check_length(phrases)
        for name in names:
            if name not in self._relations:
                self._connection.change(cypher.one_edge(name))
        report = self._connection.write(partial(write_batch, edges=edges, phrases=phrases))
        self._relations = sorted({*self._relations, *names})
        return report

    def load_rejected(self, rows: Iterable[pa.Table]) -> LoadReport:
        """Keep rejected triples as `REJECTED` relationships, apart from the graph's own edges.

        Args:
            rows: Tables with the columns of `RejectedEdge`, each stored whole or not at all.
        """
        self._connection.change(cypher.ONE_REJECTED)
        report = LoadReport()
        for table in rows:
            report += self._connection.write(partial(write_rejected, rows=table))
        return report

    def add_vectors(
        self, encode: Callable[[Sequence[str]], Vectors], *, encoder: str, dimensions: int
    ) -> Iterator[int]:
        """Embed the phrases that have no vector of this encoder yet; give how many each time.

        Args:
            encode: Gives one vector a text.
            encoder: Key of the encoder; vectors of another one are taken out first.
            dimensions: Length of a vector.
        """
        prepare_vectors(self._connection, encoder=encoder, dimensions=dimensions)
        missing = phrases_without_vectors(self._connection)
        for start in range(0, len(missing), _VECTORS_AT_ONCE):
            part = missing[start : start + _VECTORS_AT_ONCE]
            vectors = encode([text for _, text in part])
            ids = [phrase for phrase, _ in part]
            write_vectors(self._connection, ids, [list(map(float, row)) for row in vectors])
            yield len(part)

    def remove(self, triple_ids: Iterable[str]) -> int:
        """Take edges out, with the phrases that no edge needs any more; give how many edges."""
        edges = self.edge_table(sorted(set(triple_ids)))
        for part in slices(edges, _IDS_AT_ONCE):
            self._connection.write(partial(remove_edges, edges=part))
        return int(edges.num_rows)

    # -- reading ---------------------------------------------------------------------------------

    def ids_of_run(self, run: str) -> Iterator[pa.ChunkedArray]:
        """Give the triple ids of the edges that a run made, relation by relation."""
        for name in self._relations:
            yield self._table(_TRIPLE_IDS, cypher.ids_of_run(name), run=run)["triple_id"]

    def edge_tables(self, *, relations: Iterable[str] = ()) -> Iterator[pa.Table]:
        """Give all edges in tables, ordered by relation, head text, tail text, `triple_id`."""
        wanted = set(relations)
        for name in self._relations:
            if wanted and name not in wanted:
                continue
            # Ordered here, not by the server, whose order of rare letters is another one.
            every = self._table(HEADS_SCHEMA, cypher.heads_of(name)).sort_by(
                [("text", "ascending"), ("id", "ascending")]
            )
            for heads in cut_heads(every):
                ids = heads["id"].to_pylist()
                found = self._table(EDGE_SCHEMA, cypher.edges_at("h", [name]), ids=ids)
                yield found.sort_by(EXPORT_ORDER)

    def incident(
        self, phrase_ids: Sequence[str], direction: Direction, *, relation: str | None = None
    ) -> pa.Table:
        """Give the edges that leave, enter or touch any of these phrases, once each."""
        ids = sorted(set(phrase_ids))
        held = [name for name in self._relations if relation in (None, name)]
        if not ids or not held:
            return EDGE_SCHEMA.empty_table()
        if len(ids) == 1 and direction == "out":  # the question asked most: one record, not ten
            rows = self._connection.value(cypher.edges_of_head(held), id=ids[0])
            return to_table(rows, EDGE_SCHEMA)
        parts = []
        if direction != "in":
            parts.append(self._table(EDGE_SCHEMA, cypher.edges_at("h", held), ids=ids))
        if direction != "out":
            arriving = self._table(EDGE_SCHEMA, cypher.edges_at("t", held), ids=ids)
            if parts:
                is_here = pc.is_in(arriving["head_id"], value_set=pa.array(ids))
                arriving = arriving.filter(pc.invert(is_here))
            parts.append(arriving)
        return pa.concat_tables(parts)

    def edge_table(self, triple_ids: Sequence[str]) -> pa.Table:
        """Give the edges with these ids, in no particular order, by the index of each relation."""
        parts = [EDGE_SCHEMA.empty_table()]
        for start in range(0, len(triple_ids), _IDS_AT_ONCE):
            ids = list(triple_ids[start : start + _IDS_AT_ONCE])
            parts += [
                self._table(EDGE_SCHEMA, cypher.edges_by_id(name), ids=ids)
                for name in self._relations
            ]
        return pa.concat_tables(parts)

    def phrases(self) -> Iterator[Phrase]:
        """Give every phrase, ordered by its text."""
        table = self._table(PHRASE_SCHEMA, cypher.ALL_PHRASES)
        ordered = table.sort_by([("text", "ascending"), ("id", "ascending")])
        for batch in ordered.to_batches(max_chunksize=_IDS_AT_ONCE):
            for row in batch.to_pylist():
                yield Phrase(**row)

    def find_phrases(self, text: str, *, limit: int = 10) -> list[Phrase]:
        """Give the phrases that hold every word of a text, the shortest first, by the index."""
        query = cypher.words_query(wanted_words(text))
        self._need_indexes()
        rows = self._connection.rows(cypher.FIND_WORDS, query=query, limit=limit)
        return [Phrase(**row) for row in rows]

    def nearest(
        self, vector: Sequence[float], *, encoder: str, limit: int, kind: str | None = None
    ) -> list[tuple[Phrase, float]] | None:
        """Give the phrases nearest to a vector by the vector index; see `GraphStore`."""
        return find_nearest(self._connection, vector, encoder=encoder, limit=limit, kind=kind)

    def _need_indexes(self) -> None:
        if not self._connection.is_read_only:
            make_indexes(self._connection)

    def counts(self) -> Counts:
        """Count nodes and edges."""
        nodes, counted = self._count(self._relations)
        return Counts(nodes=nodes, edges=sum(counted.values()), relations=counted)

    def _count(self, relations: Iterable[str]) -> tuple[int, dict[str, int]]:
        def count(tx: neo4j.ManagedTransaction) -> tuple[int, dict[str, int]]:
            nodes = tx.run(cypher.COUNT_PHRASES).single(strict=True)["count"]
            edges = {
                name: tx.run(cypher.count_edges(name)).single(strict=True)["count"]
                for name in relations
            }
            return nodes, {name: number for name, number in edges.items() if number}

        return self._connection.read(count)

    def cypher(self, text: str, /, **params: Any) -> list[dict[str, Any]]:
        """Give the rows of a reading Cypher query; every value is a parameter such as `$text`."""
        statement = check_reading(text)

        def ask(tx: neo4j.ManagedTransaction) -> list[dict[str, Any]]:
            return [
                dict(zip(row.keys(), map(plain, row.values()), strict=True))
                for row in tx.run(statement, params)
            ]

        return self._connection.read(ask)

    def meta(self) -> dict[str, str]:
        """Give what the store says of itself, `schema_version` above all."""
        return {row["key"]: row["value"] for row in self._connection.rows(cypher.META)}

    def _table(self, schema: pa.Schema, statement: str, /, **params: Any) -> pa.Table:
        return self._connection.read(lambda tx: read_table(tx, schema, statement, **params))


def _check_length(phrases: pa.Table) -> None:
    lengths = pc.binary_length(pc.cast(phrases["text"], pa.binary()))
    longest = pc.max(lengths).as_py() or 0
    if longest > _PHRASE_BYTES:
        place = pc.index(lengths, longest).as_py()
        text = phrases["text"][place].as_py()
        raise StoreError(
            f"The phrase {text[:40]!r}… has {longest:,} bytes and Neo4j indexes phrases of "
            f"{_PHRASE_BYTES:,} at most; shorten it"
        )
