"""The graph style sheet (GRASS) of Neo4j Browser.

Its rules are by node label and relationship type and by nothing else, so a relation is as wide as
the critic is sure of its edges on average. Its reader knows no comments, and no `:` or `;` in a
value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kgbuild.core.errors import StoreError
from kgbuild.core.relations import NAME_RULE, RelationSet
from kgbuild.query.palette import PHRASES, REJECTED, edge_color, edge_width

REJECTED_TYPE = "REJECTED"
_LABELS = {
    "Phrase": (PHRASES[""], "100px"),
    "Event": (PHRASES["event"], "130px"),
    "Concept": (PHRASES["concept"], "100px"),
    "RejectedPhrase": (REJECTED, "80px"),
}
_USUAL_PROBABILITY = 0.75


def write_grass(
    relations: RelationSet,
    *,
    held: Iterable[str] = (),
    probabilities: Mapping[str, float] | None = None,
) -> str:
    """Give the style sheet.

    Args:
        relations: Relations whose families colour their edges.
        held: Further relations that the graph holds.
        probabilities: Mean probability of a relation's edges, for its width; of a relation that
            is not in it, a usual one stands.

    Raises:
        StoreError: If a name cannot be a relationship type.
    """
    means = probabilities or {}
    rules = [_rule("node", {"diameter": "100px", "color": PHRASES[""].fill})]
    for label, (paint, diameter) in _LABELS.items():
        rules.append(
            _rule(
                f"node.{label}",
                {
                    "diameter": diameter,
                    "color": paint.fill,
                    "border-color": paint.rim,
                    "border-width": "2px",
                    "text-color-internal": paint.letters,
                    "font-size": "14px",
                    "caption": "'{text}'",
                },
            )
        )
    names = [relation.name for relation in relations]
    for name in [*names, *sorted(set(held) - {*names, REJECTED_TYPE})]:
        if not NAME_RULE.fullmatch(name.replace("_", "")):
            raise StoreError(
                f"{name[:80]!r} cannot be styled: a relation's name is a letter and then letters, "
                "digits or _; rename it in its pack"
            )
        color = edge_color(relations.get(name) if name in relations else None)
        rules.append(_edge_rule(name, color, edge_width(means.get(name, _USUAL_PROBABILITY))))
    rules.append(
        _edge_rule(REJECTED_TYPE, REJECTED.rim, edge_width(0.0), caption="{relation} (rejected)")
    )
    return "\n".join(rules)


def _edge_rule(name: str, color: str, width: float, *, caption: str = "<type>") -> str:
    return _rule(
        f"relationship.{name}",
        {
            "color": color,
            "shaft-width": f"{width:g}px",
            "font-size": "11px",
            "padding": "4px",
            "text-color-external": color,
            "text-color-internal": "#FFFFFF",
            "caption": f"'{caption}'",
        },
    )


def _rule(selector: str, values: Mapping[str, str]) -> str:
    body = "".join(f"  {name}: {value};\n" for name, value in values.items())
    return f"{selector} {{\n{body}}}\n"
