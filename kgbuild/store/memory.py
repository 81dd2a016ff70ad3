"""A graph store that lives in this process only, for tests, notebooks and small runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import networkx
import pyarrow as pa

from kgbuild.core.errors import StoreError
from kgbuild.store.batches import EDGE_SCHEMA, EXPORT_ORDER, phrase_table, rows_changed
from kgbuild.store.graph_store import SCHEMA_VERSION, Counts, GraphStore, LoadReport, Phrase
from kgbuild.store.paths import Direction

_TABLE_ROWS = 4096


class MemoryStore(GraphStore):
    """A `networkx.MultiDiGraph` behind the protocol of all stores."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._graph: networkx.MultiDiGraph[str] = networkx.MultiDiGraph()
        self._edges: dict[str, dict[str, Any]] = {}

    def upsert(self, edges: pa.Table) -> LoadReport:
        """Store one batch: add what is new, set the facets that differ, leave the rest alone."""
        self._check_relations(edges, self.counts().relations)
        added_nodes = self._add_phrases(phrase_table(edges))
        known = self.edge_table(edges["triple_id"].to_pylist())
        changed = set(rows_changed(edges, known)["triple_id"].to_pylist())
        added = edges.num_rows - known.num_rows
        for row in edges.to_pylist():
            triple = row["triple_id"]
            if triple in changed or triple not in self._edges:
                self._edges[triple] = row
                self._graph.add_edge(
                    row["head_id"], row["tail_id"], key=row["relation"], triple_id=triple
                )
        return LoadReport(
            added_nodes=added_nodes,
            added_edges=added,
            unchanged=known.num_rows - len(changed),
            updated=len(changed),
        )

    def _add_phrases(self, phrases: pa.Table) -> int:
        before = len(self._graph)
        for row in phrases.to_pylist():
            if row["id"] not in self._graph:
                self._graph.add_node(row["id"], text=row["text"], kind=row["kind"])
            node = self._graph.nodes[row["id"]]
            node["kind"] = max(node["kind"], row["kind"])
        return len(self._graph) - before

    def edge_tables(self, *, relations: Iterable[str] = ()) -> Iterator[pa.Table]:
        """Give all edges in tables, ordered by relation, head text, tail text, `triple_id`."""
        wanted = set(relations)
        triples = [
            triple for triple, row in self._edges.items() if not wanted or row["relation"] in wanted
        ]
        table = self.edge_table(triples).sort_by(EXPORT_ORDER)
        for start in range(0, table.num_rows, _TABLE_ROWS):
            yield table.slice(start, _TABLE_ROWS)

    def incident(
        self, phrase_ids: Sequence[str], direction: Direction, *, relation: str | None = None
    ) -> pa.Table:
        """Give the edges that leave, enter or touch any of these phrases, once each."""
        here = [phrase for phrase in phrase_ids if phrase in self._graph]
        found: dict[str, None] = {}
        if direction != "in":
            leaving: Iterable[Any] = self._graph.out_edges(here, data="triple_id")
            found |= dict.fromkeys(triple for _, _, triple in leaving)
        if direction != "out":
            arriving: Iterable[Any] = self._graph.in_edges(here, data="triple_id")
            found |= dict.fromkeys(triple for _, _, triple in arriving)
        return self.edge_table(
            [triple for triple in found if relation in (None, self._edges[triple]["relation"])]
        )

    def edge_table(self, triple_ids: Sequence[str]) -> pa.Table:
        """Give the edges with these ids."""
        nodes = self._graph.nodes
        rows = [
            {
                **self._edges[triple],
                "head": nodes[self._edges[triple]["head_id"]]["text"],
                "tail": nodes[self._edges[triple]["tail_id"]]["text"],
            }
            for triple in triple_ids
            if triple in self._edges
        ]
        return pa.Table.from_pylist(rows, schema=EDGE_SCHEMA)

    def phrases(self) -> Iterator[Phrase]:
        """Give every phrase, ordered by its text."""
        nodes = self._graph.nodes
        for phrase in sorted(nodes, key=lambda phrase: (nodes[phrase]["text"], phrase)):
            yield Phrase(id=phrase, text=nodes[phrase]["text"], kind=nodes[phrase]["kind"])

    def counts(self) -> Counts:
        """Count nodes and edges."""
        relations = Counter(row["relation"] for row in self._edges.values())
        return Counts(
            nodes=len(self._graph),
            edges=len(self._edges),
            relations=dict(sorted(relations.items())),
        )

    def remove(self, triple_ids: Iterable[str]) -> int:
        """Take edges out, with the phrases that no edge needs any more; give how many edges."""
        removed = 0
        for triple in triple_ids:
            row = self._edges.pop(triple, None)
            if row is None:
                continue
            ends = {row["head_id"], row["tail_id"]}
            self._graph.remove_edge(row["head_id"], row["tail_id"], key=row["relation"])
            self._graph.remove_nodes_from([end for end in ends if not self._graph.degree(end)])
            removed += 1
        return removed

    def cypher(self, text: str, /, **params: Any) -> list[dict[str, Any]]:
        """Say that this store has no Cypher.

        Raises:
            StoreError: Always.
        """
        raise StoreError(
            "The in-memory store has no Cypher. Use tails, heads, neighbours and paths, or build "
            "with store.kind=ladybug."
        )

    def meta(self) -> dict[str, str]:
        """Give what the store says of itself."""
        return {"schema_version": SCHEMA_VERSION}

    def close(self) -> None:
        """Do nothing: the graph ends with its last reference."""
