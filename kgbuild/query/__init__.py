"""Reads a finished graph: what is next to what, what means the same, and why it is there.

Reads a run folder or a graph store, always read-only; gives frozen records. Writes nothing but a
search index, kept beside the run and found again by its content. Refuses phrases that the graph
does not hold and relations that nobody declared, and names the nearest ones. Its door is
`open_graph`, which `kgbuild.open` calls.
"""

from __future__ import annotations

from kgbuild.query.explanation import (
    Cluster,
    Explanation,
    Generation,
    Judgement,
    Member,
    Question,
    ReviewNote,
    RunFacts,
    Status,
)
from kgbuild.query.graph import Graph
from kgbuild.query.opening import open_graph
from kgbuild.query.results import GraphPath, ScoredTriple, SearchHit

__all__ = [
    "Cluster",
    "Explanation",
    "Generation",
    "Graph",
    "GraphPath",
    "Judgement",
    "Member",
    "Question",
    "ReviewNote",
    "RunFacts",
    "ScoredTriple",
    "SearchHit",
    "Status",
    "open_graph",
]
