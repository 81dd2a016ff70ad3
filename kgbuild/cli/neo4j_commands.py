"""neo4j: a real server on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kgbuild.cli.options import JsonOption
from kgbuild.cli.output import print_json, say
from kgbuild.core.server_config import ServerConfig

if TYPE_CHECKING:
    from kgbuild.store.neo4j_server import Server

neo4j_app = typer.Typer(
    help="Run a Neo4j server on this machine, without Docker.", no_args_is_help=True
)

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Folder of the server; without it, one in the user's data folder."),
]
_DEFAULTS = ServerConfig()


@neo4j_app.command("start")
def start(
    home: HomeOption = None,
    bolt_port: Annotated[
        int, typer.Option("--bolt-port", min=0, max=65535, help="0 takes 7687 or a free one.")
    ] = _DEFAULTS.bolt_port,
    http_port: Annotated[
        int, typer.Option("--http-port", min=0, max=65535, help="0 takes 7474 or a free one.")
    ] = _DEFAULTS.http_port,
    heap: Annotated[
        int, typer.Option("--heap", min=256, help="Megabytes of the server's heap.")
    ] = _DEFAULTS.heap_megabytes,
    wait: Annotated[
        int, typer.Option("--wait", min=1, help="Seconds to wait until it answers.")
    ] = _DEFAULTS.start_seconds,
    as_json: JsonOption = False,
) -> None:
    """Start the server and wait until it answers; if it runs, say where."""
    from kgbuild.store.neo4j_server import start_server

    config = ServerConfig(
        bolt_port=bolt_port, http_port=http_port, heap_megabytes=heap, start_seconds=wait
    )
    say("Starting Neo4j; the very first time its jars are fetched, which takes a minute or two")
    server = start_server(home, config=config)
    say("It was running already" if server.was_running else "It runs")
    _show(server, as_json=as_json)


@neo4j_app.command("stop")
def stop(home: HomeOption = None) -> None:
    """Stop the server that `kgbuild neo4j start` started, and no other."""
    from kgbuild.store.neo4j_server import stop_server

    say("Stopped" if stop_server(home) else "No server that kgbuild started runs here")


@neo4j_app.command("status")
def status(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Say whether the server runs, and its addresses."""
    from kgbuild.store.neo4j_server import server_status

    server = server_status(home)
    if server is not None:
        _show(server, as_json=as_json)
    elif as_json:
        print_json(None)
    else:
        say("No server that kgbuild started runs here; start one with `kgbuild neo4j start`")


@neo4j_app.command("browser-kit")
def browser_kit(
    out: Annotated[Path, typer.Option("--out", help="Folder to write.")] = Path("browser-kit"),
    run: Annotated[
        Path | None,
        typer.Option("--run", help="Run or graph whose certainty the widths show."),
    ] = None,
) -> None:
    """Write a style sheet, saved queries and a guide for Neo4j Browser."""
    from kgbuild.query import open_graph
    from kgbuild.query.browser_kit import GUIDE, write_browser_kit

    if run is None:
        written = write_browser_kit(out)
    else:
        with open_graph(run) as graph:
            written = write_browser_kit(out, graph=graph)
    say(f"{len(written)} files; open the guide in a browser to see how they are loaded")
    typer.echo(out / GUIDE)


def _show(server: Server, *, as_json: bool) -> None:
    if as_json:
        print_json(server.model_dump(mode="json"))
        return
    typer.echo(f"Browser   {server.browser}")
    typer.echo(f"Bolt      {server.uri}")
    typer.echo(f"Password  of user neo4j in {server.credentials}")
    typer.echo(f"Process   {server.pid}, home {server.home}")
