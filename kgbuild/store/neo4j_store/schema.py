"""What a database must be before edges go in, and the indexes it gets once they are."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kgbuild.core.errors import StoreError
from kgbuild.store.batches import FACETS, LATER
from kgbuild.store.graph_store import SCHEMA_VERSION
from kgbuild.store.neo4j_store import cypher
from kgbuild.store.neo4j_store.connection import Connection

META = {"schema_version": SCHEMA_VERSION, "facets": " ".join(FACETS)}
# What came later is no property of older edges, and no property is its default.
_EARLIER = {**META, "facets": " ".join(facet for facet in FACETS if facet not in LATER)}
WAY_OUT = (
    "Name another database with --database, or an empty server (`kgbuild neo4j start --home "
    "DIR`), and push the run again: its shards hold everything that a store is filled from."
)
_OLDEST = (5, 18)


def check_schema(connection: Connection) -> None:
    """Make an empty database ours, and refuse one that is not.

    Raises:
        StoreError: If the server is too old, or the database is of another program or version.
    """
    version = connection.rows(cypher.VERSION)[0]["version"]
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if numbers < _OLDEST:
        raise StoreError(
            f"{connection.name} is Neo4j {version}; kgbuild needs {'.'.join(map(str, _OLDEST))} or "
            "newer"
        )
    # Nodes first: another kgbuild may be making the same database ours right now.
    nodes = connection.rows(cypher.ANY_NODE)
    meta = {row["key"]: row["value"] for row in connection.rows(cypher.META)}
    ours = {name: meta.get(name) for name in META}
    if not meta:
        if connection.is_read_only:
            holds = f"holds no graph of kgbuild ({nodes[0]['labels']})" if nodes else "is empty"
            raise StoreError(f"{connection.name} {holds}; fill it with `kgbuild push`")
        if nodes and nodes[0]["labels"] != ["KgbuildMeta"]:
            raise StoreError(
                f"{connection.name} holds nodes that kgbuild did not make ({nodes[0]['labels']}). "
                f"{WAY_OUT}"
            )
        _make_ours(connection)
    elif ours == _EARLIER and not connection.is_read_only:
        _write_meta(connection)
    elif ours not in (META, _EARLIER):
        raise StoreError(
            f"{connection.name} has the graph schema {meta.get('schema_version')} of another "
            f"version of kgbuild; this one reads and writes schema {SCHEMA_VERSION}. {WAY_OUT}"
        )


def _make_ours(connection: Connection) -> None:
    make_constraints(connection, ())
    _write_meta(connection)


def _write_meta(connection: Connection) -> None:
    connection.write(
        lambda tx: [
            tx.run(cypher.SET_META, key=key, value=value).consume() for key, value in META.items()
        ]
    )


def make_constraints(connection: Connection, relations: Iterable[str]) -> None:
    """Make the constraints that are missing, as in a database that `neo4j-admin` filled.

    Raises:
        StoreError: If what is there breaks one, such as two phrases with one id.
    """
    wanted = {**cypher.CONSTRAINTS, **{name: cypher.one_edge(name) for name in relations}}
    there = {row["name"] for row in connection.rows(cypher.CONSTRAINT_NAMES)}
    for name, statement in wanted.items():
        if cypher.constraint_name(name) not in there:
            connection.change(statement)


def make_indexes(connection: Connection) -> None:
    """Make the indexes that are missing and wait until they answer."""
    there = {row["name"] for row in connection.rows(cypher.INDEXES)}
    missing = [text for name, text in cypher.LATE_INDEXES.items() if name not in there]
    for statement in missing:
        connection.change(statement)
    if missing:
        connection.change(cypher.AWAIT_INDEXES)
