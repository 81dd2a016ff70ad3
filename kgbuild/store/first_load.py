"""The first load of an empty ladybug store, copied as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from kgbuild.core.files import write_error
from kgbuild.store import cypher
from kgbuild.store.engine import Engine
from kgbuild.store.graph_store import LoadReport
from kgbuild.store.spill import Spill


def copy_first(engine: Engine, batches: Iterable[pa.Table]) -> LoadReport | None:
    """Lay batches down beside the store and copy them in, one copy a file.

    Each copy commits by itself, past the log. A mark in the store says that it is not whole yet:
    killed half-way, it is refused by readers and begun anew by the next writer.

    Returns:
        None, and no batch was taken, if the engine cannot be told the name of the folder.

    Raises:
        FileError: If the disk is full.
        StoreError: If the engine fails; the store is empty again.
    """
    place = engine.path.parent
    if not cypher.can_quote(place):
        return None
    with TemporaryDirectory(dir=place, prefix=f".{engine.path.name}-") as name:
        spill = Spill(Path(name))
        try:
            spill.write(batches)
        except OSError as error:
            raise write_error(place, error) from error
        try:
            _copy(engine, spill)
        except BaseException:
            engine.start_over()
            raise
    return LoadReport(
        added_nodes=spill.nodes,
        added_edges=spill.edges,
        unchanged=spill.rows - spill.edges,
    )


def _copy(engine: Engine, spill: Spill) -> None:
    with engine.loading():
        engine.run(cypher.ADD_META, key=cypher.IS_LOADING, value="")
        engine.run(cypher.copy_phrases(spill.phrases))
        for name in sorted({name for name, _ in spill.relations}):
            engine.run(cypher.create_relation(name))
        for name, file in spill.relations:
            engine.run(cypher.copy_edges(name, file))
        engine.run(cypher.DROP_META, key=cypher.IS_LOADING)
