"""kgbuild builds commonsense knowledge graphs by distilling them from language models.

`kgbuild.open(path)` opens a finished run, a graph file or a server's graph for reading;
everything else is reached through the rooms (`kgbuild.teacher`, `kgbuild.critic`, ...) or the
`kgbuild` command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kgbuild.core.version import __version__

if TYPE_CHECKING:
    from kgbuild.query import Graph

__all__ = ["__version__", "open"]


def open(path: str, **options: Any) -> Graph:
    """Open a run folder, a graph file or a graph on a Neo4j server for reading.

    Imported lazily, so that `import kgbuild` stays instant.
    """
    from kgbuild.query import open_graph

    return open_graph(path, **options)
