"""From a path to an open graph."""

from __future__ import annotations

from pathlib import Path

from kgbuild.core.config import StoreConfig
from kgbuild.core.errors import RunError
from kgbuild.core.manifest import MANIFEST_NAME, read_manifest
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

    place = Path(path).expanduser()
    config = StoreConfig(kind="ladybug")
    if (place / MANIFEST_NAME).is_file():
        run = RunShards(read_manifest(place))
        graph = run.manifest.stage_folder("graph")
        store = open_store(graph, config=config, is_read_only=True)
        return Graph(store, name=str(place), run=run, encoder=encoder)
    if place.is_dir():
        raise RunError(
            f"{place} is a folder without {MANIFEST_NAME}, so it is no run; name a folder that "
            "kgbuild build has made, or a graph file"
        )
    if not place.exists():
        raise RunError(
            f"{place} does not exist; name a run folder or a graph file, or build one with "
            "kgbuild build CONFIG --run DIR"
        )
    store = open_store(place, config=config, is_read_only=True)
    return Graph(store, name=str(place), folder=place.parent, encoder=encoder)
