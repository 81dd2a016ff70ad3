from __future__ import annotations

import inspect
import logging
from typing import Any

import pytest
import torch
from transformers import MambaConfig, MambaForCausalLM

from kgbuild.core.config import DecodingConfig
from kgbuild.core.errors import ModelError
from kgbuild.decoding import AnyOf, ConstraintSet, beam_search
from kgbuild.decoding.plain_runner import PlainRunner
from kgbuild.decoding.runner import EncodedPrompt, Runner, hold_still, open_runner
from kgbuild.decoding.shared_runner import SharedRunner, can_share
from tests.decoding.families import (
    CAUSAL,
    OWN_ATTENTION,
    SEQ2SEQ,
    build_causal,
    build_seq2seq,
)

CONFIG = DecodingConfig(beams=2, max_new_tokens=3)
SHORT = (1, 2, 3, 4, 5, 6, 7, 8, 1)
LONG = (1, 2, 3, 4, 5, 6, 7, 8, 2, 3, 4)
OTHER = (8, 7, 5)


def read_afresh(model: Any, tokens: tuple[int, ...]) -> torch.Tensor:
    return model(torch.tensor([tokens])).logits[0, -1]  # type: ignore[no-any-return]


def follow_rows(model: Any, runner: Runner) -> float:
    """Move rows about, let a prompt join, and give the largest difference to reading afresh."""
    found: list[tuple[torch.Tensor, tuple[int, ...]]] = []
    with runner:
        first = runner.admit([EncodedPrompt(SHORT, 8), EncodedPrompt(LONG, 8)])
        found += zip(first, (SHORT, LONG), strict=True)
        runner.advance([1, 1, 0], [5, 6, 7])
        texts = [(*SHORT, 7, 3), (*LONG, 5, 4)]
        if runner.can_join:
            joined = runner.admit([EncodedPrompt(OTHER)])
            found.append((joined[0], OTHER))
            moved = runner.advance([2, 0, 3, 3], [3, 4, 5, 6])
            texts += [(*OTHER, 5), (*OTHER, 6)]
        else:
            moved = runner.advance([2, 0], [3, 4])
        found += zip(moved, texts, strict=True)
        # From here on the first prompt has no row left, and the others' come in another order.
        rows = list(range(len(texts)))[:0:-1]
        for step in range(12):
            moved = runner.advance(rows, [1 + step % 8] * len(rows))
            texts = [(*texts[row], 1 + step % 8) for row in rows]
            rows = list(range(len(texts)))
        found += zip(moved, texts, strict=True)
    return max(float((row - read_afresh(model, text)).abs().max()) for row, text in found)


@pytest.mark.parametrize("family", CAUSAL)
def test_moved_rows_go_on_as_if_read_afresh(family: str) -> None:
    model = build_causal(family, vocab=9, seed=1)
    with hold_still(model):
        assert can_share(model, longest=40) is (family not in OWN_ATTENTION)
        assert follow_rows(model, open_runner(model, longest=40)) < 1e-3
        assert follow_rows(model, PlainRunner(model)) < 1e-3
    assert model.config._attn_implementation != "kgbuild_shared"


def test_a_text_longer_than_a_sliding_window_is_read_with_it() -> None:
    model = build_causal("mistral", vocab=9, seed=1, sliding_window=6)
    with hold_still(model):
        assert not can_share(model, longest=40)
        assert follow_rows(model, open_runner(model, longest=40)) < 1e-3


def test_bfloat16_rows_go_on_nearly_as_if_read_afresh() -> None:
    model = build_causal("llama", vocab=9, seed=1).to(torch.bfloat16)
    with hold_still(model):
        assert can_share(model, longest=40)
        assert follow_rows(model, SharedRunner(model)) < 0.5


def test_a_branch_leaves_its_origin_where_it_is() -> None:
    model = build_causal("llama", vocab=9, seed=1)
    for kind in (SharedRunner, PlainRunner):
        with hold_still(model), kind(model) as runner:
            runner.admit([EncodedPrompt(SHORT), EncodedPrompt(LONG)])
            runner.advance([0, 1, 1], [5, 6, 7])
            branch = runner.branch([2, 0])
            branch.advance([0, 0, 1], [1, 2, 3])
            ahead = branch.advance([0, 2], [4, 4])
            stayed = runner.advance([0, 1, 2], [8, 8, 8])
        texts = [(*LONG, 7, 1, 4), (*SHORT, 5, 3, 4)]
        texts += [(*SHORT, 5, 8), (*LONG, 6, 8), (*LONG, 7, 8)]
        for row, text in zip((*ahead, *stayed), texts, strict=True):
            torch.testing.assert_close(row, read_afresh(model, text), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("family", CAUSAL)
def test_a_row_that_peeked_goes_on_as_if_it_had_not(family: str) -> None:
    model = build_causal(family, vocab=9, seed=1)
    for kind in (PlainRunner, SharedRunner):
        if kind is SharedRunner and family in OWN_ATTENTION:
            continue
        with hold_still(model), kind(model) as runner:
            runner.admit([EncodedPrompt(SHORT, 8), EncodedPrompt(LONG, 8)])
            seen = runner.peek([0, 1, 1], [[5, 1, 2], [6, 3, 3], [7, 4, 1]])
            again = runner.peek([2, 0], [[8, 8, 7], [3, 2, 1]])
            after = runner.advance([1, 0], [4, 5])
        for row, text in zip(seen, ((*SHORT, 5), (*LONG, 6), (*LONG, 7)), strict=True):
            torch.testing.assert_close(row[0], read_afresh(model, text), atol=1e-3, rtol=1e-3)
        for row, text in zip(again, ((*LONG, 7, 8, 8, 7), (*SHORT, 5, 3, 2, 1)), strict=True):
            torch.testing.assert_close(row[2], read_afresh(model, text), atol=1e-3, rtol=1e-3)
        for row, text in zip(after, ((*SHORT, 5, 3, 4), (*LONG, 7, 8, 5)), strict=True):
            torch.testing.assert_close(row, read_afresh(model, text), atol=1e-3, rtol=1e-3)


def test_a_cache_that_cannot_forget_is_not_peeked_with() -> None:
    model = build_causal("mistral", vocab=9, seed=1, sliding_window=6)
    with hold_still(model), PlainRunner(model) as runner:
        runner.admit([EncodedPrompt(SHORT)])
        with pytest.raises(ModelError, match="lookahead_by=greedy"):
            runner.peek([0], [[1, 2]])


# Each of these was an error of some decoder once; the check above has to see it.
@pytest.mark.parametrize("mutation", ["rows stay", "positions", "padding"])
def test_the_check_of_moved_rows_sees_a_mutation(
    mutation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Rotary positions are relative: only a model with absolute ones sees that all are shifted.
    model = build_causal("gpt2", vocab=9, seed=1)
    with hold_still(model):
        can_share(model, longest=40)  # judged before it is broken
        if mutation == "rows stay":
            move = SharedRunner._move
            monkeypatch.setattr(
                SharedRunner, "_move", lambda self, parents, new: move(self, sorted(parents), new)
            )
        elif mutation == "positions":
            monkeypatch.setattr(
                SharedRunner, "_find_positions", lambda self: [self._columns] * len(self._groups)
            )
        else:
            monkeypatch.setattr(SharedRunner, "_hide", lambda self, hidden: None)
        assert follow_rows(model, SharedRunner(model)) > 1e-2


@pytest.mark.parametrize("family", SEQ2SEQ)
def test_an_encoder_decoders_rows_move_with_both_caches(family: str) -> None:
    model = build_seq2seq(family, vocab=12, seed=1)
    prompts = [(3, 4, 5, 0), (6, 7, 0)]
    with hold_still(model), open_runner(model, longest=20) as runner:
        first = runner.admit([EncodedPrompt(prompt) for prompt in prompts])
        runner.advance([1, 1, 0], [5, 6, 7])
        moved = runner.advance([2, 0], [8, 9])
        found = [(first[0], 0, []), (first[1], 1, []), (moved[0], 0, [7, 8]), (moved[1], 1, [5, 9])]
        with open_runner(model, longest=20) as peeking:
            peeking.admit([EncodedPrompt(prompt) for prompt in prompts])
            seen = peeking.peek([1, 0], [[5, 6, 7], [8, 9, 10]])
            after = peeking.advance([1, 0], [4, 3])
        found += [(seen[0][2], 1, [5, 6, 7]), (after[0], 0, [8, 4]), (after[1], 1, [5, 3])]
        for row, prompt, said in found:
            wanted = model(
                input_ids=torch.tensor([prompts[prompt]]),
                decoder_input_ids=torch.tensor([[1, *said]]),
            ).logits[0, -1]
            torch.testing.assert_close(row, wanted, atol=1e-4, rtol=1e-4)


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


def test_dropout_is_off_while_decoding_and_on_again_after(letters: Any, make_model: Any) -> None:
    model = make_model("gpt2", vocab=len(letters), seed=0).train()
    found = [
        beam_search(model, letters, ["ab"], [ConstraintSet()], settings=CONFIG) for _ in range(2)
    ]
    assert found[0] == found[1]
    assert model.training


class TestManyPrompts:
    """Prompts that wait their turn, join others, or do not fit."""

    prompts = ("a", "ab", "b c", "abc", "c", "ca b", "b", "a b c", "c c")
    sets = tuple(ConstraintSet((AnyOf((word,)),)) for word in ("b", "a", "ab", "q", "c") * 2)[:9]
    settings = DecodingConfig(beams=3, max_new_tokens=6, no_repeat_ngram=0)

    def search(self, model: Any, tokenizer: Any, **options: Any) -> list[list[Any]]:
        found = beam_search(
            model, tokenizer, self.prompts, self.sets, settings=self.settings, **options
        )
        return [
            [(one.token_ids, pytest.approx(one.log_probability, abs=1e-3)) for one in row]
            for row in found
        ]

    @pytest.mark.parametrize("kind", ["llama", "gpt2"])
    def test_the_answers_do_not_depend_on_who_is_under_way_together(
        self, kind: str, letters: Any, make_model: Any
    ) -> None:
        model = make_model(kind, vocab=len(letters), seed=3)
        together = self.search(model, letters)
        for at_once in (1, 2, 4):
            found = self.search(model, letters, at_once=at_once)
            assert found == together

    def test_a_prefix_each_reads_as_if_it_were_in_the_prompt(
        self, letters: Any, make_model: Any
    ) -> None:
        model = make_model("gpt2", vocab=len(letters), seed=3)
        lead = ["a b c a b c a b c ", "c b a c b a c b a ", ""]
        prefixes = [lead[place % 3] for place in range(len(self.prompts))]
        apart = self.search(model, letters, prefix=prefixes, at_once=4)
        whole = [p + q for p, q in zip(prefixes, self.prompts, strict=True)]
        found = beam_search(model, letters, whole, self.sets, settings=self.settings)
        assert apart == [[(one.token_ids, one.log_probability) for one in row] for row in found]

    def test_a_batch_too_large_for_memory_is_halved_and_nothing_is_lost(
        self,
        letters: Any,
        make_model: Any,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        model = make_model("llama", vocab=len(letters), seed=3)
        wanted = self.search(model, letters)
        forward = model.forward

        def small(*args: Any, **inputs: Any) -> Any:
            if inputs["input_ids"].shape[0] > 7:
                raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")
            return forward(*args, **inputs)

        small.__signature__ = inspect.signature(forward)  # type: ignore[attr-defined]
        monkeypatch.setattr(model, "forward", small)
        with caplog.at_level(logging.WARNING):
            assert self.search(model, letters, at_once=9) == wanted
        assert "do not fit into memory" in caplog.text

    def test_one_prompt_too_large_for_memory_is_an_error_with_a_way_out(
        self, letters: Any, make_model: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        model = make_model("llama", vocab=len(letters), seed=3)

        def none(*_: Any, **__: Any) -> Any:
            raise MemoryError

        monkeypatch.setattr(model, "forward", none)
        with pytest.raises(ModelError, match="use fewer beams"):
            self.search(model, letters)

    def test_other_errors_are_not_taken_for_a_lack_of_memory(
        self, letters: Any, make_model: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        model = make_model("llama", vocab=len(letters), seed=3)

        def broken(*_: Any, **__: Any) -> Any:
            raise RuntimeError("shape mismatch")

        monkeypatch.setattr(model, "forward", broken)
        with pytest.raises(RuntimeError, match="shape mismatch"):
            self.search(model, letters)
