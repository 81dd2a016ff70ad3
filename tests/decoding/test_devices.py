"""On a graphics card: every tensor is made where the model is, whatever is done with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from kgbuild.decoding import generate, score_completions
from kgbuild.decoding.shared_runner import can_share
from kgbuild.teacher.judge import judge_sentences
from tests.decoding.families import CAUSAL, OWN_ATTENTION, SEQ2SEQ, build_causal, build_seq2seq
from tests.decoding.pretend_card import CARD, PretendCard
from tests.tiny_models import train_tokenizer

PROMPTS = ["a bird", "the cat sat on"]
TEXTS = ["a bird can fly high yes no", "the cat sat on a mat yes no"] * 3


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return train_tokenizer(TEXTS)


@pytest.fixture
def card(tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[PretendCard]:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device=None: (2**30, 2**31))
    with PretendCard(values=len(tokenizer)) as card:
        yield card


@pytest.mark.parametrize("family", [*CAUSAL, *SEQ2SEQ])
def test_beams_of_every_family_stay_on_the_card(
    card: PretendCard, tokenizer: Any, family: str
) -> None:
    build = build_causal if family in CAUSAL else build_seq2seq
    model = build(family, vocab=len(tokenizer)).to(CARD)
    # A runner that failed there would leave its work to the plain one, and tell nobody.
    assert can_share(model, longest=40) == (family in CAUSAL and family not in OWN_ATTENTION)
    found = generate(model, tokenizer, PROMPTS, require=["fly"], ban=["mat"], max_new_tokens=6)
    assert [len(one) for one in found] == [1, 1]
    assert card.reads >= 6, "the host chooses from what it reads at every step"


@pytest.mark.parametrize(
    "settings",
    [
        {"method": "sample"},
        {"lookahead": 2, "lookahead_by": "greedy"},
        {"lookahead": 2, "lookahead_by": "sample"},
        {"lookahead": 2, "lookahead_by": "beam", "lookahead_beams": 2},
        {"lookahead": 2, "lookahead_by": "draft"},
        {"at_once": 1},
        {"prefix": "a bird can fly\n"},
    ],
    ids=str,
)
def test_other_ways_of_decoding_stay_on_the_card(
    card: PretendCard, tokenizer: Any, settings: dict[str, Any]
) -> None:
    model = build_causal("llama", vocab=len(tokenizer)).to(CARD)
    found = generate(model, tokenizer, PROMPTS, require=["fly"], max_new_tokens=5, **settings)
    assert len(found) == len(PROMPTS)
    assert card.reads


def test_scoring_and_judging_stay_on_the_card(card: PretendCard, tokenizer: Any) -> None:
    model = build_causal("llama", vocab=len(tokenizer)).to(CARD)
    scores = score_completions(
        model, tokenizer, PROMPTS, [" fly", " a mat"], prefix="", batch_size=2
    )
    assert len(scores) == 2
    odds = list(
        judge_sentences(
            model, tokenizer, ["a bird can fly", "a mat"], prompt="yes no {sentence}", is_chat=False
        )
    )
    assert len(odds) == 2
    assert card.reads


def test_the_pretend_card_refuses_what_a_real_one_would(card: PretendCard) -> None:
    there, here = torch.zeros(3, device=CARD), torch.zeros(3)
    assert (there + there).device.type == "cuda"
    with pytest.raises(RuntimeError, match="device"):
        there + here
