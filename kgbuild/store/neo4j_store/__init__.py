"""The graph in a Neo4j server, behind the protocol of all stores.

Reads and writes any Neo4j 5 by the official driver, with managed transactions that are tried
again while the server is away; credentials come from a file, our own server or the environment,
and never leave the connection. Refuses databases that kgbuild did not make, or another version of
it. Its doors are `find_address` and `Neo4jStore`.
"""

from __future__ import annotations

from kgbuild.store.neo4j_store.address import Address, find_address
from kgbuild.store.neo4j_store.store import Neo4jStore

__all__ = ["Address", "Neo4jStore", "find_address"]
