from __future__ import annotations

import pytest

from kgbuild.core.config import CriticConfig
from kgbuild.core.errors import CriticError
from kgbuild.core.records import HeadKind, Provenance, Score, Triple
from kgbuild.critic import Candidate, Evidence, TableScorer, Thresholds, decide, judge_triples


def make_triple(tail: str, *, tokens: int = 2) -> Triple:
    provenance = Provenance(
        source="teacher",
        teacher="scripted",
        teacher_hash="0",
        prompt_id="p",
        decoding="beam",
        log_probability=-2.0,
        mean_log_probability=-1.0,
        tokens=tokens,
        clauses=0,
        clauses_met=0,
    )
    return Triple.of("PersonX runs", "xReact", tail, kind=HeadKind.EVENT, provenance=provenance)


def make_score(probability: float) -> Score:
    return Score(triple_id="t", probability=probability, logit=0.0, critic="c")


def test_every_triple_gets_its_score_in_order_whatever_the_batch() -> None:
    table = TableScorer({("PersonX runs", "xReact", str(n)): 0.1 + n / 10 for n in range(7)})
    triples = [make_triple(str(n)) for n in range(7)]
    for batch in (1, 3, 100):
        scores = list(judge_triples(triples, table, batch=batch))
        assert [score.triple_id for score in scores] == [triple.triple_id for triple in triples]
        assert [score.probability for score in scores] == [0.1 + n / 10 for n in range(7)]
        assert {score.critic for score in scores} == {table.key}


def test_triples_stream_and_the_critic_is_asked_a_batch_at_a_time() -> None:
    table = TableScorer({})
    next(judge_triples((make_triple(str(n)) for n in range(1000)), table, batch=10))
    assert table.asked == 10


def test_a_probability_at_the_threshold_is_accepted_and_one_below_is_not() -> None:
    thresholds = Thresholds(default=0.9, by_relation={"xReact": 0.6})
    verdicts = list(
        decide(
            [make_score(0.6), make_score(0.599), make_score(0.6)],
            ["xReact", "xReact", "xWant"],
            thresholds,
            config=CriticConfig(),
        )
    )
    assert [verdict.is_accepted for verdict in verdicts] == [True, False, False]
    assert [verdict.threshold for verdict in verdicts] == [0.6, 0.6, 0.9]


def test_a_fixed_threshold_overrides_the_trained_ones() -> None:
    thresholds = Thresholds(default=0.9, by_relation={"xReact": 0.9})
    config = CriticConfig(threshold=0.2)
    verdict = next(decide([make_score(0.3)], ["xReact"], thresholds, config=config))
    assert verdict.is_accepted
    assert verdict.threshold == 0.2


def test_scores_without_their_relations_are_refused() -> None:
    with pytest.raises(CriticError, match="same length"):
        list(decide([make_score(0.3)], [], Thresholds(default=0.5), config=CriticConfig()))


def test_a_triple_that_nobody_generated_carries_no_evidence() -> None:
    assert Candidate.of(make_triple("tired", tokens=0)).evidence is None
    assert Candidate.of(make_triple("tired")).evidence == Evidence(-1.0, None, 2)


@pytest.mark.parametrize("probability", [0.0, 1.0, float("nan")])
def test_a_table_with_certainty_is_refused(probability: float) -> None:
    with pytest.raises(CriticError, match="between 0 and 1"):
        TableScorer({("a", "b", "c"): probability})
