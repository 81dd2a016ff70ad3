"""A finished graph on its way into a Neo4j server.

Everything goes in bounded batches that are there whole or not at all and are recognised by their
ids, so a push that was killed goes on where it stopped, and a second one changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kgbuild.core.manifest import Manifest
from kgbuild.core.progress import Progress
from kgbuild.core.records import Rejection, Triple, Verdict
from kgbuild.core.shards import read_shards, to_table
from kgbuild.store import GraphStore, LoadReport
from kgbuild.store.neo4j_store import Neo4jStore
from kgbuild.store.rejected import RejectedEdge

_STEP = 1_000
_UNIT = "thousand edges"


def push_edges(source: GraphStore, target: Neo4jStore, *, progress: Progress) -> LoadReport:
    """Store all edges of a graph in a server's graph; what is there already stays as it is."""
    total = -(-source.counts().edges // _STEP)
    steps = _slices(source.edge_tables())
    return target.load_edges(progress.track(steps, stage="push", total=total, unit=_UNIT))


def _slices(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Cut tables so that progress counts the same everywhere."""
    waiting: list[pa.Table] = []
    rows = 0
    for table in tables:
        start = 0
        while start < table.num_rows:
            part = table.slice(start, _STEP - rows)
            waiting.append(part)
            rows += part.num_rows
            start += part.num_rows
            if rows == _STEP:
                yield pa.concat_tables(waiting)
                waiting, rows = [], 0
    if waiting:
        yield pa.concat_tables(waiting)


def prune_edges(source: GraphStore, target: Neo4jStore, *, run: str, progress: Progress) -> int:
    """Take out of a server what a run had and has no longer; give how many edges.

    Only edges that this run made are looked at: those of other runs, and what people import, stay.
    Killed, it goes on the next time, for what is gone is not found again.
    """
    parts = (chunk for table in source.edge_tables() for chunk in table["triple_id"].chunks)
    kept = pa.chunked_array(parts, type=pa.string()).combine_chunks()
    stale = [
        triple
        for held in target.ids_of_run(run)
        for triple in held.filter(pc.invert(pc.is_in(held, value_set=kept))).to_pylist()
    ]
    groups = [stale[start : start + _STEP] for start in range(0, len(stale), _STEP)]
    steps = progress.track(groups, stage="prune", total=len(groups), unit=_UNIT)
    return sum(target.remove(group) for group in steps)


def push_rejected(manifest: Manifest, target: Neo4jStore, *, progress: Progress) -> LoadReport:
    """Store what the teacher's and the critic's stages of a run turned down, for audits."""
    tables = list(_batches(_rejected(manifest)))
    return target.load_rejected(
        progress.track(tables, stage="rejected", total=len(tables), unit="batches")
    )


def _rejected(manifest: Manifest) -> Iterator[RejectedEdge]:
    triples = manifest.stage_folder("triples")
    verdicts: dict[str, Verdict] = {}
    for verdict in read_shards(manifest.stage_folder("verdicts"), Verdict):
        # A triple that came twice may have been taken once.
        if verdict.is_accepted or verdict.triple_id not in verdicts:
            verdicts[verdict.triple_id] = verdict
    # The critic's own reason follows from the verdict; others stand with what was rejected.
    reasons = {
        dropped.triple_id: dropped
        for dropped in read_shards(manifest.stage_folder("verdicts"), Rejection, "rejected")
        if dropped.stage != "critic"
    }
    told: set[str] = set()
    for triple in read_shards(triples, Triple):
        judged = verdicts.get(triple.triple_id)
        if judged is None or judged.is_accepted or triple.triple_id in told:
            continue
        told.add(triple.triple_id)
        refused = RejectedEdge.by_critic(triple, judged)
        if (other := reasons.get(triple.triple_id)) is not None:
            why = {"stage": other.stage, "reason": other.reason, "detail": other.detail}
            refused = refused.model_copy(update=why)
        yield refused
    for dropped in read_shards(triples, Rejection, "rejected"):
        edge = RejectedEdge.by_stage(dropped, run=manifest.run_id)
        # The same words may have been kept from another prompt, or from this one.
        if edge is not None and edge.triple_id not in verdicts and edge.triple_id not in told:
            told.add(edge.triple_id)
            yield edge


def _batches(edges: Iterable[RejectedEdge]) -> Iterator[pa.Table]:
    waiting: list[RejectedEdge] = []
    for edge in edges:
        waiting.append(edge)
        if len(waiting) == 4 * _STEP:
            yield to_table(waiting, RejectedEdge)
            waiting = []
    if waiting:
        yield to_table(waiting, RejectedEdge)


def push_vectors(
    target: Neo4jStore,
    encode: Callable[[Sequence[str]], npt.NDArray[np.floating[Any]]],
    *,
    encoder: str,
    progress: Progress,
) -> int:
    """Embed the phrases that have no vector of this encoder yet; give how many.

    Args:
        target: The server's graph.
        encode: Gives one vector of length one a text.
        encoder: Key of the encoder.
        progress: Shows how far it is.
    """
    dimensions = encode(["a phrase"]).shape[1]
    return sum(
        progress.track(
            target.add_vectors(encode, encoder=encoder, dimensions=dimensions),
            stage="embeddings",
            total=-(-target.counts().nodes // _STEP),
            unit="thousand phrases",
        )
    )
