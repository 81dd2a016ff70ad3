from __future__ import annotations

import re
from typing import Any

import pytest

from kgbuild.core.config import DecodingConfig
from kgbuild.core.errors import ClauseError, ConfigError, ModelError
from kgbuild.decoding import ConstraintSet, Count, EndsWith, generate
from tests.decoding.families import build_causal, build_seq2seq


@pytest.fixture(scope="module")
def model(letters: Any) -> Any:
    return build_causal("llama", vocab=len(letters), seed=2)


def test_one_text_gives_a_list_and_several_give_lists(model: Any, letters: Any) -> None:
    wanted = {"require": ["ab", ["q", "c"]], "ban": ["b b"], "max_new_tokens": 8}
    one = generate(model, letters, "a b", **wanted)
    several = generate(model, letters, ["a b", "c"], returned=2, **wanted)
    assert [len(answers) for answers in several] == [2, 2]
    assert one[0].text == several[0][0].text
    for answer in (one[0], several[0][0], several[1][0]):
        assert answer.met == (0, 1, 2)
        assert re.search(r"\bab\b", answer.text, re.IGNORECASE)
        assert re.search(r"\b[qc]\b", answer.text, re.IGNORECASE)


def test_clauses_of_every_kind_and_sets_a_prompt(model: Any, letters: Any) -> None:
    sets = [ConstraintSet((EndsWith(("b",)),)), ConstraintSet((Count(("a",), min=1, max=1),))]
    found = generate(model, letters, ["a", "c"], constraints=sets, max_new_tokens=6)
    assert [answers[0].unmet for answers in found] == [(), ()]
    assert found[0][0].text.endswith("b")


def test_a_budget_too_short_gives_the_best_partial_text(model: Any, letters: Any) -> None:
    answer = generate(model, letters, "a", require=["a b c a b"], max_new_tokens=2)[0]
    assert answer.unmet == (0,)
    assert answer.text


def test_samples_repeat_by_seed_and_keep_the_clauses(model: Any, letters: Any) -> None:
    options = {"require": ["q"], "method": "sample", "returned": 4, "max_new_tokens": 8}
    first, again = (generate(model, letters, "a", seed=1, **options) for _ in range(2))
    assert first == again
    assert all(answer.met == (0,) for answer in first)
    assert generate(model, letters, "a", seed=2, **options) != first


@pytest.mark.parametrize("family", ["t5", "bart"])
def test_encoder_decoders_are_decoded_too(family: str, letters: Any) -> None:
    model = build_seq2seq(family, vocab=len(letters), seed=2)
    answer = generate(model, letters, "a b", require=["ca"], max_new_tokens=8)[0]
    assert answer.met == (0,)


def test_settings_are_checked_by_name_and_value(model: Any, letters: Any) -> None:
    with pytest.raises(ConfigError, match="beam is not a setting; did you mean beams"):
        generate(model, letters, "a", beam=3)
    with pytest.raises(ConfigError, match="beams = 0: it should be"):
        generate(model, letters, "a", beams=0)
    with pytest.raises(ClauseError, match=r"write ban=\['ab'\]"):
        generate(model, letters, "a", ban="ab")
    with pytest.raises(ClauseError, match="2 prompts came with 1 constraint sets"):
        generate(model, letters, ["a", "b"], constraints=[ConstraintSet()])
    with pytest.raises(ModelError, match="has no token"):
        generate(model, letters, "")
    assert generate(model, letters, []) == []


def test_settings_of_the_graph_can_be_taken_whole(model: Any, letters: Any) -> None:
    config = DecodingConfig(beams=3, returned=2, max_new_tokens=4)
    assert len(generate(model, letters, "a", settings=config)) == 2


def test_logits_that_are_no_numbers_are_named(letters: Any) -> None:
    broken = build_causal("gpt2", vocab=len(letters), seed=2)
    broken.lm_head.weight.fill_(float("nan"))
    with pytest.raises(ModelError, match="no usable logits for prompt 0, beam 0"):
        generate(broken, letters, "a")
