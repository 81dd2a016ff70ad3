"""Puts together what a run's shards know of one triple."""

from __future__ import annotations

from kgbuild.core.config import plain
from kgbuild.core.ids import content_key, phrase_id, triple_id
from kgbuild.core.records import Edge, Head, Merge, Provenance, Rejection, Score, Triple, Verdict
from kgbuild.core.relations import ClauseSpec, RelationSet, verbalise
from kgbuild.prompts import PromptRow
from kgbuild.query.explanation import (
    Cluster,
    Explanation,
    Generation,
    Judgement,
    Member,
    Question,
    RunFacts,
    Status,
)
from kgbuild.query.reviewed import with_review
from kgbuild.query.run_shards import RunShards


def explain(
    head: str,
    relation: str,
    tail: str,
    *,
    edge: Edge | None,
    run: RunShards | None,
    relations: RelationSet,
) -> Explanation | None:
    """Give all that is known of a triple, or None if nothing is.

    Args:
        head: Canonical text.
        relation: A known relation.
        tail: Canonical text.
        edge: The triple's edge in the graph, if it has one.
        run: The run the graph came from; without it the edge is all there is.
        relations: The run's relations, for the sentence and the clauses.
    """
    wanted = triple_id(head, relation, tail)
    found = None
    if run is not None:
        triple = next(iter(run.find("triples", Triple, triple_id=[wanted])), None)
        if triple is not None:
            found = _of_triple(triple, edge=edge, run=run, relations=relations)
        elif edge is None:
            found = _of_rejection(head, relation, tail, run=run, relations=relations)
    if found is None and edge is not None:
        found = _of_edge(edge, run=run, relations=relations)
    if run is not None:
        found = with_review(found, head, relation, tail, edge=edge, run=run, relations=relations)
    return found


def _of_triple(
    triple: Triple, *, edge: Edge | None, run: RunShards, relations: RelationSet
) -> Explanation:
    verdict = next(iter(run.find("verdicts", Verdict, triple_id=[triple.triple_id])), None)
    judgement = _judgement(verdict, run=run)
    cluster, own = _cluster(triple, run=run)
    status, stage, reason, detail = Status.STORED, "", "", ""
    if verdict is None:
        status, summary = Status.PENDING, "The run has not judged it yet: build on to see more."
    elif not verdict.is_accepted and (dropped := _rejected_otherwise(triple, run=run)):
        status, stage, reason = Status.REJECTED, dropped.stage, dropped.reason
        detail = dropped.detail
        summary = f"The critic would have taken it, and the {stage} did not ({reason}): {detail}."
    elif not verdict.is_accepted:
        status, stage, reason = Status.REJECTED, "critic", "below_threshold"
        detail = f"{verdict.probability:.3f} is under {verdict.threshold:.3f}"
        summary = f"The critic rejected it: its probability {detail}, the relation's threshold."
    elif own is None or cluster is None:
        status, summary = Status.PENDING, "Accepted, and the run has not merged tails yet."
    elif own.reason != "representative":
        status, stage, reason = Status.MERGED, "dedup", own.reason
        detail = f"cosine {own.similarity:.3f} to '{cluster.representative}'"
        summary = f"Accepted, and merged into '{cluster.representative}' ({own.reason}, {detail})."
    elif edge is None:
        status, summary = Status.PENDING, "Accepted, and the run has not stored it yet."
    else:
        others = cluster.size - 1
        summary = (
            f"In the graph: the critic gives it {verdict.probability:.3f}, and "
            f"{verdict.threshold:.3f} is enough"
            + (f"; it stands for {others} more like it." if others else ".")
        )
    return Explanation(
        triple_id=triple.triple_id,
        head=triple.head,
        relation=triple.relation,
        tail=triple.tail,
        kind=triple.kind,
        sentence=_sentence(triple.head, triple.relation, triple.tail, relations=relations),
        status=status,
        summary=summary,
        stage=stage,
        reason=reason,
        detail=detail,
        head_source=_head_source(triple.head, run=run),
        question=_question(prompt_ids=[triple.provenance.prompt_id], run=run),
        generation=_generation(triple.provenance, triple.relation, run=run, relations=relations),
        judgement=judgement,
        cluster=cluster,
        run=_run_facts(triple.provenance.run, triple.provenance.round, run=run),
    )


def _rejected_otherwise(triple: Triple, *, run: RunShards) -> Rejection | None:
    """Find who rejected a triple that no threshold did."""
    found = run.find("verdicts", Rejection, "rejected", triple_id=[triple.triple_id])
    return next((dropped for dropped in found if dropped.stage != "critic"), None)


def _of_rejection(
    head: str, relation: str, tail: str, *, run: RunShards, relations: RelationSet
) -> Explanation | None:
    """Explain what the teacher's stage dropped before it became a triple."""
    known = run.find("heads", Head, head_id=[phrase_id(head)])
    spellings = {head, *(entry.text for entry in known)}
    # A completion goes on from the prompt, so the words that every tail begins with are not in it.
    prefix = (relations.get(relation).tail_prefix or "") if relation in relations else ""
    dropped = [
        entry
        for entry in run.find("triples", Rejection, "rejected", head=spellings, relation=[relation])
        if phrase_id(tail) in (phrase_id(entry.text), phrase_id(f"{prefix} {entry.text}"))
    ]
    if not dropped:
        return None
    first = dropped[0]
    asked = run.find("prompts", PromptRow, head=spellings, relation=[relation])
    why = f"{first.reason}: {first.detail}" if first.detail else first.reason
    return Explanation(
        triple_id=triple_id(head, relation, tail),
        head=first.head,
        relation=relation,
        tail=first.text,
        kind=known[0].kind if known else None,
        sentence=_sentence(first.head, relation, first.text, relations=relations),
        status=Status.REJECTED,
        summary=(
            f"{'The teacher' if first.stage == 'teacher' else 'A file'} said it, and it was "
            f"dropped before the critic saw it ({why})."
        ),
        stage=first.stage,
        reason=first.reason,
        detail=first.detail,
        head_source=known[0].source if known else "",
        question=_question(prompt_ids=[row.prompt_id for row in asked], run=run),
        run=_run_facts(run.manifest.run_id, 0, run=run),
    )


def _of_edge(edge: Edge, *, run: RunShards | None, relations: RelationSet) -> Explanation:
    provenance = Provenance(**{name: getattr(edge, name) for name in Provenance.model_fields})
    return Explanation(
        triple_id=edge.triple_id,
        head=edge.head,
        relation=edge.relation,
        tail=edge.tail,
        kind=edge.kind,
        sentence=edge.sentence,
        status=Status.STORED,
        summary=(
            f"In the graph: the critic gave it {edge.probability:.3f}, and {edge.threshold:.3f} "
            f"is enough. Its prompt and merged tails are in the folder of run {edge.run}."
        ),
        generation=_generation(provenance, edge.relation, run=run, relations=relations),
        judgement=Judgement(
            probability=edge.probability,
            threshold=edge.threshold,
            is_accepted=True,
            critic=edge.critic,
            promise=edge.promise,
        ),
        cluster=Cluster(
            cluster_id=edge.triple_id, representative=edge.tail, size=edge.cluster_size
        ),
        run=RunFacts(run=edge.run, round=edge.round),
    )


def _question(*, prompt_ids: list[str], run: RunShards) -> Question | None:
    row = next(iter(run.find("prompts", PromptRow, prompt_id=prompt_ids)), None)
    if row is None:
        return None
    return Question(
        prompt_id=row.prompt_id,
        prompt=row.prefix + row.text,
        shots=tuple(line for line in row.prefix.split("\n") if line),
        question=row.text,
        rotation=row.rotation,
        prior_question=row.prior_text,
    )


def _generation(
    provenance: Provenance, relation: str, *, run: RunShards | None, relations: RelationSet
) -> Generation:
    settings = {}
    if run is not None:
        decoding = plain(run.config.decoding)
        # The triple names its settings by their key; those of the manifest are shown only
        # if they are the same ones.
        if provenance.decoding == f"{decoding['method']}:{content_key(decoding)}":
            settings = dict(decoding)
    own = relations.get(relation).clauses if relation in relations else ()
    return Generation(
        settings=settings,
        relation_clauses=tuple(_clause_in_words(clause) for clause in own),
        **provenance.model_dump(exclude={"run"}),
    )


def _clause_in_words(clause: ClauseSpec) -> str:
    if clause.any:
        return "any of: " + ", ".join(clause.any)
    if clause.banned:
        return "none of: " + ", ".join(clause.banned)
    most = "any number" if clause.max is None else clause.max
    return f"{clause.min} to {most} of: " + ", ".join(clause.counted)


def _judgement(verdict: Verdict | None, *, run: RunShards) -> Judgement | None:
    if verdict is None:
        return None
    score = next(iter(run.find("scores", Score, triple_id=[verdict.triple_id])), None)
    return Judgement(
        probability=verdict.probability,
        threshold=verdict.threshold,
        is_accepted=verdict.is_accepted,
        critic=verdict.critic,
        promise=verdict.promise,
        logit=score.logit if score else None,
    )


def _cluster(triple: Triple, *, run: RunShards) -> tuple[Cluster | None, Merge | None]:
    """Give the cluster that a triple is in, and its own place there."""
    places = run.find("merges", Merge, triple_id=[triple.triple_id])
    if not places:
        return None, None
    # Two spellings of one tail share an id; if one represents the cluster, the triple does.
    own = min(places, key=lambda place: place.reason != "representative")
    merges = run.find("merges", Merge, cluster_id=[own.cluster_id])
    merges.sort(key=lambda merge: (merge.reason != "representative", -merge.similarity))
    ids = [own.cluster_id, *(merge.triple_id for merge in merges)]
    tails: dict[str, str] = {}
    for other in run.find("triples", Triple, triple_id=ids):
        tails.setdefault(other.triple_id, other.tail)
    probabilities = {
        verdict.triple_id: verdict.probability
        for verdict in run.find("verdicts", Verdict, triple_id=ids)
    }
    members = tuple(
        Member(
            triple_id=merge.triple_id,
            tail=tails.get(merge.triple_id, ""),
            similarity=merge.similarity,
            reason=merge.reason,
            probability=probabilities.get(merge.triple_id),
        )
        for merge in merges
    )
    return (
        Cluster(
            cluster_id=own.cluster_id,
            representative=tails.get(own.cluster_id, own.cluster_id),
            size=len(members),
            members=members,
        ),
        own,
    )


def _sentence(head: str, relation: str, tail: str, *, relations: RelationSet) -> str:
    if relation not in relations:
        return ""
    return verbalise(relations.get(relation), head, tail)


def _head_source(head: str, *, run: RunShards) -> str:
    found = run.find("heads", Head, head_id=[phrase_id(head)])
    return found[0].source if found else ""


def _run_facts(run_id: str, round_number: int, *, run: RunShards) -> RunFacts:
    return RunFacts(
        run=run_id,
        round=round_number,
        name=run.config.name,
        folder=str(run.folder),
        version=run.manifest.version,
    )
