"""serve: judge one sentence after another in a browser."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Annotated

import typer

from kgbuild.cli.label_commands import (
    AgainOption,
    ConfigOption,
    CriticOption,
    EncoderOption,
    GuidelineOption,
    LabellerOption,
    LabelsOption,
    LimitOption,
    RandomOption,
    SeedOption,
    SkipOption,
    SkipUnknownOption,
    SourceArgument,
    start_session,
)
from kgbuild.cli.options import SetOption
from kgbuild.cli.output import say

if TYPE_CHECKING:
    from kgbuild.web import LabelServer


def register(app: typer.Typer) -> None:
    """Add the command to the main app."""
    app.command("serve")(serve)


def serve(
    source: SourceArgument,
    labels: LabelsOption = None,
    labeller: LabellerOption = None,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port; 0 takes a free one.")
    ] = 0,
    host: Annotated[
        str,
        typer.Option(
            "--host",
            help="Address to listen on. With another than loopback's, everybody who reaches this "
            "machine and has the address can judge, and answers are not encrypted on their way.",
        ),
    ] = "127.0.0.1",
    limit: LimitOption = 0,
    random_share: RandomOption = None,
    again_share: AgainOption = None,
    critic: CriticOption = None,
    encoder: EncoderOption = None,
    skip: SkipOption = None,
    skip_unknown: SkipUnknownOption = False,
    seed: SeedOption = 0,
    guideline: GuidelineOption = 1,
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Judge triples in a browser, one sentence at a time, by keyboard or on a phone.

    Prints the address to open; only who has it is let in. Each answer is on disk before the next
    sentence is shown. Ctrl-C ends it, and the same command goes on where you stopped.
    """
    from kgbuild.core.server_config import PageConfig
    from kgbuild.labelling import read_guideline
    from kgbuild.web import open_server

    page = PageConfig(host=host, port=port)
    text = read_guideline(guideline)
    with start_session(
        source,
        labels=labels,
        labeller=labeller,
        limit=limit,
        random_share=random_share,
        again_share=again_share,
        critic=critic,
        encoder=encoder,
        skip=skip or [],
        skip_unknown=skip_unknown,
        seed=seed,
        guideline=guideline,
        config=config,
        settings=settings or [],
    ) as session:
        with open_server(session, guideline=text, config=page) as server:
            _explain(server)
            typer.echo(server.url)
            server.run()
        done = session.progress()
    say(f"{done.judged_now:,} answers now, {done.left:,} sentences left")


def _explain(server: LabelServer) -> None:
    if not server.is_loopback:
        say(
            f"Everybody who reaches port {server.port} of this machine and has the address below "
            "can judge, and nothing is encrypted on its way. Safer is loopback and a tunnel: "
            "ssh -L"
        )
    elif os.environ.get("SSH_CONNECTION"):
        say(
            "On the machine with the browser, first: "
            f"ssh -L {server.port}:127.0.0.1:{server.port} {socket.gethostname()}"
        )
    say("Open this address in a browser; Ctrl-C ends")
