"""An edge worth showing first."""

from __future__ import annotations

from pathlib import Path

from kgbuild.core.manifest import read_manifest
from kgbuild.core.records import Edge
from kgbuild.core.shards import read_shards

_SHOWN_FIRST = ("xReact", "xWant", "xNeed", "UsedFor")


def example_edge(folder: Path) -> Edge | None:
    """Give the most certain edge of a relation that reads well, or of any."""
    edges = list(read_shards(read_manifest(folder).stage_folder("edges"), Edge))
    for relation in (*_SHOWN_FIRST, ""):
        found = [edge for edge in edges if not relation or edge.relation == relation]
        if found:
            return max(found, key=lambda edge: (edge.probability, edge.triple_id))
    return None
