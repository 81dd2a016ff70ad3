"""A random two-layer model on disk, and a corpus small enough to learn by heart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from kgbuild.core.config import StudentConfig
from kgbuild.core.ids import triple_id
from kgbuild.core.records import CorpusRow, Split
from kgbuild.core.relations import Relation, load_relations

FACTS = [
    ("PersonX bakes a cake", "xReact", "proud", Split.TRAIN),
    ("PersonX bakes a cake", "xWant", "to eat a slice", Split.TRAIN),
    ("PersonX loses a key", "xReact", "worried", Split.TRAIN),
    ("PersonX loses a key", "xWant", "to call a friend", Split.TRAIN),
    ("PersonX wins a race", "xReact", "thrilled", Split.TRAIN),
    ("PersonX wins a race", "xWant", "to show the medal", Split.TRAIN),
    ("PersonX bakes a pie", "xReact", "proud", Split.DEV),
    ("PersonX bakes a pie", "xReact", "content", Split.DEV),
    ("PersonX loses a coin", "xWant", "to call a friend", Split.TEST),
]


def make_row(head: str, relation: str, tail: str, split: Split) -> CorpusRow:
    return CorpusRow(
        triple_id=triple_id(head, relation, tail),
        head=head,
        relation=relation,
        tail=tail,
        kind="event",
        polarity="positive",
        sentence=f"{head}: {tail}",
        probability=0.9,
        log_probability=-2.0,
        mean_log_probability=-1.0,
        teacher="scripted",
        source="teacher",
        run="r",
        split=split,
    )


@pytest.fixture
def rows() -> list[CorpusRow]:
    return [make_row(*fact) for fact in FACTS]


@pytest.fixture(scope="session")
def relations() -> list[Relation]:
    return list(load_relations(["atomic2020.en"]))


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    tokenizer = build_tokenizer()
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=128,
            # Wide enough apart that an adapter alone can tell the frozen embeddings' words.
            initializer_range=0.3,
            # Dropout is on, so that a resume which loses the random state would show.
            attention_dropout=0.1,
            bos_token_id=None,
            eos_token_id=0,
            tie_word_embeddings=True,
        )
    )
    model.save_pretrained(folder)
    return folder


def build_tokenizer() -> Any:
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=["<end>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator([f"{head} {tail}" for head, _, tail, _ in FACTS], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<end>")


@pytest.fixture
def config() -> StudentConfig:
    return StudentConfig(
        method="full",
        epochs=40,
        batch_size=4,
        learning_rate=1e-2,
        save_steps=7,
        held_out_prompts=2,
    )
