"""A whole graph, or the part of it that some relations make, as other libraries take it.

Everything moves in Arrow tables of bounded size, never as one Python object an edge.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from kgbuild.core.records import Edge
from kgbuild.core.relations import RelationSet, load_relations
from kgbuild.core.shards import arrow_schema
from kgbuild.query.frames import to_pandas, to_polars
from kgbuild.query.picture import draw_edges
from kgbuild.query.run_shards import RunShards
from kgbuild.query.wording import check_relation
from kgbuild.store import Counts, GraphStore

if TYPE_CHECKING:
    import networkx
    import pandas
    import polars
    from IPython.display import HTML

_SHIPPED_PACKS = ("atomic2020.en", "generics.en")


class WholeGraph:
    """What can be done with all edges at once.

    Args:
        store: The open store.
        run: The run's shards, if there is a run.
    """

    def __init__(self, store: GraphStore, *, run: RunShards | None = None) -> None:
        self._store = store
        self._run = run

    def edge_tables(self, *relations: str) -> Iterator[pa.Table]:
        """Give edges as Arrow tables of bounded size, for a graph larger than the memory.

        Args:
            relations: Only these; without any, all.

        Raises:
            RelationError: If a relation is unknown; the message names the nearest.
        """
        self._check_all(relations)
        return self._store.edge_tables(relations=relations)

    def to_arrow(self, *relations: str) -> pa.Table:
        """Give edges as one Arrow table with the fields of `Edge`: by relation, head and tail.

        Args:
            relations: Only these; without any, all.
        """
        empty = arrow_schema(Edge).empty_table()
        return pa.concat_tables([empty, *self.edge_tables(*relations)])

    def to_pandas(self, *relations: str) -> pandas.DataFrame:
        """Give edges to pandas (`pip install 'kgbuild[pandas]'`); see `to_arrow`."""
        return to_pandas(self.to_arrow(*relations))

    def to_polars(self, *relations: str) -> polars.DataFrame:
        """Give edges to polars (`pip install 'kgbuild[polars]'`); see `to_arrow`."""
        return to_polars(self.to_arrow(*relations))

    def to_networkx(self, *relations: str) -> networkx.MultiDiGraph[str]:
        """Give edges to networkx: phrase ids as nodes, relations as edge keys.

        Args:
            relations: Only these and the phrases they join; without any, the whole graph.
        """
        self._check_all(relations)
        return self._store.to_networkx(relations=relations)

    def draw(self, edges: Iterable[Edge], *, height: int = 600) -> HTML:
        """Draw edges in a notebook (`pip install 'kgbuild[notebook]'`).

        Args:
            edges: What `tails`, `heads` or `neighbours` give.
            height: Of the picture, in pixels.
        """
        return draw_edges(edges, relations=self.relations, height=height)

    def counts(self) -> Counts:
        """Count phrases and edges, by relation too."""
        return self._store.counts()

    def cypher(self, text: str, /, **params: Any) -> list[dict[str, Any]]:
        """Give the rows of a reading Cypher query; every value is a parameter such as `$text`.

        Nodes are `(:Phrase {id, text, kind})`, relationships bear the relation's name and the
        fields of `Edge`.
        """
        return self._store.cypher(text, **params)

    @cached_property
    def relations(self) -> RelationSet:
        """The relations of the run's packs, or of the shipped ones."""
        return load_relations(self._run.config.prompts.packs if self._run else _SHIPPED_PACKS)

    def _check(self, relation: str | None) -> None:
        if relation is None or relation in self.relations:
            return
        known = {*(known.name for known in self.relations), *self._store.counts().relations}
        check_relation(relation, sorted(known))

    def _check_all(self, relations: Iterable[str]) -> None:
        for relation in relations:
            self._check(relation)
