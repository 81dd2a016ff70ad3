"""Embeddings of phrases in the server, and the phrases nearest to one."""

from __future__ import annotations

from collections.abc import Sequence

from kgbuild.store.graph_store import Phrase
from kgbuild.store.neo4j_store import cypher
from kgbuild.store.neo4j_store.connection import Connection

_KEY = "encoder"
_FEWEST, _MOST = 50, 10_000


def prepare_vectors(connection: Connection, *, encoder: str, dimensions: int) -> None:
    """Make room for the vectors of an encoder; those of another one are taken out."""
    if _encoder_of(connection) == encoder:
        return
    connection.change(cypher.DROP_VECTOR_INDEX)
    while connection.write(lambda tx: tx.run(cypher.DROP_VECTORS).single(strict=True)["dropped"]):
        pass
    connection.change(cypher.VECTOR_INDEX, dimensions=dimensions)
    connection.change(cypher.AWAIT_INDEXES)
    connection.change(cypher.SET_META, key=_KEY, value=encoder)


def phrases_without_vectors(connection: Connection) -> list[tuple[str, str]]:
    """Give id and text of the phrases that have no vector yet."""
    rows = connection.rows(cypher.WITHOUT_VECTOR)
    return [(row["id"], row["text"]) for row in rows]


def write_vectors(
    connection: Connection, ids: Sequence[str], vectors: Sequence[Sequence[float]]
) -> None:
    """Store the vectors of some phrases."""
    connection.change(cypher.SET_VECTORS, rows=list(zip(ids, vectors, strict=True)))


def find_nearest(
    connection: Connection,
    vector: Sequence[float],
    *,
    encoder: str,
    limit: int,
    kind: str | None,
) -> list[tuple[Phrase, float]] | None:
    """Give the phrases nearest to a vector with their cosines, or None without such vectors."""
    if _encoder_of(connection) != encoder:
        return None
    # The index is approximate: asked for a few more, it misses none of the very nearest.
    count = max(4 * limit, _FEWEST)
    while True:
        # The index gives its nearest of every kind: ask for more until enough are of this one.
        rows = connection.rows(cypher.NEAREST, count=count, vector=list(vector))
        found = [row for row in rows if kind in (None, row["kind"])][:limit]
        if len(found) == limit or len(rows) < count or count >= _MOST:
            return [
                (Phrase(id=row["id"], text=row["text"], kind=row["kind"]), row["similarity"])
                for row in found
            ]
        count = min(4 * count, _MOST)


def _encoder_of(connection: Connection) -> str | None:
    meta = {row["key"]: row["value"] for row in connection.rows(cypher.META)}
    return meta.get(_KEY)
