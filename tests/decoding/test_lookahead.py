from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
import torch

from kgbuild.core.config import DecodingConfig
from kgbuild.decoding import AnyOf, ConstraintSet, Not, Vocabulary, beam_search, compile_clauses
from kgbuild.decoding.beam_item import Beam, BeamItem
from kgbuild.decoding.lookahead import estimate, narrow
from kgbuild.decoding.proposals import Proposals
from kgbuild.decoding.shared_runner import SharedRunner
from tests.decoding.families import build_seq2seq

PLAIN = DecodingConfig(
    beams=4, max_new_tokens=7, no_repeat_ngram=0, is_diverse=False, end_floor=-100.0, returned=3
)
WAYS = ["greedy", "sample", "beam", "draft"]
PROMPTS = ("ab", "c a b", "b")
SETS = (
    ConstraintSet((AnyOf(("abc", "q")), AnyOf(("c",)))),
    ConstraintSet((AnyOf(("b b", "ca")), Not("a b"))),
    ConstraintSet(),
)


def look(model: Any, tokenizer: Any, **changes: Any) -> tuple[list[list[str]], list[float]]:
    found = beam_search(
        model, tokenizer, PROMPTS, SETS, settings=PLAIN.model_copy(update=changes), at_once=2
    )
    scores = [one.log_probability for row in found for one in row]
    return [[one.text for one in row] for row in found], scores


@pytest.mark.parametrize("by", WAYS)
@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_a_look_ahead_without_weight_changes_nothing(
    kind: str, by: str, letters: Any, make_model: Any
) -> None:
    for seed in range(6):
        model = make_model(kind, vocab=len(letters), seed=seed)
        texts, scores = look(model, letters)
        changes = {"lookahead": 4, "lookahead_weight": 0.0, "lookahead_by": by}
        looked, again = look(model, letters, **changes)
        assert looked == texts
        assert again == pytest.approx(scores, abs=1e-3)


@pytest.mark.parametrize("by", WAYS)
def test_only_hypotheses_whose_place_is_in_doubt_are_looked_ahead(
    by: str, letters: Any, make_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of eight beams two may lose their place, to two more; six are safe and cost nothing."""
    rows: list[tuple[int, list[int]]] = []
    branch = SharedRunner.branch

    def note(self: SharedRunner, chosen: Sequence[int]) -> SharedRunner:
        rows.append((len(self._groups), list(chosen)))
        return branch(self, chosen)

    monkeypatch.setattr(SharedRunner, "branch", note)
    changes = {"beams": 8, "lookahead": 3, "lookahead_by": by}
    settings = PLAIN.model_copy(update=changes)
    model = make_model("llama", vocab=len(letters), seed=1)
    beam_search(model, letters, ["ab"], [SETS[0]], settings=settings)
    wide = [chosen for live, chosen in rows if live == 10]
    assert any(chosen == [6, 7, 8, 9] for chosen in wide)
    assert all(set(chosen) <= {6, 7, 8, 9} for chosen in wide)
    assert all(live == 10 for live, _ in rows), "without a rival no place is in doubt"


@pytest.mark.parametrize("is_diverse", [False, True])
def test_hope_moves_only_those_whose_place_is_in_doubt(is_diverse: bool, letters: Any) -> None:
    vocabulary = Vocabulary.of(letters)
    compiled = compile_clauses(SETS[0], vocabulary)
    changes = {"beams": 8, "lookahead": 3, "lookahead_weight": 1.0, "is_diverse": is_diverse}
    settings = PLAIN.model_copy(update=changes)
    draw = random.Random(5)
    kept: set[int] = set()
    for _ in range(300):
        item = BeamItem(compiled, settings=settings)
        for place in range(10):
            tokens = tuple(draw.choice(vocabulary.written_ids) for _ in range(3))
            state = compiled.start
            for token in tokens:
                state = compiled.step(state, token)
            item.live.append(Beam(tokens, -1.0 - place, state))
        item.live = item.live[1:]
        places = narrow(item, [0.0] * 6 + [-9 * draw.random() for _ in range(4)], settings=settings)
        assert places[:6] == list(range(6))
        assert len(set(places)) == len(item.live) == 8
        kept |= set(places)
    assert kept == set(range(10)), "a rival may win, and a doubtful beam lose"


@pytest.mark.parametrize("by", WAYS)
def test_a_look_ahead_keeps_every_promise(
    by: str, letters: Any, make_model: Any, judge: Any
) -> None:
    for seed in range(4):
        model = make_model("gpt2", vocab=len(letters), seed=seed)
        settings = PLAIN.model_copy(
            update={"lookahead": 3, "lookahead_weight": 0.5, "lookahead_by": by}
        )
        found = beam_search(model, letters, PROMPTS, SETS, settings=settings)
        for answers, constraints in zip(found, SETS, strict=True):
            assert answers
            for answer in answers:
                met, is_lawful, _ = judge(answer.text, constraints)
                assert is_lawful
                assert met == answer.met


def test_of_two_texts_the_one_that_makes_a_phrase_likely_has_more_hope(letters: Any) -> None:
    vocabulary = Vocabulary.of(letters)
    compiled = compile_clauses(ConstraintSet((AnyOf(("q",)),)), vocabulary)
    (wanted,), (other,) = vocabulary.spell(" q"), vocabulary.spell("c")
    unmet, met = (compiled.step(compiled.start, token) for token in (other, wanted))
    list_ways = Proposals.of(compiled).list_ways
    ways = [list_ways(unmet), list_ways(unmet), list_ways(met)]
    logits = torch.zeros((3, 1, 2, len(letters)))
    logits[1, 0, 1, wanted] = 4.0  # likely two tokens ahead
    flat, raised = (float(logits[1, 0, place].log_softmax(0)[wanted]) for place in (0, 1))
    assert estimate(ways, logits) == pytest.approx([flat, raised, 0.0], abs=1e-5)


def test_a_phrase_of_several_tokens_is_hoped_for_by_their_mean(letters: Any) -> None:
    vocabulary = Vocabulary.of(letters)
    compiled = compile_clauses(ConstraintSet((AnyOf(("b c",)),)), vocabulary)
    way = vocabulary.spell(" b c")
    assert len(way) > 1
    logits = torch.zeros((1, 1, len(way), len(letters)))
    for place, token in enumerate(way):
        logits[0, 0, place, token] = 3.0
    likely = float(logits[0, 0, 0].log_softmax(0)[way[0]])
    ways = Proposals.of(compiled).list_ways(compiled.start)
    assert estimate([ways], logits) == pytest.approx([likely], abs=1e-5)


@pytest.mark.parametrize("by", ["beam", "draft"])
@pytest.mark.parametrize("family", ["t5", "bart"])
def test_an_encoder_decoder_looks_ahead_too(family: str, by: str, letters: Any, judge: Any) -> None:
    model = build_seq2seq(family, vocab=len(letters), seed=2)
    settings = PLAIN.model_copy(update={"lookahead": 3, "lookahead_by": by})
    found = beam_search(model, letters, PROMPTS, SETS, settings=settings)
    for answers, constraints in zip(found, SETS, strict=True):
        assert judge(answers[0].text, constraints)[0] == answers[0].met
