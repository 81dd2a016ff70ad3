"""From a path to an open graph."""

from __future__ import annotations

from pathlib import Path

from kgbuild.core.config import StoreConfig
from kgbuild.core.errors import StoreError
from kgbuild.core.manifest import find_graph, read_manifest
from kgbuild.query.graph import Graph
from kgbuild.query.run_shards import RunShards


def open_graph(
    path: str | Path,
    *,
    encoder: str | None = None,
    database: str | None = None,
    credentials: Path | None = None,
) -> Graph:
    """Open a run folder, a graph store or a graph on a Neo4j server for reading.

    A run folder knows everything; of a bare store, `why` tells what the edges themselves hold.

    Args:
        path: A run folder, as `kgbuild build --run` makes it, a ladybug database file, or a
            server's address such as `neo4j://127.0.0.1:7687` (`neo4j://` is our own server).
        encoder: Sentence encoder for `search`, a catalogue name or a folder; without it the one
            that the run merged tails with.
        database: Of a server: which database; the user's own without it.
        credentials: Of a server: file with its user and password; see `find_address`.

    Raises:
        RunError: If the path is neither, or the run has no graph yet.
        StoreError: If the graph cannot be read, or a writer holds it.
    """
    if "://" in str(path):
        from kgbuild.store.neo4j_store import Neo4jStore, find_address

        address = find_address(str(path), database=database, credentials=credentials)
        server = Neo4jStore(address, is_read_only=True)
        return Graph(server, name=address.uri, encoder=encoder)
    if database is not None or credentials is not None:
        raise StoreError(
            f"{path} is no server, so it has neither database nor credentials; leave them out, or "
            "open an address such as neo4j://127.0.0.1:7687"
        )
    from kgbuild.store import open_store

    place = Path(path).expanduser()
    graph = find_graph(place)
    run = RunShards(read_manifest(place)) if place.is_dir() else None
    store = open_store(graph, config=StoreConfig(kind="ladybug"), is_read_only=True)
    folder = None if run else place.parent
    return Graph(store, name=str(place), run=run, folder=folder, encoder=encoder)
