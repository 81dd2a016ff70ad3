"""Tiny random models of many families, as transformers builds them."""

from __future__ import annotations

from typing import Any

import torch
from transformers import CONFIG_MAPPING as CONFIGS
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

_SIZES: dict[str, Any] = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 128,
    "initializer_range": 0.4,
}
_GROUPED = {**_SIZES, "num_key_value_heads": 2}
_OPT = {"hidden_size": 16, "ffn_dim": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
_T5 = {"d_model": 16, "d_ff": 32, "d_kv": 8, "num_layers": 2, "num_heads": 2}
_BART = {
    "d_model": 16,
    "encoder_layers": 1,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "max_position_embeddings": 128,
    "init_std": 0.4,
}
# What attention is like, with the settings of the family.
CAUSAL: dict[str, dict[str, Any]] = {
    "llama": _GROUPED,  # rotary positions, grouped queries
    "gpt2": {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 128, "initializer_range": 0.4},
    "qwen2": _GROUPED,
    "qwen3": {**_GROUPED, "head_dim": 8},
    "mistral": {**_GROUPED, "sliding_window": 64},
    "gemma2": {**_GROUPED, "head_dim": 8, "sliding_window": 64},  # capped scores
    "gemma3_text": {**_GROUPED, "head_dim": 8, "sliding_window": 64},
    "opt": {**_OPT, "word_embed_proj_dim": 16, "max_position_embeddings": 128, "init_std": 0.4},
    "gpt_neox": _SIZES,
    "phi": _SIZES,
    "bloom": {"hidden_size": 16, "n_layer": 2, "n_head": 2, "initializer_range": 0.4},  # ALiBi
}
# Their attention is of their own make: run with transformers' cache.
OWN_ATTENTION = {"bloom"}
SEQ2SEQ: dict[str, dict[str, Any]] = {"t5": _T5, "bart": _BART}


def build_causal(family: str, *, vocab: int, seed: int = 0, **changes: Any) -> Any:
    """Make a random causal model of a family."""
    torch.manual_seed(seed)
    ids = {"bos_token_id": None, "eos_token_id": 0, "pad_token_id": None}
    config = CONFIGS[family](vocab_size=vocab, **(CAUSAL[family] | ids | changes))
    return AutoModelForCausalLM.from_config(config).eval().requires_grad_(False)


def build_seq2seq(family: str, *, vocab: int, seed: int = 0) -> Any:
    """Make a random encoder-decoder of a family."""
    torch.manual_seed(seed)
    ids = {"eos_token_id": 0, "pad_token_id": 1, "decoder_start_token_id": 1}
    if family == "bart":
        ids |= {"bos_token_id": 2, "forced_eos_token_id": None}
    config = CONFIGS[family](vocab_size=vocab, **(SEQ2SEQ[family] | ids))
    model = AutoModelForSeq2SeqLM.from_config(config).eval().requires_grad_(False)
    if family == "t5":  # as made, its logits are all but flat
        for weight in model.parameters():
            weight.mul_(1.5)
    return model
