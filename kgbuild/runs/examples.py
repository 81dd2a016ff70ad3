"""An edge worth showing first."""

from __future__ import annotations

from pathlib import Path

from kgbuild.core.manifest import read_manifest
from kgbuild.core.records import Edge
from kgbuild.core.shards import read_shards

_SHOWN_FIRST = ("xReact", "xWant", "xNeed", "UsedFor")


def example_edge(folder: Path) -> Edge | None:
    """Give the most certain edge of a relation that reads well, or of any."""
    best: dict[str, Edge] = {}
    for edge in read_shards(read_manifest(folder).stage_folder("edges"), Edge):
        for name in {edge.relation} & {*_SHOWN_FIRST} | {""}:
            held = best.get(name)
            if held is None or _rank(edge) > _rank(held):
                best[name] = edge
    return next((best[name] for name in (*_SHOWN_FIRST, "") if name in best), None)


def _rank(edge: Edge) -> tuple[float, str]:
    return edge.probability, edge.triple_id
