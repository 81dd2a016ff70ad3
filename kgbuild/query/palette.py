"""The colours and widths of a drawn graph, the same in a notebook and in Neo4j Browser.

Nodes are coloured by what they speak of and edges by the family of their relation; how sure the
critic is shows in an edge's width. The colours keep apart for colour-blind readers, and
captions on them are readable.
"""

from __future__ import annotations

from typing import NamedTuple

from kgbuild.core.relations import Family, Polarity, Relation

# The least and the most that an edge is drawn, in pixels.
_WIDTHS = (1.0, 6.0)
_SURE_FROM = 0.5


class Paint(NamedTuple):
    """A fill, its rim and the letters on it, as #RRGGBB."""

    fill: str
    rim: str
    letters: str


# By a phrase's kind; a phrase that heads no edge has none.
PHRASES = {
    "event": Paint("#2F6DA8", "#1F4E7A", "#FFFFFF"),
    "concept": Paint("#1B8A6B", "#11634C", "#FFFFFF"),
    "": Paint("#F6D58A", "#D9A93F", "#2A2C34"),
}
FAMILIES = {
    Family.SOCIAL: "#B0437F",
    Family.EVENT: "#6B4FA0",
    Family.PHYSICAL: "#3E7F58",
}
NEGATIVE = "#C8371B"
UNKNOWN = "#7A8088"
REJECTED = Paint("#E4E6E9", "#A9AFB6", "#4A4F57")

LEGEND = {
    "events": PHRASES["event"].fill,
    "concepts": PHRASES["concept"].fill,
    "other phrases": PHRASES[""].fill,
}
EDGE_LEGEND = {
    "social": FAMILIES[Family.SOCIAL],
    "events": FAMILIES[Family.EVENT],
    "physical": FAMILIES[Family.PHYSICAL],
    "denials": NEGATIVE,
}


def edge_color(relation: Relation | None) -> str:
    """Give the colour of a relation's edges; of a relation that no pack declares, grey."""
    if relation is None:
        return UNKNOWN
    if relation.polarity is Polarity.NEGATIVE:
        return NEGATIVE
    return FAMILIES[relation.family]


def edge_width(probability: float) -> float:
    """Give the width of an edge from the critic's probability.

    Everything up to a half is thin: below it the critic would rather not have the edge at all.

    >>> [edge_width(probability) for probability in (0.2, 0.5, 0.75, 1.0)]
    [1.0, 1.0, 3.5, 6.0]
    """
    least, most = _WIDTHS
    share = (min(max(probability, _SURE_FROM), 1.0) - _SURE_FROM) / (1.0 - _SURE_FROM)
    return round(least + share * (most - least), 2)
