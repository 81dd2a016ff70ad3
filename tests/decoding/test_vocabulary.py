from __future__ import annotations

from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from kgbuild.decoding import AnyOf, ConstraintSet, Vocabulary, compile_clauses
from kgbuild.decoding.proposals import Proposals


def test_ends_are_the_tokens_that_begin_with_one(letters: Any) -> None:
    vocabulary = Vocabulary.of(letters, ends=("\n", "."))
    assert {vocabulary.texts[token] for token in vocabulary.end_ids} == {"<end>", ".", "\n"}
    assert [vocabulary.texts[token] for token in vocabulary.blocked_ids] == ["a\n"]


def test_a_vocabulary_is_read_once(letters: Any) -> None:
    assert Vocabulary.of(letters, ends=(".",)) is Vocabulary.of(letters, ends=(".",))
    assert Vocabulary.of(letters, ends=(".",)) is not Vocabulary.of(letters, ends=())


def test_the_models_own_end_tokens_are_added(letters: Any) -> None:
    assert 3 in Vocabulary.of(letters, ends=(), eos_ids=(3,)).end_ids


@pytest.mark.parametrize("kind", ["metaspace", "words", "pieces"])
def test_other_tokenizers_are_read_with_their_spaces(kind: str) -> None:
    tokens = {"</s>": 0, "cat": 1, "x": 2, "s": 3, "<0xC3>": 4, "<0xA9>": 5, "<unk>": 6}
    if kind == "metaspace":
        tokens |= {"▁cat": 7, "▁": 8}
        backend = Tokenizer(models.BPE(vocab=tokens, merges=[], byte_fallback=True))
        backend.pre_tokenizer = pre_tokenizers.Metaspace()
        backend.decoder = decoders.Sequence(
            [
                decoders.Replace("▁", " "),
                decoders.ByteFallback(),
                decoders.Fuse(),
                decoders.Strip(" ", 1, 0),
            ]
        )
        wanted = {7: " cat", 3: "s"}
    elif kind == "words":
        backend = Tokenizer(models.WordLevel(vocab=tokens, unk_token="<unk>"))
        wanted = {1: " cat", 3: " s"}
    else:
        tokens |= {"##s": 7, "##é": 8}
        backend = Tokenizer(models.WordPiece(vocab=tokens, unk_token="<unk>"))
        backend.decoder = decoders.WordPiece(cleanup=False)
        wanted = {1: " cat", 7: "s", 8: "é"}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token="</s>", unk_token="<unk>"
    )
    vocabulary = Vocabulary.of(tokenizer)
    assert {token: vocabulary.texts[token] for token in wanted} == wanted
    assert vocabulary.read_text((1, 4, 5)).endswith("é")
    compiled = compile_clauses(ConstraintSet((AnyOf(("cat", "s")),)), vocabulary)
    assert Proposals.of(compiled).find(compiled.start)
