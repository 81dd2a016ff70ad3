"""A graph as the files that `neo4j-admin` imports into an empty server, faster than any push.

The layout is that of the Neo4j store: what is imported can be queried, pushed to and audited like
a graph that was pushed. CSV is as RFC 4180 has it: commas, quotes doubled, line ends inside
quotes; an empty field is no value and `""` an empty text.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
from pyarrow import csv

from kgbuild.core.files import replacing_folder
from kgbuild.core.finite import check_finite
from kgbuild.core.phrases import PHRASE_COLUMNS, PhraseSpill
from kgbuild.store.batches import EDGE_SCHEMA, FACETS
from kgbuild.store.bundle_texts import README, SCRIPTS, constraints
from kgbuild.store.cypher import quote
from kgbuild.store.graph_store import SCHEMA_VERSION

META = {"schema_version": SCHEMA_VERSION, "facets": " ".join(FACETS)}
_TYPES = {pa.string(): "", pa.float64(): ":double", pa.int64(): ":long"}
_HEADERS = {
    "phrases": "id:ID(Phrase),text,kind",
    "meta": "key:ID(KgbuildMeta),value",
    "relationships": ",".join(
        [
            ":START_ID(Phrase)",
            ":TYPE",
            ":END_ID(Phrase)",
            *(f"{name}{_TYPES[EDGE_SCHEMA.field(name).type]}" for name in FACETS),
        ]
    ),
}
_EDGE_COLUMNS = ("head_id", "relation", "tail_id", *FACETS)
_CSV = csv.WriteOptions(include_header=False, delimiter=",", quoting_style="needed")
_FILES = {
    *(f"{name}{part}.csv" for name in _HEADERS for part in ("", "-header")),
    *SCRIPTS,
    "constraints.cypher",
    "README.md",
}


def write_admin_bundle(edges: Iterable[pa.Table], out: Path) -> int:
    """Write the bundle, the whole folder or nothing, and give its number of relationships.

    Edges pass a table at a time and phrases wait on disk, so memory does not grow with the graph.

    Raises:
        FileError: If `out` cannot be written or holds anything but an earlier bundle.
        StoreError: If a relation cannot name a relationship type, or a number is not finite.
    """
    count = 0
    with replacing_folder(out, known=_FILES) as building, PhraseSpill() as spill:
        schema = EDGE_SCHEMA.empty_table().select(_EDGE_COLUMNS).schema
        with csv.CSVWriter(building / "relationships.csv", schema, write_options=_CSV) as written:
            for table in edges:
                _check(table)
                spill.add(table)
                written.write_table(table.select(_EDGE_COLUMNS).cast(schema))
                count += table.num_rows
        phrases = pa.schema([(name, pa.string()) for name in PHRASE_COLUMNS])
        with csv.CSVWriter(building / "phrases.csv", phrases, write_options=_CSV) as written:
            for table in spill.tables():
                written.write_table(table)
        meta = pa.table({"key": list(META), "value": list(META.values())})
        csv.write_csv(meta, building / "meta.csv", write_options=_CSV)
        for name, header in _HEADERS.items():
            _write(building / f"{name}-header.csv", header + "\n")
        _write(building / "constraints.cypher", constraints())
        _write(building / "README.md", README)
        for name, script in SCRIPTS.items():
            _write(building / name, script)
            (building / name).chmod(0o755)
    return count


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _check(edges: pa.Table) -> None:
    for name in edges["relation"].unique().to_pylist():
        quote(name)
    check_finite(edges)
