"""The door of the room: triples to scores, scores to verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from kgbuild.core.config import CriticConfig
from kgbuild.core.errors import CriticError
from kgbuild.core.records import Score, Triple, Verdict
from kgbuild.critic.candidate import Candidate
from kgbuild.critic.protocol import TOGETHER, Critic
from kgbuild.critic.thresholds import Thresholds


def judge_triples(
    triples: Iterable[Triple], critic: Critic, *, batch: int = TOGETHER
) -> Iterator[Score]:
    """Give every triple its calibrated probability, in order.

    Args:
        triples: With their provenance, whose log-probabilities count as evidence.
        critic: Who judges.
        batch: Triples shown to the critic together; it sorts them by length itself.
    """
    source = iter(triples)
    while chunk := list(islice(source, batch)):
        opinions = critic.score([Candidate.of(triple) for triple in chunk])
        for triple, opinion in zip(chunk, opinions, strict=True):
            yield Score(
                triple_id=triple.triple_id,
                probability=opinion.probability,
                logit=opinion.logit,
                critic=critic.key,
            )


def decide(
    scores: Iterable[Score],
    relations: Iterable[str],
    thresholds: Thresholds,
    *,
    config: CriticConfig,
    promises: Mapping[str, str] | None = None,
) -> Iterator[Verdict]:
    """Cut scores into verdicts. No model is needed, so another threshold takes seconds.

    Args:
        scores: As `judge_triples` gave them.
        relations: The relation's name of each score, in the same order.
        thresholds: A critic's.
        config: Its `threshold`, if set, overrides all of them, and with them what they promise.
        promises: What the thresholds promise, by relation.

    Raises:
        CriticError: If there are more scores than relations or the other way round.
    """
    promised = promises if promises and config.threshold is None else {}
    try:
        for score, relation in zip(scores, relations, strict=True):
            threshold = thresholds.get(relation) if config.threshold is None else config.threshold
            is_accepted = score.probability >= threshold
            yield Verdict(
                triple_id=score.triple_id,
                probability=score.probability,
                threshold=threshold,
                is_accepted=is_accepted,
                critic=score.critic,
                promise=promised.get(relation, "") if is_accepted else "",
            )
    except ValueError as error:
        raise CriticError(
            "scores and relations do not have the same length; score the triples again, in order"
        ) from error
