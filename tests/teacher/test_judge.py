"""The judge reads a sentence as text, in order, the same in any batch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from kgbuild.core.errors import ModelError
from kgbuild.teacher.judge import judge_sentences

PROMPT = "Is it good? Yes or No: {sentence}"
SENTENCES = ["good", "it is good", "is it no good it is", "it", "yes is no"] * 3


class WordTokenizer:
    """One token a word; enough of a tokenizer for the judge."""

    chat_template: str | None = "{{ messages }}"

    def __init__(self) -> None:
        words = "<u> Yes yes No no Is it good? or No: good is [END] it".split()
        self.ids = {word: place for place, word in enumerate(words)}

    def __call__(self, text: str, **_: Any) -> dict[str, list[int]]:
        known = [[self.ids[word]] if word in self.ids else [0, 0] for word in text.split()]
        return {"input_ids": [place for pair in known for place in pair]}

    def apply_chat_template(self, messages: list[dict[str, str]], **_: Any) -> str:
        return f"{messages[0]['content']} [END]"


@pytest.fixture(scope="module")
def model() -> LlamaForCausalLM:
    torch.manual_seed(3)
    config = LlamaConfig(
        vocab_size=14,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        initializer_range=1.0,
    )
    return LlamaForCausalLM(config).eval()


def test_batched_odds_equal_those_of_the_whole_text_read_alone(model: LlamaForCausalLM) -> None:
    tokenizer = WordTokenizer()
    odds = list(judge_sentences(model, tokenizer, SENTENCES, prompt=PROMPT, batch_size=4))
    for sentence, odd in zip(SENTENCES, odds, strict=True):
        text = PROMPT.replace("{sentence}", sentence) + " [END]"
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([tokenizer(text)["input_ids"]])).logits[0, -1]
        yes, no = logits[[1, 2]].logsumexp(0), logits[[3, 4]].logsumexp(0)
        assert odd == pytest.approx(float(torch.sigmoid(yes - no)), abs=1e-4)
    assert len(set(odds)) == 5


def test_a_plain_prompt_is_gone_on_from_without_a_template(model: LlamaForCausalLM) -> None:
    tokenizer = WordTokenizer()
    tokenizer.chat_template = None
    odds = list(
        judge_sentences(model, tokenizer, SENTENCES, prompt=PROMPT, is_chat=False, batch_size=4)
    )
    for sentence, odd in zip(SENTENCES, odds, strict=True):
        text = PROMPT.replace("{sentence}", sentence)
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([tokenizer(text)["input_ids"]])).logits[0, -1]
        yes, no = logits[[1, 2]].logsumexp(0), logits[[3, 4]].logsumexp(0)
        assert odd == pytest.approx(float(torch.sigmoid(yes - no)), abs=1e-4)


def test_a_prompt_without_a_place_and_a_base_model_are_refused(model: LlamaForCausalLM) -> None:
    tokenizer = WordTokenizer()
    with pytest.raises(ModelError, match="sentence"):
        list(judge_sentences(model, tokenizer, ["it"], prompt="Good?"))
    tokenizer.chat_template = None
    with pytest.raises(ModelError, match="chat template"):
        list(judge_sentences(model, tokenizer, ["it"], prompt=PROMPT))
