"""What Neo4j Browser needs to show a graph well: a style sheet, saved queries, a guide.

The folder is a pure function of the shipped queries and of the graph, so writing it again changes
nothing.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kgbuild.core.files import replacing, write_text
from kgbuild.core.relations import RelationSet, load_relations
from kgbuild.query.grass import write_grass
from kgbuild.query.palette import EDGE_LEGEND, LEGEND, REJECTED
from kgbuild.query.saved_queries import SavedQuery, load_queries

if TYPE_CHECKING:
    from kgbuild.query.graph import Graph

STYLE, SCRIPTS, GUIDE = "kgbuild.grass", "kgbuild-queries.zip", "guide.html"
_PACKS = ("atomic2020.en", "generics.en")
_TEMPLATE = Path(__file__).with_name("browser_guide.html.jinja")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # The first moment that a zip file can name.


def write_browser_kit(folder: Path, *, graph: Graph | None = None) -> list[Path]:
    """Write the kit and give its files.

    Args:
        folder: Made where it is missing; files of the same names are replaced.
        graph: The graph that it is for; its relations are then as wide as the critic is sure of
            them.

    Raises:
        FileError: If the folder cannot be written.
    """
    relations = graph.relations if graph is not None else load_relations(_PACKS)
    means = mean_probabilities(graph) if graph is not None else {}
    queries = load_queries()
    write_text(folder / STYLE, write_grass(relations, held=means, probabilities=means))
    written = [folder / STYLE]
    for query in queries:
        written.append(folder / "queries" / f"{query.name}.cypher")
        write_text(written[-1], query.browser_script())
    _write_scripts(folder / SCRIPTS, queries)
    write_text(folder / GUIDE, _write_guide(queries, relations, means))
    return [*written, folder / SCRIPTS, folder / GUIDE]


def mean_probabilities(graph: Graph) -> dict[str, float]:
    """Give the mean critic probability of each relation that has edges, as the store counts it."""
    counted = next(query for query in load_queries() if query.name == "relation_counts")
    rows = graph.cypher(counted.statement)
    return {row["relation"]: row["mean_probability"] for row in rows}


def _write_scripts(path: Path, queries: list[SavedQuery]) -> None:
    # Browser reads a folder of a zip file as a folder of saved scripts.
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as scripts:
        for query in queries:
            entry = zipfile.ZipInfo(f"kgbuild/{query.name}.cypher", date_time=_EPOCH)
            scripts.writestr(entry, query.browser_script())


def _write_guide(
    queries: list[SavedQuery], relations: RelationSet, means: Mapping[str, float]
) -> str:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        queries=queries,
        relations=relations,
        means=means,
        phrases=LEGEND,
        edges=EDGE_LEGEND | {"rejected": REJECTED.rim},
        style=STYLE,
        scripts=SCRIPTS,
    )
