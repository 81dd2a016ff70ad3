"""Graphs of earlier runs, which a run does not repeat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kgbuild.core.config import StoreConfig
from kgbuild.core.errors import RunError
from kgbuild.core.files import hash_file, user_path
from kgbuild.core.manifest import find_graph
from kgbuild.store import open_store

if TYPE_CHECKING:
    import pyarrow as pa

    from kgbuild.dedup.clusters import Existing


def find_graphs(names: Sequence[str]) -> list[Path]:
    """Give the graph file of every run folder or graph file that a config names.

    Raises:
        RunError: If one is neither.
    """
    graphs = []
    for name in names:
        try:
            graphs.append(find_graph(user_path(name)))
        except RunError as error:
            raise RunError(f"dedup.against names {name}: {error}, or take it out") from error
    return graphs


def key_graphs(graphs: Sequence[Path]) -> list[str]:
    """Give what the merges of a run that must not repeat these graphs depend on."""
    return [hash_file(graph) for graph in graphs]


@contextmanager
def held_by(graphs: Sequence[Path], *, config: StoreConfig) -> Iterator[Existing | None]:
    """Open graphs for reading, as one function from head ids to the edges that leave them."""
    with ExitStack() as stack:
        stores = [
            stack.enter_context(open_store(graph, config=config, is_read_only=True))
            for graph in graphs
        ]

        def find(head_ids: Sequence[str]) -> pa.Table:
            import pyarrow as pa

            columns = ["triple_id", "head_id", "relation", "tail"]
            found = [store.incident(head_ids, "out").select(columns) for store in stores]
            return pa.concat_tables(found)

        yield find if stores else None
