"""The critic's opinion of any triple, in the graph or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kgbuild.core.records import Edge
from kgbuild.query.results import ScoredTriple

if TYPE_CHECKING:
    from kgbuild.critic import Critic


def score_triple(
    head: str,
    relation: str,
    tail: str,
    *,
    edge: Edge | None,
    critic: Critic,
    threshold: float | None,
) -> ScoredTriple:
    """Ask the critic about one triple.

    Args:
        head: Canonical text.
        relation: A known relation.
        tail: Canonical text.
        edge: The triple's edge, if it is stored: the critic then sees what the teacher computed
            and says what it said in the run.
        critic: Who is asked.
        threshold: Used instead of the critic's own.
    """
    from kgbuild.critic.candidate import Candidate, Evidence

    evidence = None
    if edge is not None:
        head, tail = edge.head, edge.tail
        evidence = Evidence.of(edge)
    opinion = critic.score([Candidate(head, relation, tail, evidence)])[0]
    cut = critic.thresholds.get(relation) if threshold is None else threshold
    return ScoredTriple(
        head=head,
        relation=relation,
        tail=tail,
        probability=opinion.probability,
        threshold=cut,
        accepted=opinion.probability >= cut,
        critic=critic.key,
        has_evidence=evidence is not None,
    )
