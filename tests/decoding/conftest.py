"""Tiny models and tokenizers built here, and a judge of texts of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from kgbuild.decoding import AnyOf, Clause, ConstraintSet, Count, EndsWith, Not, StartsWith


def build_tokenizer(pieces: Sequence[str]) -> Any:
    """Make a byte-level BPE tokenizer whose vocabulary is an end token and these pieces."""
    shown = [piece.replace(" ", "Ġ").replace("\n", "Ċ") for piece in pieces]
    vocabulary = {token: index for index, token in enumerate(["<end>", *shown])}
    merges = [
        (token[:cut], token[cut:])
        for token in shown
        for cut in range(1, len(token))
        if token[:cut] in vocabulary and token[cut:] in vocabulary
    ]
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<end>")


def build_model(kind: str, *, vocab: int, seed: int) -> Any:
    """Make a random two-layer model whose next-token distributions are far from flat."""
    torch.manual_seed(seed)
    common = {"vocab_size": vocab, "bos_token_id": None, "eos_token_id": 0, "pad_token_id": None}
    if kind == "llama":
        model: Any = LlamaForCausalLM(
            LlamaConfig(
                hidden_size=16,
                intermediate_size=32,
                num_hidden_layers=2,
                num_attention_heads=4,
                num_key_value_heads=2,
                max_position_embeddings=256,
                initializer_range=0.4,
                **common,
            )
        )
    else:
        model = GPT2LMHeadModel(
            GPT2Config(
                n_embd=16,
                n_layer=2,
                n_head=2,
                n_positions=256,
                initializer_range=0.4,
                **common,
            )
        )
    return model.eval().requires_grad_(False)


def write_pattern(phrase: str, boundary: str) -> str:
    """Give the regular expression of a phrase."""
    core = re.escape(phrase)
    if boundary == "word":
        core = (r"(?<!\w)" if re.match(r"\w", phrase) else "") + core
        core += r"(?!\w)" if re.search(r"\w$", phrase) else ""
    return core


def find_spans(text: str, phrase: str, boundary: str, case: str = "ignore") -> int:
    """Count occurrences by regular expression, overlaps included."""
    text, phrase = (" ".join(part.split()) for part in (text, phrase))
    if case == "ignore":
        text, phrase = text.casefold(), phrase.casefold()
    return len(re.findall(f"(?={write_pattern(phrase, boundary)})", text))


def judge_text(text: str, constraints: ConstraintSet) -> tuple[tuple[int, ...], bool, bool]:
    """Give the clauses met, whether the text may stand, and whether it is long enough."""
    met: list[int] = []
    is_lawful = True
    for index, clause in enumerate(constraints.clauses):

        def has(phrase: str, clause: Any = clause) -> int:
            return find_spans(text, phrase, clause.boundary, clause.case)

        if isinstance(clause, AnyOf):
            is_met = any(map(has, clause.phrases))
        elif isinstance(clause, Not):
            is_met = not has(clause.phrase)
            is_lawful &= is_met
        elif isinstance(clause, Count):
            distinct = {" ".join(phrase.split()) for phrase in clause.phrases}
            if clause.case == "ignore":
                distinct = {phrase.casefold() for phrase in distinct}
            count = sum(map(has, distinct))
            is_lawful &= clause.max is None or count <= clause.max
            is_met = count >= clause.min
        elif isinstance(clause, Clause):
            is_met = any(map(has, clause.positive)) or not all(map(has, clause.negative))
            is_lawful &= is_met or bool(clause.positive)
        else:
            assert isinstance(clause, StartsWith | EndsWith)
            fold = str.casefold if clause.case == "ignore" else str
            said, phrases = fold(text.strip()), [fold(phrase) for phrase in clause.phrases]
            patterns = [write_pattern(phrase, clause.boundary) for phrase in phrases]
            if isinstance(clause, EndsWith):
                is_met = any(re.search(f"{pattern}$", said) for pattern in patterns)
            else:
                is_met = any(re.match(pattern, said) for pattern in patterns)
                # A text that ran out of tokens may still be on its way.
                is_lawful &= is_met or any(phrase.startswith(said) for phrase in phrases)
        if is_met:
            met.append(index)
    words = len(text.split())
    is_lawful &= constraints.max_words is None or words <= constraints.max_words
    return tuple(met), is_lawful, words >= (constraints.min_words or 0)


@pytest.fixture(scope="session")
def make_tokenizer() -> Callable[..., Any]:
    return build_tokenizer


@pytest.fixture(scope="session")
def make_model() -> Callable[..., Any]:
    return build_model


@pytest.fixture(scope="session")
def judge() -> Callable[..., tuple[tuple[int, ...], bool, bool]]:
    return judge_text


@pytest.fixture(scope="session")
def letters(make_tokenizer: Callable[..., Any]) -> Any:
    """Letters, a space, a few joined pieces, two bytes of a character, ends."""
    pieces = ["a", "b", "c", " ", " a", " b", "ab", " ab", "ca", "A", "-", ".", "\n", "a\n"]
    return make_tokenizer([*pieces, "Ã", "©", "q", " q", "abc"])
