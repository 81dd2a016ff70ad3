from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import MambaConfig, MambaForCausalLM, T5Config, T5ForConditionalGeneration

from kgbuild.core.config import DecodingConfig
from kgbuild.core.errors import ModelError
from kgbuild.decoding import ConstraintSet, beam_search
from kgbuild.decoding.runner import Runner, hold_still

CONFIG = DecodingConfig(beams=2, max_new_tokens=3)


def test_encoder_decoders_are_refused(letters: Any) -> None:
    model = T5ForConditionalGeneration(
        T5Config(vocab_size=len(letters), d_model=8, d_ff=8, d_kv=4, num_layers=1, num_heads=2)
    )
    with pytest.raises(ModelError, match="encoder-decoder"):
        beam_search(model, letters, ["a"], [ConstraintSet()], settings=CONFIG)


def test_models_without_a_movable_cache_are_refused(letters: Any) -> None:
    model = MambaForCausalLM(
        MambaConfig(vocab_size=len(letters), hidden_size=8, state_size=4, num_hidden_layers=1)
    )
    with pytest.raises(ModelError, match="rows cannot be moved"):
        beam_search(model, letters, ["a"], [ConstraintSet()], settings=CONFIG)


def test_an_empty_prompt_is_refused(letters: Any, make_model: Any) -> None:
    model = make_model("llama", vocab=len(letters), seed=0)
    with pytest.raises(ModelError, match="has no token"):
        beam_search(model, letters, [""], [ConstraintSet()], settings=CONFIG)


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_moved_rows_go_on_as_if_read_afresh(kind: str, make_model: Any) -> None:
    model = make_model(kind, vocab=9, seed=1)
    rows = [[1, 2, 3, 4, 5, 6, 7, 8, 1], [1, 2, 3, 4, 5, 6, 7, 8, 2, 3, 4]]
    with hold_still(model):
        runner = Runner(model)
        runner.prefill(rows)
        runner.advance([1, 1, 0], [5, 6, 7])
        logits = runner.advance([2, 0], [3, 4])
        for row, read in zip(logits, ([*rows[0], 7, 3], [*rows[1], 5, 4]), strict=True):
            wanted = model(torch.tensor([read])).logits[0, -1]
            torch.testing.assert_close(row, wanted, atol=1e-4, rtol=1e-4)


def test_dropout_is_off_while_decoding_and_on_again_after(letters: Any, make_model: Any) -> None:
    model = make_model("gpt2", vocab=len(letters), seed=0).train()
    found = [
        beam_search(model, letters, ["ab"], [ConstraintSet()], settings=CONFIG) for _ in range(2)
    ]
    assert found[0] == found[1]
    assert model.training
