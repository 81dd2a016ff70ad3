"""What people decided about a triple, put beside what its run knows of it."""

from __future__ import annotations

from collections.abc import Iterator

from kgbuild.core.ids import triple_id
from kgbuild.core.records import Edge, HeadKind, LabelledTriple, Tombstone
from kgbuild.core.relations import RelationSet, verbalise
from kgbuild.core.review import (
    REVIEW,
    ImportedTriple,
    ReviewLog,
    Tombstones,
    find_places,
    read_tombstones,
)
from kgbuild.query.explanation import Explanation, ReviewNote, RunFacts, Status
from kgbuild.query.run_shards import RunShards

_LIFTED = {"accepted": "accepted again", "restored": "let in again"}


def with_review(
    found: Explanation | None,
    head: str,
    relation: str,
    tail: str,
    *,
    edge: Edge | None,
    run: RunShards,
    relations: RelationSet,
) -> Explanation | None:
    """Add people's decisions to an explanation, or explain what only they speak of.

    Args:
        found: What the run's stages know; None if they know nothing.
        head: Canonical text.
        relation: A known relation.
        tail: Canonical text.
        edge: The triple's edge in the graph, if it has one.
        run: The run, whose review is read.
        relations: The run's relations, for the sentence.
    """
    wanted = triple_id(head, relation, tail)
    log = ReviewLog(run.folder / REVIEW)
    brought = next(log.triples(about=wanted), None)
    teacher, run_id = _origin(found, brought)
    others = find_places(run.config.store.tombstones)
    tombstones = [*read_tombstones(others), *log.tombstones()]
    # What a merged tail was merged into stands for it, also when it is taken out.
    is_merged = found is not None and found.status is Status.MERGED
    stands = found.cluster.cluster_id if found and found.cluster and is_merged else wanted
    selectors = {
        ("triple_id", wanted),
        ("triple_id", stands),
        ("teacher", teacher),
        ("run", run_id),
    }
    buried = [row for row in tombstones if row.selector in selectors]
    labels = [row for row in log.labels(about=wanted) if row.triple_id == wanted]
    notes = sorted(
        [*_tombstone_notes(buried), *_label_notes(labels), *_import_notes(brought, log)],
        key=lambda note: note.at,
    )
    if not notes:
        return found
    if found is None:
        kind = relations.get(relation).head_kind if relation in relations else None
        found = _explain_alone(wanted, head, relation, tail, kind, run=run, relations=relations)
    found = found.model_copy(update={"review": tuple(notes)})
    out = Tombstones(tombstones).find(stands, teacher=teacher, run=run_id)
    if out is None or edge is not None:
        imported = [note.said for note in notes if note.what == "imported"]
        if edge is not None and edge.source == "import" and imported:
            return found.model_copy(update={"summary": f"In the graph: {imported[0]}."})
        return found
    said = _say(out)
    what = "it"
    if is_merged and found.cluster is not None:
        what = f"'{found.cluster.representative}', which stands for it,"
    return found.model_copy(
        update={
            "status": Status.REJECTED,
            "summary": f"A person took {what} out ({out.reason}): {said}.",
            "stage": "review",
            "reason": out.reason,
            "detail": said,
        }
    )


def _origin(found: Explanation | None, brought: ImportedTriple | None) -> tuple[str, str]:
    """Give the teacher and the run of a triple, which a tombstone may speak of."""
    if found is not None and found.generation is not None and found.run is not None:
        return found.generation.teacher, found.run.run
    if brought is not None:
        return brought.triple.provenance.teacher, brought.triple.provenance.run
    return "", ""


def _say(row: Tombstone) -> str:
    kind, value = row.selector
    what = "" if kind == "triple_id" else f"everything of {kind} {value}, "
    return f"{what}by {row.by} on {row.at}" + (f": {row.why}" if row.why else "")


def _tombstone_notes(rows: list[Tombstone]) -> Iterator[ReviewNote]:
    for row in rows:
        word = _LIFTED.get(row.reason, row.reason)
        yield ReviewNote(
            what=row.reason, by=row.by, at=row.at, why=row.why, said=f"{word} {_say(row)}"
        )


def _label_notes(rows: list[LabelledTriple]) -> Iterator[ReviewNote]:
    for row in rows:
        comment = f": {row.comment}" if row.comment else ""
        yield ReviewNote(
            what=f"label {row.label}",
            by=row.labeller,
            at=row.labelled_at,
            why=row.comment,
            said=f"labelled {row.label} by {row.labeller} on {row.labelled_at}{comment}",
        )


def _import_notes(brought: ImportedTriple | None, log: ReviewLog) -> Iterator[ReviewNote]:
    if brought is None:
        return
    key = brought.triple.provenance.run
    batch = next((batch for batch in log.batches() if batch.batch == key), None)
    if batch is not None:
        yield ReviewNote(
            what="imported",
            by=batch.by,
            at=batch.at,
            why=batch.source,
            said=f"imported from {batch.source} by {batch.by} on {batch.at} ({key})",
        )


def _explain_alone(
    wanted: str,
    head: str,
    relation: str,
    tail: str,
    kind: HeadKind | None,
    *,
    run: RunShards,
    relations: RelationSet,
) -> Explanation:
    sentence = verbalise(relations.get(relation), head, tail) if relation in relations else ""
    return Explanation(
        triple_id=wanted,
        head=head,
        relation=relation,
        tail=tail,
        kind=kind,
        sentence=sentence,
        status=Status.PENDING,
        summary="People spoke of it and the run never made it; kgbuild build goes on from there.",
        run=RunFacts(
            run=run.manifest.run_id,
            round=0,
            name=run.config.name,
            folder=str(run.folder),
            version=run.manifest.version,
        ),
    )
