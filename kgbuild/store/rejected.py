"""Triples that were turned down, as a server keeps them for audits."""

from __future__ import annotations

import pyarrow as pa

from kgbuild.core.ids import phrase_id, triple_id
from kgbuild.core.records import Record, Rejection, Triple, Verdict
from kgbuild.core.shards import arrow_schema


class RejectedEdge(Record):
    """One triple that is not in the graph, and why. Flat: a `REJECTED` relationship."""

    triple_id: str
    head_id: str
    tail_id: str
    head: str
    relation: str
    tail: str
    stage: str
    reason: str
    detail: str
    probability: float | None = None
    threshold: float | None = None
    critic: str = ""
    source: str = ""
    teacher: str = ""
    prompt_id: str = ""
    log_probability: float | None = None
    mean_log_probability: float | None = None
    run: str = ""
    round: int = 0

    @classmethod
    def by_critic(cls, triple: Triple, verdict: Verdict) -> RejectedEdge:
        """Make one of a triple that the critic thinks too little of."""
        given = triple.provenance
        return cls(
            triple_id=triple.triple_id,
            head_id=phrase_id(triple.head),
            tail_id=phrase_id(triple.tail),
            head=triple.head,
            relation=triple.relation,
            tail=triple.tail,
            stage="critic",
            reason="below_threshold",
            detail=verdict.shortfall,
            probability=verdict.probability,
            threshold=verdict.threshold,
            critic=verdict.critic,
            source=given.source,
            teacher=given.teacher,
            prompt_id=given.prompt_id,
            log_probability=given.log_probability,
            mean_log_probability=given.mean_log_probability,
            run=given.run,
            round=given.round,
        )

    @classmethod
    def by_stage(cls, dropped: Rejection, *, run: str) -> RejectedEdge | None:
        """Make one of what another stage dropped, or None if it was no whole triple."""
        if not (dropped.head and dropped.relation and dropped.text):
            return None
        return cls(
            triple_id=triple_id(dropped.head, dropped.relation, dropped.text),
            head_id=phrase_id(dropped.head),
            tail_id=phrase_id(dropped.text),
            head=dropped.head,
            relation=dropped.relation,
            tail=dropped.text,
            stage=dropped.stage,
            reason=dropped.reason,
            detail=dropped.detail,
            run=run,
        )


REJECTED_SCHEMA: pa.Schema = arrow_schema(RejectedEdge)
REJECTED_FACETS = tuple(
    name for name in REJECTED_SCHEMA.names if name not in ("head_id", "tail_id", "head", "tail")
)
