"""Edges as the tables of other libraries, each imported only when it is asked for."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from kgbuild.core.errors import ExtraError

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow as pa


def import_extra(module: str, *, extra: str) -> ModuleType:
    """Import a library that kgbuild can do without.

    Args:
        module: The module's name.
        extra: The optional extra of kgbuild that installs it.

    Raises:
        ExtraError: If it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ExtraError(
            f"{module} is not installed, or does not load ({error}); "
            f"pip install 'kgbuild[{extra}]' brings it. to_arrow needs no extra."
        ) from error


def to_pandas(edges: pa.Table) -> pandas.DataFrame:
    """Give a table to pandas, column by column. The table is used up: pandas takes its memory.

    Raises:
        ExtraError: If pandas is not installed.
    """
    import_extra("pandas", extra="pandas")
    return edges.to_pandas(split_blocks=True, self_destruct=True)


def to_polars(edges: pa.Table) -> polars.DataFrame:
    """Give a table to polars, which shares its memory.

    Raises:
        ExtraError: If polars is not installed.
    """
    frame: polars.DataFrame = import_extra("polars", extra="polars").from_arrow(edges)
    return frame
