"""Ways ahead against a model whose every probability is written down, and against all strings."""

from __future__ import annotations

import itertools
import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import DynamicCache

from kgbuild.core.config import DecodingConfig
from kgbuild.decoding import AnyOf, ConstraintSet, Vocabulary, beam_search, compile_clauses
from kgbuild.decoding.batching import Move
from kgbuild.decoding.candidates import Blocked
from kgbuild.decoding.lookahead import Lookout
from kgbuild.decoding.plain_runner import PlainRunner
from kgbuild.decoding.proposals import Proposals
from kgbuild.decoding.rollout import roll_out
from kgbuild.decoding.runner import encode_prompts, hold_still, open_runner
from tests.decoding.families import build_causal

SETTINGS = DecodingConfig(
    beams=2,
    max_new_tokens=4,
    no_repeat_ngram=0,
    is_diverse=False,
    end_floor=-100.0,
    returned=1,
    lookahead=2,
    lookahead_beams=2,
    lookahead_weight=1.0,
)
# What follows which word, in percent. After x, the likelier word leads away from q and the other
# one to it; after y, no word does, but q itself is a little likelier.
SAID = {
    "s": {"x": 40, "y": 45, "z": 10, "q": 1, "d": 2, "e": 2},
    "x": {"x": 1, "y": 1, "z": 1, "q": 1, "d": 55, "e": 41},
    "y": {"x": 1, "y": 1, "z": 1, "q": 4, "d": 60, "e": 1, "s": 32},
    "e": {"q": 90, "x": 2, "y": 2, "z": 2, "d": 2, "e": 2},
    "q": {".": 90, "z": 10},
    ".": {"q": 100},
}
OTHERWISE = {"z": 50, "d": 30, ".": 16, "q": 2, "x": 2}


class ScriptedModel(torch.nn.Module):
    """A language model that looks at the last word only; its cache holds nothing of worth."""

    def __init__(self, tokenizer: Any, said: dict[str, dict[str, float]]) -> None:
        super().__init__()
        self.config = SimpleNamespace(eos_token_id=0)
        ids = read_words(tokenizer)
        table = torch.full((len(tokenizer), len(tokenizer)), 1e-6)
        for word, token in ids.items():
            for after, percent in said.get(word, OTHERWISE).items():
                table[token, ids[after]] = percent / 100
        self.table = torch.nn.Parameter(table.log(), requires_grad=False)

    def forward(
        self, input_ids: torch.Tensor, past_key_values: Any = None, **_: Any
    ) -> SimpleNamespace:
        cache = past_key_values if past_key_values is not None else DynamicCache()
        cache.update(*[torch.zeros((*input_ids.shape, 1))[:, None]] * 2, 0)
        return SimpleNamespace(logits=self.table[input_ids], past_key_values=cache)


def read_words(tokenizer: Any) -> dict[str, int]:
    found = {word: tokenizer.encode(" " + word)[0] for word in "sxyzqde"}
    return {**found, ".": tokenizer.encode(".")[0]}


@pytest.fixture(scope="module")
def words(make_tokenizer: Any) -> Any:
    return make_tokenizer([*(" " + word for word in "sxyzqde"), *"sxyzqde", " ", "."])


def hope(words: Any, *, said: dict[str, dict[str, float]], **changes: Any) -> list[float]:
    """Give how much is hoped for after "s x" and after "s y"."""
    settings = SETTINGS.model_copy(update=changes)
    model, ids = ScriptedModel(words, said), read_words(words)
    vocabulary = Vocabulary.of(words, ends=(".",))
    compiled = compile_clauses(ConstraintSet((AnyOf(("q",)),)), vocabulary)
    wanted = Proposals.of(compiled).list_ways(compiled.start)
    lookout = Lookout(settings=settings, blocked=Blocked.of(vocabulary))
    with hold_still(model), PlainRunner(model) as runner:
        runner.admit(encode_prompts(words, [" s"]))
        lookout.advance(runner, [Move(0, ids[word], wanted=wanted) for word in "xy"])
    return [lookout.hopes[row] for row in range(2)]


def test_a_beam_sees_the_phrase_behind_the_second_likeliest_word(words: Any) -> None:
    greedy, beam = (hope(words, said=SAID, lookahead_by=by) for by in ("greedy", "beam"))
    assert greedy == pytest.approx([math.log(0.02), math.log(0.04)], abs=1e-3)
    assert beam == pytest.approx([math.log(0.90), math.log(0.04)], abs=1e-3)


def test_what_only_a_beam_sees_decides_which_text_is_found(words: Any) -> None:
    model = ScriptedModel(words, SAID)
    sets = [ConstraintSet((AnyOf(("q",)),))]

    def write(by: str) -> tuple[str, float]:
        settings = SETTINGS.model_copy(update={"lookahead_by": by})
        ((found,),) = beam_search(model, words, [" s"], sets, settings=settings)
        assert found.met == (0,)
        return found.text, found.log_probability

    best = math.log(0.40 * 0.41 * 0.90 * 0.90)
    assert write("beam") == ("x e q", pytest.approx(best, abs=1e-3))
    text, score = write("greedy")
    assert text != "x e q"
    assert score < best - 1


# An end is likeliest everywhere, and q would stand behind it.
ENDING = {
    **{word: {".": 90, **{w: share / 10 for w, share in SAID[word].items()}} for word in "sxye"},
    "d": {".": 90, "z": 9, "q": 1},
    "z": {".": 98, "z": 2},
    ".": {"q": 100},
}


@pytest.mark.parametrize("by", ["greedy", "sample", "beam"])
def test_nothing_is_hoped_for_behind_the_end_of_the_text(by: str, words: Any) -> None:
    hopes = hope(words, said=ENDING, lookahead_by=by, lookahead=3)
    assert all(one < math.log(0.5) for one in hopes)


def test_a_draft_holds_no_end(words: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    drafts: list[tuple[int, ...]] = []
    peek = PlainRunner.peek

    def note(self: PlainRunner, parents: Any, tokens: Any) -> torch.Tensor:
        drafts.extend(tuple(row) for row in tokens if len(row) > 1)
        return peek(self, parents, tokens)

    monkeypatch.setattr(PlainRunner, "peek", note)
    settings = SETTINGS.model_copy(update={"lookahead_by": "draft", "lookahead": 3})
    sets = [ConstraintSet((AnyOf(("q",)),))]
    beam_search(ScriptedModel(words, ENDING), words, [" s"], sets, settings=settings)
    assert any(len(draft) == 2 for draft in drafts)
    assert all(read_words(words)["."] not in draft for draft in drafts)


def peek_ahead(letters: Any, model: Any, **changes: Any) -> torch.Tensor:
    settings = SETTINGS.model_copy(update={"lookahead": 3, **changes})
    with hold_still(model), open_runner(model, longest=20) as runner:
        runner.admit(encode_prompts(letters, ["ab", "c a b"]))
        logits = runner.advance([1, 0, 1], [3, 5, 6])
        return roll_out(
            runner.branch(range(3)),
            logits,
            settings=settings,
            closed=torch.cat(Blocked.of(Vocabulary.of(letters)).find(len(letters), logits.device)),
            generator=torch.Generator().manual_seed(0),
        )


@pytest.mark.parametrize("kind", ["llama", "gpt2", "bloom"])
def test_a_beam_of_one_path_is_the_greedy_one(kind: str, letters: Any) -> None:
    model = build_causal(kind, vocab=len(letters), seed=3)
    greedy = peek_ahead(letters, model, lookahead_by="greedy")
    beam = peek_ahead(letters, model, lookahead_by="beam", lookahead_beams=1)
    assert greedy.shape == (3, 1, 3, len(letters))
    torch.testing.assert_close(beam, greedy)


@pytest.mark.parametrize("kind", ["llama", "gpt2", "bloom"])
def test_the_paths_are_the_likeliest_of_all_strings(kind: str, letters: Any) -> None:
    """A beam as wide as the vocabulary loses nothing within two tokens."""
    model = build_causal(kind, vocab=len(letters), seed=3)
    vocabulary = Vocabulary.of(letters)
    wide = len(vocabulary.written_ids)
    found = peek_ahead(letters, model, lookahead_by="beam", lookahead_beams=wide)
    texts = [(*letters("c a b")["input_ids"], 3), (*letters("ab")["input_ids"], 5)]
    texts.append((*letters("c a b")["input_ids"], 6))
    for row, text in zip(found, texts, strict=True):
        pairs = list(itertools.product(vocabulary.written_ids, repeat=2))
        ids = torch.tensor([[*text, *pair] for pair in pairs])
        with torch.inference_mode():
            said = model(input_ids=ids).logits[:, len(text) - 1 :]  # (pairs, 3, vocab)
        likely = said.log_softmax(2)
        places = torch.arange(len(pairs))
        scores = sum(likely[places, at, ids[:, len(text) + at]] for at in range(2))
        best = scores.topk(wide).indices
        torch.testing.assert_close(row, said[best], atol=1e-3, rtol=1e-3)


# Each of these is an error that a roll-out could have: a check above has to see it.
@pytest.mark.parametrize(
    "mutation", ["rows stay", "first path only", "paths mix", "ends are taken"]
)
def test_the_checks_above_see_a_mutation(
    mutation: str, monkeypatch: pytest.MonkeyPatch, words: Any, letters: Any
) -> None:
    if mutation == "rows stay":
        advance = PlainRunner.advance

        def stay(self: PlainRunner, parents: Any, tokens: Any) -> torch.Tensor:
            rows = len(self._lengths)
            return advance(self, [place % rows for place in range(len(parents))], tokens)

        monkeypatch.setattr(PlainRunner, "advance", stay)
        with pytest.raises(AssertionError):
            test_the_paths_are_the_likeliest_of_all_strings("bloom", letters)
    elif mutation == "paths mix":
        stack = torch.stack  # here a path's second place would be read off another path

        def mix(found: list[torch.Tensor], dim: int) -> torch.Tensor:
            return stack([found[0], found[1].flip(0), *found[2:]], dim=dim)

        monkeypatch.setattr(torch, "stack", mix)
        with pytest.raises(AssertionError):
            test_the_paths_are_the_likeliest_of_all_strings("bloom", letters)
    elif mutation == "first path only":
        monkeypatch.setattr("kgbuild.decoding.rollout.count_paths", lambda settings: 1)
        with pytest.raises(AssertionError):
            test_a_beam_sees_the_phrase_behind_the_second_likeliest_word(words)
        with pytest.raises(AssertionError):
            test_what_only_a_beam_sees_decides_which_text_is_found(words)
    else:
        nothing = torch.zeros(0, dtype=torch.long)
        monkeypatch.setattr("kgbuild.decoding.lookahead._close", lambda *_: nothing)
        for by in ("greedy", "sample", "beam"):
            with pytest.raises(AssertionError):
                test_nothing_is_hoped_for_behind_the_end_of_the_text(by, words)
        with pytest.raises(AssertionError):
            test_a_draft_holds_no_end(words, monkeypatch)
