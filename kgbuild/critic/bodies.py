"""What reads the sentence: a sentence encoder, or a language model with a LoRA adapter."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from kgbuild.core.config import CriticConfig
from kgbuild.core.errors import ModelError
from kgbuild.core.files import read_json
from kgbuild.critic.rows import Batch
from kgbuild.decoding import Question, choose_dtype, load_base, quiet_loading, quiet_peft

# Over a few dozen tokens plain products beat the fused kernel (a sixth of a critic's time).
ATTENTION = "eager"


class EncoderBody(nn.Module):
    """A bidirectional encoder; a sentence is the mean of its tokens (Reimers & Gurevych 2019)."""

    is_causal = False
    asked = None

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.width = int(model.config.hidden_size)  # type: ignore[union-attr, arg-type]

    def forward(self, batch: Batch) -> torch.Tensor:
        """Give (N, width)."""
        mask = (torch.arange(batch.input_ids.shape[1]) < batch.widths.unsqueeze(1)).long()
        states = self.model(input_ids=batch.input_ids, attention_mask=mask).last_hidden_state
        weights = mask.unsqueeze(-1).to(torch.float32)
        # (groups, width), a group a sentence; the padding takes no part in the mean
        return cast(torch.Tensor, (states * weights).sum(1) / weights.sum(1))

    def fold(self) -> None:
        """Do nothing: the encoder's own weights were trained."""

    def hold(self, share: float) -> None:
        """Hold the word embeddings and the lowest layers still.

        Word embeddings are half of a small encoder, and a few thousand triples touch few of them.
        """
        held = list(self.model.embeddings.parameters())  # type: ignore[union-attr]
        layers = list(getattr(getattr(self.model, "encoder", None), "layer", []))
        for layer in layers[: round(len(layers) * share)]:
            held += list(layer.parameters())
        for parameter in held:
            parameter.requires_grad_(False)


class Asked:
    """What a language model has read and is about to say when a sentence follows its question.

    The question is read once, by the model as it came: an adapter only changes how the sentence
    is read. So a sentence costs its own tokens, in training too.

    Attributes:
        question: The tokens.
        direction: (width,) what turns a state into the odds of yes against no.
    """

    def __init__(self, model: Any, question: Question) -> None:
        self.question = question
        self.length = len(question.before)
        with torch.inference_mode():
            read = model.base_model(input_ids=torch.tensor([question.before]), use_cache=True)
        # Clones, since tensors of inference mode may not be part of a training step.
        self._layers = [
            (layer.keys.clone(), layer.values.clone()) for layer in read.past_key_values.layers
        ]
        words = model.get_output_embeddings().weight
        yes, no = (words[list(ids)].float().mean(0) for ids in (question.yes, question.no))
        self.direction = (yes - no).detach().clone()

    def repeat(self, rows: int) -> Any:
        """Give a cache that holds the question for some rows."""
        from transformers import DynamicCache

        cache = DynamicCache()
        for place, (keys, values) in enumerate(self._layers):
            cache.update(
                keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), layer_idx=place
            )
        return cache


class CausalBody(nn.Module):
    """A language model without its head; a sentence is the state of its last token.

    LoRA (Hu et al. 2021) in all linear layers but those of the lowest layers, which need no
    gradient then.
    """

    is_causal = True

    def __init__(self, model: Any, *, asked: Asked | None = None) -> None:
        super().__init__()
        self.model = model
        self.asked = asked
        self.width = int(model.config.hidden_size)

    def forward(self, batch: Batch) -> torch.Tensor:
        """Give (N, width)."""
        sees = _look_back(batch.until).unsqueeze(1)
        before = 0
        cache = None
        if self.asked is not None:
            before, cache = self.asked.length, self.asked.repeat(len(sees))
            sees = nn.functional.pad(sees, (before, 0), value=True)
        bias = torch.zeros(sees.shape, dtype=self.model.dtype)
        bias.masked_fill_(~sees, torch.finfo(bias.dtype).min)
        states = self.model(
            input_ids=batch.input_ids,
            position_ids=batch.positions + before,
            attention_mask=bias,
            past_key_values=cache,
            use_cache=cache is not None,
        ).last_hidden_state
        return cast(torch.Tensor, states[batch.group, batch.last]).float()

    def fold(self) -> None:
        """Add the adapter to the weights that it adapts; reading is a sixth faster then."""
        self.model.merge_adapter()


def _look_back(until: torch.Tensor) -> torch.Tensor:
    """Give (groups, W, W), whether a token sees another: itself and what it descends from.

    So padding sees itself, and its softmax has something to divide by.
    """
    places = torch.arange(until.shape[1])
    is_before = places.unsqueeze(0) <= places.unsqueeze(1)
    return is_before & (places.unsqueeze(1) < until.unsqueeze(1))


def load_body(path: Path, config: CriticConfig) -> tuple[EncoderBody | CausalBody, Any]:
    """Load what a critic starts from, its parameters to be trained marked, and its tokenizer.

    Raises:
        ModelError: If the path holds neither an encoder nor a causal language model that can be
            read safely.
    """
    if path.suffix == ".gguf" or _is_language_model(path):
        model, tokenizer = load_base(path, dtype=choose_dtype(config.dtype))
        model.set_attn_implementation(ATTENTION)
        asked = None
        if config.question:
            asked = Asked(model, Question.of(tokenizer, config.question))
        elif tokenizer.eos_token_id is None:
            raise ModelError(f"The tokenizer of {path} has no end-of-text token to read off")
        return CausalBody(_adapt(model.base_model, config), asked=asked), tokenizer
    encoder, tokenizer = load_encoder(path)
    whole = EncoderBody(encoder)
    whole.hold(config.frozen_share)
    return whole, tokenizer


def _adapt(model: Any, config: CriticConfig) -> Any:
    from peft import LoraConfig, get_peft_model

    depth = int(model.config.num_hidden_layers)
    held = "|".join(map(str, range(round(depth * config.frozen_share))))
    with quiet_peft():
        return get_peft_model(
            model,
            LoraConfig(
                r=config.lora_rank,
                lora_alpha=2 * config.lora_rank,
                lora_dropout=0.0,
                target_modules="all-linear",
                exclude_modules=rf"(?:.*\.)?(?:layers|h|block)\.(?:{held})\..*" if held else None,
            ),
        )


def _is_language_model(path: Path) -> bool:
    if not (path / "config.json").is_file():
        return False
    tree = read_json(path / "config.json")
    names = tree.get("architectures") if isinstance(tree, dict) else None
    return any(str(name).endswith("ForCausalLM") for name in names or ())


def load_encoder(path: Path) -> tuple[nn.Module, Any]:
    """Load a sentence encoder and its tokenizer from a folder with safetensors weights.

    Raises:
        ModelError: If the folder lacks them, or holds only pickled weights.
    """
    from transformers import AutoModel, AutoTokenizer

    if not (path / "model.safetensors").is_file():
        raise ModelError(
            f"{path} has no model.safetensors; the critic reads safetensors weights only, give "
            "an encoder folder that has them"
        )
    try:
        with quiet_loading():
            model = AutoModel.from_pretrained(
                path,
                use_safetensors=True,
                local_files_only=True,
                attn_implementation=ATTENTION,
            )
            tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} is not a readable encoder folder: {error}") from error
    return model.float(), tokenizer
