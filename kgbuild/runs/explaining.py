"""Why triples of a run were merged."""

from __future__ import annotations

from pathlib import Path

from kgbuild.core.errors import RunError
from kgbuild.core.ids import triple_id
from kgbuild.core.manifest import read_manifest
from kgbuild.runs.judging import read_accepted, read_merges


def explain_cluster(
    folder: Path, head: str, relation: str, tail: str
) -> list[dict[str, str | float]]:
    """Give the members of a triple's cluster, its representative first.

    Raises:
        RunError: If the run accepted no such triple.
    """
    manifest = read_manifest(folder)
    merges = read_merges(manifest.stage_folder("merges"))
    asked = triple_id(head, relation, tail)
    if asked not in merges:
        raise RunError(
            f"{folder} accepted no triple {head!r} {relation} {tail!r}; kgbuild why says what "
            "became of it"
        )
    cluster = merges[asked].cluster_id
    accepted = read_accepted(manifest.stage_folder("triples"), manifest.stage_folder("verdicts"))
    members = {triple.triple_id: (triple.tail, verdict.probability) for triple, verdict in accepted}
    found: list[dict[str, str | float]] = [
        {
            "triple_id": entry.triple_id,
            "tail": members[entry.triple_id][0],
            "probability": members[entry.triple_id][1],
            "similarity": entry.similarity,
            "reason": entry.reason,
        }
        for entry in merges.values()
        if entry.cluster_id == cluster and entry.triple_id in members
    ]
    return sorted(found, key=lambda member: (-float(member["similarity"]), member["triple_id"]))
