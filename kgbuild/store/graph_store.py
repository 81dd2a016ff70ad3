"""What every graph store can do, whatever engine lies below.

A store brings the primitives (the abstract methods); loading in batches, walking and turning rows
into records are the same for all and stand here.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from heapq import nsmallest
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa
import pyarrow.compute as pc

from kgbuild.core.config import StoreConfig
from kgbuild.core.errors import StoreError, did_you_mean
from kgbuild.core.records import Edge, Record
from kgbuild.store.batches import edge_batches, to_edges
from kgbuild.store.paths import Direction, find_paths
from kgbuild.store.words import split_words, wanted_words

if TYPE_CHECKING:
    import networkx

SCHEMA_VERSION = "1"
_RELATION_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


class Phrase(Record):
    """A node: one phrase, however many edges meet there."""

    id: str
    text: str
    kind: str = ""


class Counts(Record):
    """How much a store holds."""

    nodes: int
    edges: int
    relations: dict[str, int]


class LoadReport(Record):
    """What one load did. Only `unchanged` above zero means that nothing was written."""

    added_nodes: int = 0
    added_edges: int = 0
    unchanged: int = 0
    updated: int = 0

    def __add__(self, other: LoadReport) -> LoadReport:
        """Give the report of two loads, one after the other."""
        return LoadReport(
            **{name: getattr(self, name) + getattr(other, name) for name in type(self).model_fields}
        )


class GraphStore(ABC):
    """A graph with one node a phrase and one relationship type a relation.

    A context manager: leaving the block closes the store and gives its lock back.

    Args:
        relations: Names that edges may bear, as a validated relation pack gives them. Names that
            the store already holds stay valid, so a reader needs none.
        batch_edges: Edges loaded together; each batch is stored whole or not at all.
    """

    def __init__(
        self,
        *,
        relations: Iterable[str] = (),
        batch_edges: int = StoreConfig().batch_edges,
    ) -> None:
        self._batch_edges = batch_edges
        self._allowed = sorted(set(relations))
        for name in self._allowed:
            if not _RELATION_NAME.fullmatch(name):
                raise StoreError(
                    f"{name!r} cannot name a relationship type: a relation's name is a letter "
                    "and then letters, digits or _, 64 at most; rename it in its pack"
                )

    # -- primitives ------------------------------------------------------------------------------

    @abstractmethod
    def upsert(self, edges: pa.Table) -> LoadReport:
        """Store one batch: add what is new, set the facets that differ, leave the rest alone."""

    @abstractmethod
    def edge_tables(self, *, relations: Iterable[str] = ()) -> Iterator[pa.Table]:
        """Give all edges in tables, ordered by relation, head text, tail text, `triple_id`."""

    @abstractmethod
    def incident(
        self, phrase_ids: Sequence[str], direction: Direction, *, relation: str | None = None
    ) -> pa.Table:
        """Give the edges that leave, enter or touch any of these phrases, once each."""

    @abstractmethod
    def edge_table(self, triple_ids: Sequence[str]) -> pa.Table:
        """Give the edges with these ids, in no particular order. Reads every edge."""

    @abstractmethod
    def phrases(self) -> Iterator[Phrase]:
        """Give every phrase, ordered by its text."""

    @abstractmethod
    def counts(self) -> Counts:
        """Count nodes and edges."""

    @abstractmethod
    def remove(self, triple_ids: Iterable[str]) -> int:
        """Take edges out, with the phrases that no edge needs any more; give how many edges."""

    @abstractmethod
    def cypher(self, text: str, /, **params: Any) -> list[dict[str, Any]]:
        """Give the rows of a reading Cypher query; every value is a parameter such as `$text`."""

    @abstractmethod
    def meta(self) -> dict[str, str]:
        """Give what the store says of itself, `schema_version` above all."""

    @abstractmethod
    def close(self) -> None:
        """Put everything on disk and give the lock back. A second time does nothing."""

    # -- the same for every store ----------------------------------------------------------------

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def load_edges(self, edges: Iterable[Edge | pa.Table | pa.RecordBatch]) -> LoadReport:
        """Store edges so that doing it again changes nothing.

        After a crash, loading the same edges again ends in the same store: each batch is there
        whole or not at all, and what is there is recognised by its id.

        Raises:
            StoreError: If an edge's relation is not a known one, or the store is read only.
        """
        report = LoadReport()
        for batch in edge_batches(edges, self._batch_edges):
            report += self.upsert(batch)
        return report

    def edges(self, *, relations: Iterable[str] = ()) -> Iterator[Edge]:
        """Give all edges in export order, a bounded number in memory."""
        for table in self.edge_tables(relations=relations):
            yield from to_edges(table)

    def edge(self, triple_id: str) -> Edge | None:
        """Give one edge, or None. Who knows the head asks `tails`, which reads far less."""
        return next(to_edges(self.edge_table([triple_id])), None)

    def tails(self, head_id: str, relation: str | None = None) -> list[Edge]:
        """Give the edges that leave a phrase, the most probable first."""
        return _best_first(self.incident([head_id], "out", relation=relation))

    def heads(self, tail_id: str, relation: str | None = None) -> list[Edge]:
        """Give the edges that arrive at a phrase, the most probable first."""
        return _best_first(self.incident([tail_id], "in", relation=relation))

    def neighbours(self, phrase_id: str, *, depth: int = 1, limit: int = 100) -> list[Edge]:
        """Give the edges around a phrase: the near ones first, then the most probable."""
        found: dict[str, Edge] = {}
        seen = {phrase_id}
        frontier = [phrase_id]
        for _ in range(depth):
            if not frontier or len(found) >= limit:
                break
            ring = [
                edge
                for edge in _best_first(self.incident(frontier, "both"))
                if edge.triple_id not in found
            ][: limit - len(found)]
            found.update((edge.triple_id, edge) for edge in ring)
            frontier = sorted({end for edge in ring for end in (edge.head_id, edge.tail_id)} - seen)
            seen.update(frontier)
        return list(found.values())

    def paths(
        self,
        from_id: str,
        to_id: str,
        *,
        max_length: int = 3,
        limit: int = 10,
        is_directed: bool = False,
    ) -> list[tuple[Edge, ...]]:
        """Give paths between two phrases, shortest first, no phrase twice in a path.

        Args:
            from_id: Where the paths begin.
            to_id: Where they end.
            max_length: The most edges of a path.
            limit: The most paths.
            is_directed: Follow edges from head to tail only. Otherwise a path may also meet at a
                shared tail, which is how two events are joined by what they lead to.
        """
        known: list[pa.Table] = []

        def incident(phrase_ids: Sequence[str], direction: Direction) -> pa.Table:
            known.append(self.incident(phrase_ids, direction))
            return known[-1]

        walks = find_paths(incident, from_id, to_id, max_length=max_length, is_directed=is_directed)
        found = list(islice(walks, limit))
        if not found:
            return []
        wanted = pa.array(sorted({triple for path in found for triple in path}))
        edges = pa.concat_tables(known)
        used = edges.filter(pc.is_in(edges["triple_id"], value_set=wanted))
        by_id = {edge.triple_id: edge for edge in to_edges(used)}
        return [tuple(by_id[triple] for triple in path) for path in found]

    def find_phrases(self, text: str, *, limit: int = 10) -> list[Phrase]:
        """Give the phrases that hold every word of a text, the shortest first.

        Case does not matter, order neither; a text is only ever words, never a query.
        """
        wanted = set(wanted_words(text))
        found = (phrase for phrase in self.phrases() if wanted <= set(split_words(phrase.text)))
        return nsmallest(limit, found, key=lambda phrase: (len(phrase.text), phrase.text))

    def nearest(
        self, vector: Sequence[float], *, encoder: str, limit: int, kind: str | None = None
    ) -> list[tuple[Phrase, float]] | None:
        """Give the phrases nearest to a vector with their cosines, from vectors in the store.

        Args:
            vector: Of the search text, of length one.
            encoder: Key of the encoder that made it.
            limit: The most phrases.
            kind: Only heads of this kind.

        Returns:
            None if the store keeps no vectors of this encoder, as embedded stores never do.
        """
        return None

    def to_networkx(self, *, relations: Iterable[str] = ()) -> networkx.MultiDiGraph[str]:
        """Give the graph to networkx: phrase ids as nodes, relations as edge keys.

        Args:
            relations: Only these and the phrases they join; without any, the whole graph.
        """
        import networkx

        graph: networkx.MultiDiGraph[str] = networkx.MultiDiGraph()
        for phrase in self.phrases():
            graph.add_node(phrase.id, text=phrase.text, kind=phrase.kind)
        wanted = tuple(relations)
        for table in self.edge_tables(relations=wanted):
            ends = (table[name].to_pylist() for name in ("head_id", "tail_id", "relation"))
            facets = table.drop_columns(["head_id", "tail_id"]).to_pylist()
            graph.add_edges_from(zip(*ends, facets, strict=True))
        if wanted:
            graph.remove_nodes_from(list(networkx.isolates(graph)))
        return graph

    def _check_relations(self, edges: pa.Table, held: Iterable[str]) -> list[str]:
        known = {*self._allowed, *held}
        names: list[str] = sorted(edges["relation"].unique().to_pylist())
        for name in names:
            if name not in known:
                near = did_you_mean(name, sorted(known)) or "."
                raise StoreError(
                    f"{name!r} is not a relation that this store was opened for{near} "
                    "Open it with the relation pack that declares this name."
                )
        return names


def _best_first(edges: pa.Table) -> list[Edge]:
    order = [("probability", "descending"), ("tail", "ascending"), ("triple_id", "ascending")]
    return list(to_edges(edges.sort_by(order)))
