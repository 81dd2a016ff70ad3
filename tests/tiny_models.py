"""Models of two random layers on disk: real code, no real weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def train_tokenizer(texts: Sequence[str]) -> Any:
    """Make a byte-level BPE tokenizer that knows the words of some texts."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=["<end>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<end>")


def make_language_model(folder: Path, *, texts: Sequence[str]) -> Path:
    """Save a causal language model and its tokenizer."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = train_tokenizer(texts)
    tokenizer.save_pretrained(folder)
    with torch.random.fork_rng(devices=[]):
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


def make_encoder(folder: Path, *, texts: Sequence[str]) -> Path:
    """Save a sentence encoder with a word tokenizer."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    words = sorted({word for text in texts for word in text.split()})
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    tokenizer = BertTokenizerFast(vocab=str(folder / "vocab.txt"))
    tokenizer.save_pretrained(folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = BertModel(
            BertConfig(
                vocab_size=len(vocabulary),
                hidden_size=32,
                num_hidden_layers=2,
                num_attention_heads=2,
                intermediate_size=64,
                max_position_embeddings=64,
                initializer_range=0.2,
            )
        )
    model.save_pretrained(folder)
    return folder
