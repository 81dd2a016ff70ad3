"""Files for other tools out of a finished run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from kgbuild.core.errors import FileError
from kgbuild.core.manifest import Manifest, read_manifest
from kgbuild.core.records import CorpusRow, Edge
from kgbuild.core.shards import complete, read_shards
from kgbuild.corpus import find_format, write_corpus, write_graph_file
from kgbuild.runs.inputs import Inputs
from kgbuild.runs.storing import make_card
from kgbuild.store import write_admin_bundle

_CARRY_TERMS = ("hf", "conceptnet")
_ROWS_AT_ONCE = 32_768


def export_run(folder: Path, *, format: str, out: Path, licence: str = "other") -> int:
    """Write the accepted graph of a run in one format and give its number of triples.

    Raises:
        ConfigError: If there is no such format; names the nearest.
        FileError: If `out` cannot be written or holds something else.
    """
    chosen = find_format(format)
    manifest = read_manifest(folder)
    if chosen.reads == "edges":
        edges = EdgeTables(manifest)
        if format == "neo4j-admin":
            return write_admin_bundle(edges(), out)
        return write_graph_file(edges, format=format, out=out)
    rows = read_shards(manifest.stage_folder("corpus"), CorpusRow)
    inputs = Inputs(manifest.read_config())
    card = None
    if format in _CARRY_TERMS:
        card = make_card(manifest.run_id, inputs, licence=licence)
    return write_corpus(rows, format=format, out=out, card=card)


class EdgeTables:
    """The edges of a run as Arrow tables in the graph's order, from the beginning at each call."""

    def __init__(self, manifest: Manifest) -> None:
        self._folder = manifest.stage_folder("edges")

    def __call__(self) -> Iterator[pa.Table]:
        """Give the tables, each of a bounded number of rows.

        Raises:
            FileError: If a shard cannot be read or is not of this version.
        """
        for path in sorted(self._folder.glob("part-*.parquet")):
            try:
                with pq.ParquetFile(path) as shard:
                    if complete(shard.schema_arrow.empty_table(), Edge) is None:
                        raise FileError(
                            f"{path} does not hold Edge records of this version of kgbuild; build "
                            "into a new run folder"
                        )
                    for batch in shard.iter_batches(batch_size=_ROWS_AT_ONCE):
                        yield complete(batch, Edge)
            except (OSError, pa.ArrowInvalid) as error:
                raise FileError(f"{path} is not a readable Parquet shard: {error}") from error
