"""Stores accepted edges as a graph, one node a phrase, and answers what is next to what.

Reads `Edge` records or Arrow tables with their columns, a bounded batch at a time; writes a
ladybug database file, a Neo4j server's graph or one in memory behind one protocol, `GraphStore`.
Its door is `load_edges`, which changes nothing when it is called again with the same edges. It
refuses relation names that no pack declares, databases of other programs or versions, and a file
that another process holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from kgbuild.core.config import StoreConfig
from kgbuild.core.errors import StoreError
from kgbuild.core.records import Edge
from kgbuild.store.graph_store import Counts, GraphStore, LoadReport, Phrase

__all__ = [
    "Counts",
    "GraphStore",
    "LoadReport",
    "Phrase",
    "load_edges",
    "open_store",
    "write_admin_bundle",
]


def open_store(
    path: Path | None,
    *,
    config: StoreConfig,
    relations: Iterable[str] = (),
    is_read_only: bool = False,
) -> GraphStore:
    """Open the store that the configuration names.

    Args:
        path: The database file; an in-memory store has none.
        config: Which store and how much it loads at once.
        relations: Names that edges may bear, from a validated relation pack.
        is_read_only: Open for queries only.
    """
    if config.kind == "memory":
        from kgbuild.store.memory import MemoryStore

        return MemoryStore(relations=relations, batch_edges=config.batch_edges)
    if path is None:
        raise StoreError("A ladybug store needs the path of its file; name one")
    from kgbuild.store.ladybug_store import LadybugStore

    return LadybugStore(
        path, is_read_only=is_read_only, relations=relations, batch_edges=config.batch_edges
    )


def load_edges(
    edges: Iterable[Edge | pa.Table | pa.RecordBatch], *, store: GraphStore
) -> LoadReport:
    """Store edges so that doing it again changes nothing; see `GraphStore.load_edges`."""
    return store.load_edges(edges)


def write_admin_bundle(edges: Iterable[pa.Table], out: Path) -> int:
    """Write edges as a folder that `neo4j-admin` imports; give the number of relationships."""
    # Here, because the driver comes with it.
    from kgbuild.store.admin_bundle import write_bundle

    return write_bundle(edges, out)
