"""The transactions that change a server's graph; each ends in the same graph when done twice."""

from __future__ import annotations

import neo4j
import pyarrow as pa
import pyarrow.compute as pc

from kgbuild.store.batches import EDGE_SCHEMA, PHRASE_SCHEMA, rows_changed, rows_missing
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
    if tx.run(cypher.COUNT_REJECTED).single(strict=True)["count"]:
        change(tx, cypher.DROP_REJECTED, ids=edges["triple_id"].to_pylist())
    _add_phrases(tx, new)
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


def _add_phrases(tx: neo4j.ManagedTransaction, new: pa.Table) -> None:
    if not new.num_rows:
        return
    rows = to_rows(new, PHRASE_SCHEMA.names)
    # A phrase that only rejected triples had until now becomes one of the graph.
    known = {row["id"] for row in tx.run(cypher.PROMOTE_PHRASES, rows=rows)}
    change(tx, cypher.ADD_PHRASES, rows=[row for row in rows if row[0] not in known])
    _label(tx, new)


def _set_kinds(tx: neo4j.ManagedTransaction, phrases: pa.Table, known: pa.Table) -> None:
    joined = phrases.join(known, "id", join_type="inner", right_suffix="_known")
    later = joined.filter(pc.greater(joined["kind"], joined["kind_known"]))
    if later.num_rows:
        change(tx, cypher.SET_KIND, rows=to_rows(later, ["id", "kind"]))
        _label(tx, later)


def _label(tx: neo4j.ManagedTransaction, phrases: pa.Table) -> None:
    for kind, statement in cypher.LABEL_KINDS.items():
        ids = phrases.filter(pc.equal(phrases["kind"], kind))["id"].to_pylist()
        if ids:
            change(tx, statement, ids=ids)


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
