"""The first load of an empty ladybug store, copied as a whole."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow as pa

from kgbuild.core.files import write_error
from kgbuild.store import cypher
from kgbuild.store.engine import Engine
from kgbuild.store.graph_store import LoadReport
from kgbuild.store.spill import Spill


def copy_first(
    engine: Engine, batches: Iterable[pa.Table], *, meta: Mapping[str, str]
) -> LoadReport | None:
    """Lay batches down beside the store, copy them into a new one, and let that take its place.

    Each copy is a transaction of its own, which the engine stores without going through its log.
    Until the new file takes the name, the empty store is there for whoever opens it, also after a
    kill; what that leaves beside the store goes with the next first load.

    Args:
        engine: The empty store, open for writing.
        batches: All edges.
        meta: What the store says of itself.

    Returns:
        None, and no batch was taken, if the engine cannot be told the name of the folder.

    Raises:
        FileError: If the disk is full; the store stays empty.
        StoreError: If the engine fails; the store stays empty.
    """
    folder = engine.path.with_name(f".{engine.path.name}.loading")
    if not cypher.can_quote(folder):
        return None
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir()
        spill = Spill(folder)
        spill.write(batches)
        fresh = folder / "graph.lbug"
        _copy(spill, fresh, meta)
        engine.adopt(fresh)
    except OSError as error:
        raise write_error(engine.path, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return LoadReport(
        added_nodes=spill.nodes,
        added_edges=spill.edges,
        unchanged=spill.rows - spill.edges,
    )


def _copy(spill: Spill, path: Path, meta: Mapping[str, str]) -> None:
    engine = Engine(path, is_read_only=False)
    try:
        with engine.writing():
            for statement, values in cypher.create_schema(meta):
                engine.run(statement, **values)
            for name in sorted({name for name, _ in spill.relations}):
                engine.run(cypher.create_relation(name))
        engine.run(cypher.copy_phrases(spill.phrases))
        for name, file in spill.relations:
            engine.run(cypher.copy_edges(name, file))
    except BaseException:
        engine.close(is_kept=False)
        raise
    engine.close()
