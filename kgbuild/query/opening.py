"""From a path to an open graph."""

from __future__ import annotations

from pathlib import Path

from kgbuild.core.config import StoreConfig
from kgbuild.core.files import user_path
from kgbuild.core.manifest import find_graph, read_manifest
from kgbuild.query.graph import Graph
from kgbuild.query.run_shards import RunShards


def open_graph(path: str | Path, *, encoder: str | None = None) -> Graph:
    """Open a run folder or a graph store for reading.

    A run folder knows everything; of a bare store, `why` tells what the edges themselves hold.

    Args:
        path: A run folder, as `kgbuild build --run` makes it, or a ladybug database file.
        encoder: Sentence encoder for `search`, a catalogue name or a folder; without it the one
            that the run merged tails with.

    Raises:
        RunError: If the path is neither, or the run has no graph yet.
        StoreError: If the graph cannot be read, or a writer holds it.
    """
    from kgbuild.store import open_store

    place = user_path(path)
    graph = find_graph(place)
    run = RunShards(read_manifest(place)) if place.is_dir() else None
    store = open_store(graph, config=StoreConfig(kind="ladybug"), is_read_only=True)
    folder = None if run else place.parent
    return Graph(store, name=str(place), run=run, folder=folder, encoder=encoder)
