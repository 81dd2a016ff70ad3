"""A graph as the files that `neo4j-admin` imports into an empty server, faster than any push.

The layout is that of the Neo4j store: what is imported can be queried, pushed to and audited like
a graph that was pushed. CSV is as RFC 4180 has it: commas, quotes doubled, line ends inside
quotes; an empty field is no value and `""` an empty text.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from kgbuild.core.files import replacing_folder
from kgbuild.core.finite import check_finite
from kgbuild.core.phrases import PHRASE_COLUMNS, PhraseSpill
from kgbuild.store.batches import EDGE_SCHEMA, FACETS
from kgbuild.store.bundle_texts import README, SCRIPTS, VERSIONS, constraints
from kgbuild.store.cypher import quote
from kgbuild.store.neo4j_store.schema import META

_TYPES = {pa.string(): "", pa.float64(): ":double", pa.int64(): ":long"}
_HEADERS = {
    "phrases": "id:ID(Phrase),text,kind,:LABEL",
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
    *(f"constraints-{version}.cypher" for version in VERSIONS),
    "README.md",
}


def write_bundle(edges: Iterable[pa.Table], out: Path) -> int:
    """Write the bundle, the whole folder or nothing, and give its number of relationships.

    Edges pass a table at a time and phrases wait on disk, so memory does not grow with the graph.

    Raises:
        FileError: If `out` cannot be written or holds anything but an earlier bundle.
        StoreError: If a relation cannot name a relationship type, or a number is not finite.
    """
    count = 0
    relations: set[str] = set()
    with replacing_folder(out, known=_FILES) as building, PhraseSpill() as spill:
        schema = EDGE_SCHEMA.empty_table().select(_EDGE_COLUMNS).schema
        with csv.CSVWriter(building / "relationships.csv", schema, write_options=_CSV) as written:
            for table in edges:
                relations.update(_check(table))
                spill.add(table)
                written.write_table(table.select(_EDGE_COLUMNS).cast(schema))
                count += table.num_rows
        nodes = pa.schema([(name, pa.string()) for name in (*PHRASE_COLUMNS, ":LABEL")])
        with csv.CSVWriter(building / "phrases.csv", nodes, write_options=_CSV) as written:
            for table in spill.tables():
                # The store's second label, by which style sheets tell nodes apart.
                labels = pc.if_else(
                    pc.equal(table["kind"], ""), None, pc.utf8_capitalize(table["kind"])
                )
                written.write_table(table.append_column(nodes.field(":LABEL"), labels))
        meta = pa.table({"key": list(META), "value": list(META.values())})
        csv.write_csv(meta, building / "meta.csv", write_options=_CSV)
        for name, header in _HEADERS.items():
            _write(building / f"{name}-header.csv", header + "\n")
        for version in VERSIONS:
            script = constraints(version, sorted(relations))
            _write(building / f"constraints-{version}.cypher", script)
        _write(building / "README.md", README)
        for name, script in SCRIPTS.items():
            _write(building / name, script)
            (building / name).chmod(0o755)
    return count


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _check(edges: pa.Table) -> list[str]:
    check_finite(edges)
    names: list[str] = edges["relation"].unique().to_pylist()
    for name in names:
        quote(name)
    return names
