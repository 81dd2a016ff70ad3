"""What people took out of a run goes out of a server too that the run was pushed to."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from kgbuild.core.manifest import read_manifest
from kgbuild.core.records import Rejection
from kgbuild.core.shards import read_shards
from kgbuild.store.neo4j_store import Address, Neo4jStore


def withdraw(folder: Path, *, address: Address) -> int:
    """Remove from a server all that the run's review keeps out; give how many edges that were.

    What an earlier undo took out goes too, so a second call makes up for one that failed.

    Raises:
        StoreError: If the server is not there, refuses us or holds no graph of kgbuild.
    """
    edges = read_manifest(folder).stage_folder("edges")
    wanted = [row.triple_id for row in read_shards(edges, Rejection, "rejected")]
    with closing(Neo4jStore(address)) as server:
        return server.remove(wanted)
