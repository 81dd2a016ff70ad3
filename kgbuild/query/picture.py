"""A picture of some edges for a notebook, drawn by the library that Neo4j keeps for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from kgbuild.core.errors import KgbuildError
from kgbuild.core.records import Edge
from kgbuild.core.relations import RelationSet
from kgbuild.query.frames import import_extra
from kgbuild.query.palette import EDGE_LEGEND, LEGEND, PHRASES, edge_color, edge_width

if TYPE_CHECKING:
    from IPython.display import HTML

_MOST_EDGES = 2_000


def draw_edges(edges: Iterable[Edge], *, relations: RelationSet, height: int = 600) -> HTML:
    """Draw edges as a graph that can be moved, zoomed and searched, without a server.

    Nodes are coloured by their kind and edges by the family of their relation; the surer the
    critic, the wider an edge. Everything that an edge holds is shown when it is clicked.

    Args:
        edges: What `tails`, `heads` or `neighbours` give, or the edges of some paths.
        relations: The relations, for their families.
        height: Of the picture, in pixels.

    Raises:
        ExtraError: If neo4j-viz is not installed.
        KgbuildError: If there are no edges, or too many for a picture.
    """
    drawn = list({edge.triple_id: edge for edge in edges}.values())
    if not drawn:
        raise KgbuildError("There are no edges to draw; ask for others, or for more of them")
    if len(drawn) > _MOST_EDGES:
        raise KgbuildError(
            f"{len(drawn):,} edges are more than the {_MOST_EDGES:,} that a picture can show; "
            "give `neighbours` a smaller limit, or draw a part of them"
        )
    if height < 1:
        raise KgbuildError(f"height is {height} and must be at least 1 pixel")
    viz = import_extra("neo4j_viz", extra="notebook")
    graph = viz.VisualizationGraph(
        nodes=[
            viz.Node(
                id=phrase,
                caption=text,
                color=PHRASES[kind].fill,
                size=22 if kind else 16,
                properties={"text": text, "kind": kind or "tail"},
            )
            for phrase, (text, kind) in _phrases(drawn).items()
        ],
        relationships=[
            viz.Relationship(
                id=edge.triple_id,
                source=edge.head_id,
                target=edge.tail_id,
                caption=edge.relation,
                color=edge_color(
                    relations.get(edge.relation) if edge.relation in relations else None
                ),
                width=edge_width(edge.probability),
                properties=edge.model_dump(mode="json", exclude={"head_id", "tail_id"}),
            )
            for edge in drawn
        ],
    )
    graph.set_legend(nodes=LEGEND, relationships=EDGE_LEGEND)
    picture: HTML = graph.render(height=f"{height}px")
    return picture


def _phrases(edges: Sequence[Edge]) -> dict[str, tuple[str, str]]:
    """Give the text and the kind of every end; a tail that heads another edge has a kind."""
    heads = {edge.head_id: (edge.head, str(edge.kind)) for edge in edges}
    tails = {edge.tail_id: (edge.tail, "") for edge in edges}
    return tails | heads
