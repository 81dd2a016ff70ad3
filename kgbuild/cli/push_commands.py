"""push: a finished graph into a Neo4j server."""

from __future__ import annotations

import logging
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kgbuild.cli.options import JsonOption, RunOption
from kgbuild.cli.output import Bars, find_run, print_json, say
from kgbuild.core.config import DedupConfig, StoreConfig
from kgbuild.core.errors import ConfigError, RunError

if TYPE_CHECKING:
    from kgbuild.store import LoadReport
    from kgbuild.store.neo4j_store import Neo4jStore

_SHIPPED_PACKS = ("atomic2020.en", "generics.en")


class _SayWaiting(logging.Handler):
    """Tells in one line that the server fell away and is waited for."""

    def emit(self, record: logging.LogRecord) -> None:
        if "will be retried" in record.getMessage():
            say("The server does not answer; trying again")


def register(app: typer.Typer) -> None:
    """Add the command to the main app."""
    app.command("push")(push)


def push(
    run: RunOption = None,
    store: Annotated[
        Path | None, typer.Option("--store", help="A bare graph file instead of a run.")
    ] = None,
    to: Annotated[
        str, typer.Option("--to", help="Address; without it the server of kgbuild neo4j start.")
    ] = "neo4j://",
    database: Annotated[
        str | None, typer.Option("--database", help="Its database; without it the user's own.")
    ] = None,
    credentials: Annotated[
        Path | None,
        typer.Option("--credentials", help="File with NEO4J_USERNAME and NEO4J_PASSWORD lines."),
    ] = None,
    with_rejected: Annotated[
        bool, typer.Option("--with-rejected", help="Also what was turned down, as REJECTED.")
    ] = False,
    with_embeddings: Annotated[
        bool, typer.Option("--with-embeddings", help="Also the phrases' embeddings and an index.")
    ] = False,
    prune: Annotated[
        bool,
        typer.Option("--prune", help="Also take out what this run had and has no longer."),
    ] = False,
    pack: Annotated[
        list[str] | None,
        typer.Option("--pack", help="Relation pack, by name or path, over the run's; repeatable."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Store a graph in a Neo4j server; killed, it goes on, and again it changes nothing."""
    from kgbuild.core.manifest import find_graph, read_manifest
    from kgbuild.core.relations import load_relations
    from kgbuild.runs.pushing import prune_edges, push_edges, push_rejected
    from kgbuild.store import open_store
    from kgbuild.store.neo4j_store import Neo4jStore, find_address

    if run is not None and store is not None:
        raise ConfigError("--run and --store both name what to push; give one of them")
    place = store or find_run(run)
    graph = find_graph(place)
    manifest = read_manifest(place) if place.is_dir() else None
    if with_rejected and manifest is None:
        raise RunError(
            f"{place} is a bare graph file and knows nothing of rejected triples; push its run "
            "folder with --run, or leave --with-rejected out"
        )
    if prune and manifest is None:
        raise RunError(
            f"{place} is a bare graph file, and --prune takes out what one run made; push its run "
            "folder with --run"
        )
    own = manifest.read_config().prompts.packs if manifest else _SHIPPED_PACKS
    names = [relation.name for relation in load_relations(pack or own)]
    address = find_address(to, database=database, credentials=credentials)
    _watch_driver()
    reports: dict[str, LoadReport] = {}
    bars = Bars()
    with (
        open_store(graph, config=StoreConfig(), is_read_only=True) as source,
        closing(Neo4jStore(address, relations=names)) as target,
    ):
        reports["edges"] = push_edges(source, target, progress=bars)
        if with_rejected and manifest is not None:
            reports["rejected"] = push_rejected(manifest, target, progress=bars)
        pruned = None
        if prune and manifest is not None:
            pruned = prune_edges(source, target, run=manifest.run_id, progress=bars)
        embedded = _embed(place, target, bars=bars) if with_embeddings else None
    if as_json:
        counts = {name: report.model_dump() for name, report in reports.items()}
        more = {"pruned": pruned, "embedded": embedded}
        print_json(counts | {name: count for name, count in more.items() if count is not None})
        return
    for name, report in reports.items():
        typer.echo(_in_words(name, report, to=address.uri))
    if pruned is not None:
        typer.echo(f"{pruned:,} edges taken out that the run has no longer")
    if embedded is not None:
        typer.echo(f"{embedded:,} phrases embedded")


def _embed(place: Path, target: Neo4jStore, *, bars: Bars) -> int:
    from kgbuild.core.manifest import read_manifest
    from kgbuild.dedup.embeddings import SentenceEncoder
    from kgbuild.models import resolve_model
    from kgbuild.query.phrase_index import plain_words
    from kgbuild.runs.pushing import push_vectors

    config = read_manifest(place).read_config().dedup if place.is_dir() else DedupConfig()
    encoder = SentenceEncoder(resolve_model(config.encoder).path)
    return push_vectors(
        target,
        lambda texts: encoder.encode([plain_words(text) for text in texts]),
        encoder=encoder.key,
        progress=bars,
    )


def _watch_driver() -> None:
    logger = logging.getLogger("neo4j")
    logger.propagate = False
    logger.addHandler(_SayWaiting())


def _in_words(name: str, report: LoadReport, *, to: str) -> str:
    things = "edges" if name == "edges" else "rejected triples"
    if not (report.added_nodes or report.added_edges or report.updated):
        return f"Nothing to change: {to} holds all {report.unchanged:,} {things} as they are"
    return (
        f"{report.added_edges:,} {things} and {report.added_nodes:,} phrases added to {to}, "
        f"{report.updated:,} updated, {report.unchanged:,} unchanged"
    )
