"""Files for other tools out of a finished run."""

from __future__ import annotations

from pathlib import Path

from kgbuild.core.manifest import read_manifest
from kgbuild.core.records import CorpusRow
from kgbuild.core.shards import read_shards
from kgbuild.corpus import find_format, write_corpus, write_graph_file
from kgbuild.runs.edge_tables import EdgeTables
from kgbuild.runs.inputs import Inputs
from kgbuild.runs.storing import make_card
from kgbuild.store import write_admin_bundle

_CARRY_TERMS = ("hf", "conceptnet")


def export_run(folder: Path, *, format: str, out: Path, licence: str = "other") -> int:
    """Write the accepted graph of a run in one format and give its number of triples.

    Raises:
        ConfigError: If there is no such format; names the nearest.
        FileError: If `out` cannot be written or holds something else.
    """
    chosen = find_format(format)
    manifest = read_manifest(folder)
    if chosen.reads == "edges":
        edges = EdgeTables(manifest.stage_folder("edges"))
        if format == "neo4j-admin":
            return write_admin_bundle(edges(), out)
        return write_graph_file(edges, format=format, out=out)
    rows = read_shards(manifest.stage_folder("corpus"), CorpusRow)
    inputs = Inputs(manifest.read_config())
    card = None
    if format in _CARRY_TERMS:
        card = make_card(manifest.run_id, inputs, licence=licence)
    return write_corpus(rows, format=format, out=out, card=card)
