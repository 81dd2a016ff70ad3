"""query, why, ask: reading a finished graph."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kgbuild.cli.options import JsonOption
from kgbuild.cli.output import find_run, print_json, print_table, say

if TYPE_CHECKING:
    from kgbuild.core.records import Edge
    from kgbuild.query import Graph

query_app = typer.Typer(help="Look into a graph.", no_args_is_help=True)

RunOption = Annotated[
    str | None,
    typer.Option(
        "--run",
        help="Run folder, graph file or server such as neo4j://127.0.0.1:7687 (neo4j:// is our "
        "own); without it, the newest below data/runs.",
    ),
]
LimitOption = Annotated[int, typer.Option("--limit", min=1, help="The most results.")]
HeadArgument = Annotated[str, typer.Argument(help="Such as 'PersonX bakes a cake'.")]
RelationArgument = Annotated[str, typer.Argument(help="Such as xReact.")]
TailArgument = Annotated[str, typer.Argument(help="Such as proud.")]
_ANY_RELATION = Annotated[str | None, typer.Argument(help="Such as xReact; without it, all.")]


def register(app: typer.Typer) -> None:
    """Add the commands that stand alone to the main app."""
    app.command("why")(why)
    app.command("ask")(ask)


@query_app.command("tails")
def tails(
    head: HeadArgument,
    relation: _ANY_RELATION = None,
    run: RunOption = None,
    limit: LimitOption = 20,
    as_json: JsonOption = False,
) -> None:
    """Show what follows from a head, the most probable first."""
    with _open(run) as graph:
        edges = graph.tails(head, relation, limit=limit)
        if not edges:
            _say_other(relation, graph.tails(head), f"'{head}' has no {relation} tails")
    _print_edges(f"{head}: {relation or 'all relations'}", edges, as_json=as_json)


@query_app.command("heads")
def heads(
    tail: TailArgument,
    relation: _ANY_RELATION = None,
    run: RunOption = None,
    limit: LimitOption = 20,
    as_json: JsonOption = False,
) -> None:
    """Show which heads lead to a tail, the most probable first."""
    with _open(run) as graph:
        edges = graph.heads(tail, relation, limit=limit)
        if not edges:
            _say_other(relation, graph.heads(tail), f"No head has '{tail}' as its {relation}")
    _print_edges(f"{relation or 'all relations'}: {tail}", edges, as_json=as_json)


@query_app.command("neighbours")
def neighbours(
    phrase: Annotated[str, typer.Argument(help="A head or a tail.")],
    run: RunOption = None,
    depth: Annotated[int, typer.Option("--depth", min=1, help="How many edges away.")] = 1,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """Show the edges around a phrase, the near ones first."""
    with _open(run) as graph:
        edges = graph.neighbours(phrase, depth=depth, limit=limit)
    _print_edges(f"Around {phrase}", edges, as_json=as_json)


@query_app.command("paths")
def paths(
    start: Annotated[str, typer.Argument(help="The phrase to begin at.")],
    end: Annotated[str, typer.Argument(help="The phrase to arrive at.")],
    run: RunOption = None,
    max_length: Annotated[int, typer.Option("--max-length", min=1, help="The most edges.")] = 3,
    directed: Annotated[
        bool, typer.Option("--directed", help="Follow edges from head to tail only.")
    ] = False,
    limit: LimitOption = 10,
    as_json: JsonOption = False,
) -> None:
    """Show how two phrases are joined, shortest paths first."""
    from kgbuild.cli.query_words import path_in_words

    with _open(run) as graph:
        found = graph.paths(start, end, max_length=max_length, limit=limit, is_directed=directed)
    if as_json:
        print_json([path.model_dump(mode="json") for path in found])
        return
    if not found:
        say(f"No path of at most {max_length} edges joins them; try a larger --max-length.")
        return
    rows = [(f"{path.probability:.3f}", path_in_words(path)) for path in found]
    print_table(f"{start} to {end}", ("probability", "path"), _clean(rows))


@query_app.command("search")
def search(
    text: Annotated[str, typer.Argument(help="Anything, such as 'making a cake'.")],
    run: RunOption = None,
    kind: Annotated[
        str | None, typer.Option("--kind", help="event or concept: heads of that kind only.")
    ] = None,
    limit: LimitOption = 10,
    as_json: JsonOption = False,
) -> None:
    """Find phrases by their meaning."""
    with _open(run) as graph:
        hits = graph.search(text, limit=limit, kind=kind)
    if as_json:
        print_json([hit.model_dump(mode="json") for hit in hits])
        return
    rows = [(f"{hit.similarity:.3f}", hit.text, hit.kind or "tail") for hit in hits]
    print_table(f"Like '{text}'", ("similarity", "phrase", "kind"), _clean(rows))


@query_app.command("find")
def find(
    words: Annotated[str, typer.Argument(help="Words that the phrases hold, in any order.")],
    run: RunOption = None,
    limit: LimitOption = 20,
    as_json: JsonOption = False,
) -> None:
    """Find phrases by their words, the shortest first."""
    with _open(run) as graph:
        phrases = graph.find(words, limit=limit)
    if as_json:
        print_json([phrase.model_dump(mode="json") for phrase in phrases])
        return
    rows = [(phrase.text, phrase.kind or "tail") for phrase in phrases]
    print_table(f"With '{words}'", ("phrase", "kind"), _clean(rows))


@query_app.command("cypher")
def cypher(
    text: Annotated[str, typer.Argument(help="A reading query with values as $name.")],
    parameter: Annotated[
        list[str] | None,
        typer.Option("--param", help="name=value, the value read as YAML; repeatable."),
    ] = None,
    run: RunOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The most rows shown.")] = 1000,
    as_json: JsonOption = False,
) -> None:
    """Run a reading Cypher query: nodes are (:Phrase {id, text, kind})."""
    from kgbuild.cli.query_words import plain_value, read_parameter

    params = dict(read_parameter(entry) for entry in parameter or ())
    with _open(run) as graph:
        rows = [plain_value(row) for row in graph.cypher(text, **params)]
    if len(rows) > limit:
        say(f"{len(rows)} rows, {limit} shown; raise --limit to see more")
    if as_json:
        print_json(rows[:limit])
    elif rows:
        print_table("Cypher", list(rows[0]), _clean(row.values() for row in rows[:limit]))
    else:
        say("No rows.")


@query_app.command("score")
def score(
    head: HeadArgument,
    relation: RelationArgument,
    tail: TailArgument,
    run: RunOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask the run's critic about any triple."""
    with _open(run) as graph:
        scored = graph.score(head, relation, tail)
    if as_json:
        print_json(scored.model_dump(mode="json"))
        return
    opinion = "accepted" if scored.accepted else "rejected"
    rows = [(f"{scored.probability:.3f}", f"{scored.threshold:.3f}", opinion)]
    title = f"{scored.head} {relation} {scored.tail}"
    print_table(title, ("probability", "threshold", "verdict"), _clean(rows))


@query_app.command("graph")
def graph(run: RunOption = None, as_json: JsonOption = False) -> None:
    """Count phrases and edges; with --json, print the whole graph as networkx node-link data."""
    with _open(run) as opened:
        if as_json:
            from networkx import node_link_data

            print_json(node_link_data(opened.to_networkx(), edges="edges"))
            return
        counts = opened.counts()
    title = f"{counts.nodes} phrases, {counts.edges} edges"
    print_table(title, ("relation", "edges"), counts.relations.items())


def why(
    head: HeadArgument,
    relation: RelationArgument,
    tail: TailArgument,
    run: RunOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show why a triple is in the graph, or where and why it was dropped."""
    from kgbuild.cli.query_words import explanation_rows

    with _open(run) as opened:
        explanation = opened.why(head, relation, tail)
    if as_json:
        print_json(explanation.model_dump(mode="json"))
        return
    title = f"{explanation.head} {relation} {explanation.tail}"
    print_table(title, ("", explanation.status), _clean(explanation_rows(explanation)))


def ask(
    head: HeadArgument,
    relation: RelationArgument,
    n: Annotated[int, typer.Option("--n", "-n", min=1, max=64, help="The most tails.")] = 5,
    run: RunOption = None,
    student: Annotated[
        Path | None, typer.Option("--student", help="Student folder instead of the run's.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask the trained student for tails of any head, also one that the graph never met."""
    from kgbuild.core.manifest import read_manifest
    from kgbuild.query.wording import check_phrase
    from kgbuild.student.ask import check_relation, load_student

    head = check_phrase(head, role="head")
    folder = student or read_manifest(_find_folder(run)).stage_folder("student")
    check_relation(folder, relation)
    answers = load_student(folder).ask(head, relation, n)
    if as_json:
        print_json(
            [
                {"head": head, "relation": relation, "tail": tail, "log_probability": value}
                for tail, value in answers
            ]
        )
        return
    rows = [(tail, f"{value:.2f}") for tail, value in answers]
    print_table(f"{head} {relation}", ("tail", "log-probability"), _clean(rows))


def _open(run: str | None) -> Graph:
    from kgbuild.query import open_graph

    return open_graph(run if run and "://" in run else _find_folder(run))


def _find_folder(run: str | None) -> Path:
    return find_run(None if run is None else Path(run))


def _say_other(relation: str | None, edges: list[Edge], message: str) -> None:
    others = ", ".join(sorted({edge.relation for edge in edges}))
    if relation is not None:
        say(f"{message} in this graph; there is {others or 'nothing under another relation'}.")


def _print_edges(title: str, edges: list[Edge], *, as_json: bool) -> None:
    if as_json:
        print_json([edge.model_dump(mode="json") for edge in edges])
    elif edges:
        rows = [(edge.head, edge.relation, edge.tail, f"{edge.probability:.3f}") for edge in edges]
        print_table(title, ("head", "relation", "tail", "probability"), _clean(rows))


def _clean(rows: Iterable[Iterable[object]]) -> list[list[str]]:
    from kgbuild.cli.query_words import printable

    return [[printable(str(cell)) for cell in row] for row in rows]
