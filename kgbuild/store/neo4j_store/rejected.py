"""`REJECTED` relationships: what the graph did not take, beside it, for audits.

A phrase that only rejected triples have is a `RejectedPhrase`, so that the graph's own phrases and
counts stay what they are without them.
"""

from __future__ import annotations

import neo4j
import pyarrow as pa
import pyarrow.compute as pc

from kgbuild.core.phrases import PHRASE_SCHEMA
from kgbuild.store.batches import rows_changed, rows_missing
from kgbuild.store.graph_store import LoadReport
from kgbuild.store.neo4j_store import cypher
from kgbuild.store.neo4j_store.rows import change, read_table, to_rows
from kgbuild.store.rejected import REJECTED_FACETS, REJECTED_SCHEMA

_WRITTEN = ("head_id", "tail_id", *REJECTED_FACETS)


def write_rejected(tx: neo4j.ManagedTransaction, *, rows: pa.Table) -> LoadReport:
    """Add rejected triples that are new, set those that differ, leave the rest alone."""
    change(tx, cypher.LOCK)
    ends = pa.concat_tables(
        [rows.select([f"{end}_id", end]).rename_columns(["id", "text"]) for end in ("head", "tail")]
    )
    phrases = ends.group_by("id", use_threads=False).aggregate([("text", "first")])
    ids = phrases["id"].to_pylist()
    accepted = read_table(tx, PHRASE_SCHEMA, cypher.KNOWN_PHRASES, ids=ids)["id"]
    others = rows_missing(phrases, "id", accepted)
    added_nodes = 0
    if others.num_rows:
        sent = to_rows(others, ["id", "text_first"])
        summary = tx.run(cypher.ADD_REJECTED_PHRASES, rows=sent).consume()
        added_nodes = summary.counters.nodes_created
    asked = rows["triple_id"].to_pylist()
    stored = read_table(tx, REJECTED_SCHEMA, cypher.REJECTED_BY_ID, ids=asked)
    changed = rows_changed(rows, stored, facets=REJECTED_FACETS)
    missing = rows_missing(rows, "triple_id", stored["triple_id"])
    for head in cypher.REJECTED_ENDS:
        for tail in cypher.REJECTED_ENDS:
            part = missing.filter(
                pc.and_(
                    _bears(missing["head_id"], head, accepted),
                    _bears(missing["tail_id"], tail, accepted),
                )
            )
            if part.num_rows:
                change(tx, cypher.add_rejected(head, tail), rows=to_rows(part, _WRITTEN))
    if changed.num_rows:
        change(tx, cypher.SET_REJECTED, rows=to_rows(changed, _WRITTEN))
    return LoadReport(
        added_nodes=added_nodes,
        added_edges=missing.num_rows,
        unchanged=rows.num_rows - missing.num_rows - changed.num_rows,
        updated=changed.num_rows,
    )


def _bears(ids: pa.ChunkedArray, label: str, accepted: pa.ChunkedArray) -> pa.ChunkedArray:
    is_accepted = pc.is_in(ids, value_set=accepted.combine_chunks())
    return is_accepted if label == "Phrase" else pc.invert(is_accepted)
