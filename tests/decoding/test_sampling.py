from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kgbuild.core.config import DecodingConfig
from kgbuild.decoding import AnyOf, ConstraintSet, Count, Not, StartsWith, sample

CONFIG = DecodingConfig(
    max_new_tokens=10,
    no_repeat_ngram=0,
    returned=5,
    temperature=1.0,
    top_p=1.0,
    ends=(".",),
    end_floor=-100.0,
)
SETS = [
    ConstraintSet((AnyOf(("q", "ab c")), Not("a"))),
    ConstraintSet((StartsWith(("b",)), Not("ca"), Count(("c",), max=1)), max_words=4),
    ConstraintSet((Not("b", boundary="none"),), min_words=2),
]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), top_p=st.sampled_from([0.5, 0.9, 1.0]))
def test_samples_keep_bans_and_meet_clauses(
    seed: int, top_p: float, letters: Any, make_model: Any, judge: Any
) -> None:
    model = make_model("llama", vocab=len(letters), seed=seed % 7)
    config = CONFIG.model_copy(update={"top_p": top_p})
    generator = torch.Generator().manual_seed(seed)
    found = sample(model, letters, ["ab", "b a", "q"], SETS, settings=config, generator=generator)
    for group, constraints in zip(found, SETS, strict=True):
        assert group
        for hypothesis in group:
            met, is_lawful, is_long = judge(hypothesis.text, constraints)
            assert is_lawful
            assert hypothesis.met == met
            assert is_long or not hypothesis.is_ended
            assert not hypothesis.unmet or not hypothesis.is_ended


def test_a_wanted_phrase_comes_in_before_the_budget_runs_out(letters: Any, make_model: Any) -> None:
    sets = [ConstraintSet((AnyOf(("q b", "q q q")), AnyOf(("ca",))))] * 2
    for seed in range(6):
        model = make_model("gpt2", vocab=len(letters), seed=seed)
        found = sample(
            model,
            letters,
            ["ab", "b a"],
            sets,
            settings=CONFIG,
            generator=torch.Generator().manual_seed(seed),
        )
        assert all(not hypothesis.unmet for group in found for hypothesis in group)


def test_the_same_generator_gives_the_same_samples(letters: Any, make_model: Any) -> None:
    model = make_model("llama", vocab=len(letters), seed=1)
    runs = [
        sample(
            model,
            letters,
            ["ab"],
            SETS[:1],
            settings=CONFIG,
            generator=torch.Generator().manual_seed(3),
        )
        for _ in range(2)
    ]
    assert runs[0] == runs[1]


def test_samples_follow_the_model_when_nothing_is_asked(
    make_tokenizer: Any, make_model: Any
) -> None:
    tokenizer = make_tokenizer(list("abcd"))
    model = make_model("llama", vocab=5, seed=2)
    config = CONFIG.model_copy(
        update={"max_new_tokens": 1, "returned": 2500, "ends": (), "min_new_tokens": 0}
    )
    found = sample(
        model,
        tokenizer,
        ["a"],
        [ConstraintSet()],
        settings=config,
        generator=torch.Generator().manual_seed(0),
    )[0]
    wanted = model(torch.tensor([tokenizer("a")["input_ids"]])).logits[0, -1].softmax(-1)
    for token in range(5):
        share = sum(hypothesis.token_ids == (token,) for hypothesis in found) / len(found)
        assert share == pytest.approx(float(wanted[token]), abs=0.03)


def test_log_probabilities_are_the_models_own(letters: Any, make_model: Any) -> None:
    model = make_model("gpt2", vocab=len(letters), seed=4)
    config = CONFIG.model_copy(update={"temperature": 0.7, "top_p": 0.8})
    found = sample(
        model,
        letters,
        ["ab ca", "b"],
        SETS[:2],
        settings=config,
        generator=torch.Generator().manual_seed(1),
    )
    for prompt, group in zip(["ab ca", "b"], found, strict=True):
        for hypothesis in group:
            start = letters(prompt)["input_ids"]
            ids = torch.tensor([[*start, *hypothesis.token_ids]])
            logp = model(ids).logits.log_softmax(-1)[0, len(start) - 1 : -1]
            total = float(logp.gather(1, ids[0, len(start) :, None]).sum())
            assert hypothesis.log_probability == pytest.approx(total, abs=2e-3)


def test_a_text_that_only_a_length_bound_ends_counts_as_cut_off(
    make_tokenizer: Any, make_model: Any
) -> None:
    tokenizer = make_tokenizer(["a", "b", " a", " b", "."])
    model = make_model("gpt2", vocab=len(tokenizer), seed=0)
    short = ConstraintSet(max_words=1)

    def ends(floor: float) -> list[bool]:
        config = CONFIG.model_copy(update={"end_floor": floor, "max_new_tokens": 4})
        generator = torch.Generator().manual_seed(1)
        return [
            one.is_ended
            for one in sample(
                model, tokenizer, ["a"], [short], settings=config, generator=generator
            )[0]
        ]

    assert any(ends(-100.0))
    assert not any(ends(0.0)), "no end is certain, so none counts"
