"""The transactions that change a server's graph; each ends in the same graph when done twice."""

from __future__ import annotations

import neo4j
import pyarrow as pa
import pyarrow.compute as pc

from kgbuild.core.phrases import PHRASE_SCHEMA
from kgbuild.store.batches import EDGE_SCHEMA, rows_changed, rows_missing
from kgbuild.store.graph_store import LoadReport
from kgbuild.store.neo4j_store import cypher
from kgbuild.store.neo4j_store.rows import change, read_table, to_rows


def write_batch(tx: neo4j.ManagedTransaction, *, edges: pa.Table, phrases: pa.Table) -> LoadReport:
    """Add what is new, set the facets that differ, leave the rest alone.

    Writers take turns, so that what is read here as missing cannot be added by another meanwhile.
    """
    change(tx, cypher.LOCK)
    known = read_table(tx, PHRASE_SCHEMA, cypher.KNOWN_PHRASES, ids=phrases["id"].to_pylist())
    new = rows_missing(phrases, "id", known["id"])
    promoted: set[str] = set()
    if tx.run(cypher.COUNT_REJECTED).single(strict=True)["count"]:
        change(tx, cypher.DROP_REJECTED, ids=edges["triple_id"].to_pylist())
        # A phrase that only rejected triples had until now becomes one of the graph.
        rows = to_rows(new, PHRASE_SCHEMA.names)
        promoted = {row["id"] for row in tx.run(cypher.PROMOTE_PHRASES, rows=rows)}
    _add_phrases(tx, new, promoted=promoted)
    _set_kinds(tx, phrases, known)
    added = updated = 0
    # An edge can only be there if both its ends are.
    maybe = edges.filter(
        pc.and_(_are_in(edges["head_id"], known), _are_in(edges["tail_id"], known))
    )
    for name in sorted(edges["relation"].unique().to_pylist()):
        part = edges.filter(pc.equal(edges["relation"], name))
        asked = maybe.filter(pc.equal(maybe["relation"], name))["triple_id"].to_pylist()
        stored = EDGE_SCHEMA.empty_table()
        if asked:
            stored = read_table(tx, EDGE_SCHEMA, cypher.edges_by_id(name), ids=asked)
        missing = rows_missing(part, "triple_id", stored["triple_id"])
        changed = rows_changed(part, stored)
        if missing.num_rows:
            change(tx, cypher.add_edges(name), rows=to_rows(missing))
        if changed.num_rows:
            change(tx, cypher.set_facets(name), rows=to_rows(changed))
        added += missing.num_rows
        updated += changed.num_rows
    return LoadReport(
        added_nodes=new.num_rows,
        added_edges=added,
        unchanged=edges.num_rows - added - updated,
        updated=updated,
    )


def _add_phrases(tx: neo4j.ManagedTransaction, new: pa.Table, *, promoted: set[str]) -> None:
    for kind in sorted(new["kind"].unique().to_pylist()):
        part = new.filter(pc.equal(new["kind"], kind))
        rows = [row for row in to_rows(part, PHRASE_SCHEMA.names) if row[0] not in promoted]
        if rows:
            change(tx, cypher.add_phrases(kind), rows=rows)
        if promoted:
            change(tx, cypher.label_phrases(kind), ids=sorted(promoted & {*part["id"].to_pylist()}))


def _set_kinds(tx: neo4j.ManagedTransaction, phrases: pa.Table, known: pa.Table) -> None:
    joined = phrases.join(known, "id", join_type="inner", right_suffix="_known")
    later = joined.filter(pc.greater(joined["kind"], joined["kind_known"]))
    if later.num_rows:
        change(tx, cypher.SET_KIND, rows=to_rows(later, ["id", "kind"]))
        for kind in sorted(later["kind"].unique().to_pylist()):
            ids = later.filter(pc.equal(later["kind"], kind))["id"].to_pylist()
            change(tx, cypher.label_phrases(kind), ids=ids)


def remove_edges(tx: neo4j.ManagedTransaction, *, edges: pa.Table) -> None:
    """Take edges out, with the phrases that no edge needs any more."""
    change(tx, cypher.LOCK)
    for name in edges["relation"].unique().to_pylist():
        ids = edges.filter(pc.equal(edges["relation"], name))["triple_id"].to_pylist()
        change(tx, cypher.delete_edges(name), ids=ids)
    ends = pc.unique(pa.chunked_array(edges["head_id"].chunks + edges["tail_id"].chunks))
    change(tx, cypher.DROP_ORPHANS, ids=ends.to_pylist())


def _are_in(ids: pa.ChunkedArray, known: pa.Table) -> pa.ChunkedArray:
    return pc.is_in(ids, value_set=known["id"].combine_chunks())
