"""A model that is run with transformers' own cache, one copy of the prompt a row."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from typing import Any

import torch

from kgbuild.core.errors import ModelError
from kgbuild.decoding.runner import CausalModel, EncodedPrompt, Runner


class PlainRunner(Runner):
    """A causal model or an encoder-decoder whose cache rows are moved with the search.

    What all prompts have in common is read once and its cache repeated; the remainders follow
    with padding on the left, a mask and explicit positions.
    """

    can_join = False

    def __init__(self, model: CausalModel) -> None:
        self._model = model
        self.device = next(model.parameters()).device
        # An adapter's wrapper takes whatever the model below it takes.
        below = model.get_base_model() if hasattr(model, "get_base_model") else model
        accepted = inspect.signature(below.forward).parameters
        self._takes_positions = "position_ids" in accepted
        self._keeps = "logits_to_keep" in accepted
        self.cache: Any = None
        self.mask: torch.Tensor | None = None
        self._lengths = torch.zeros(0, dtype=torch.long)
        # An encoder-decoder's encoder output (rows, width, size); None for causal models.
        self._encoded: torch.Tensor | None = None

    def admit(self, prompts: Sequence[EncodedPrompt]) -> torch.Tensor:
        """Read prompts; rows that were live before are forgotten."""
        self.cache, self.mask, self._encoded = None, None, None
        if getattr(self._model.config, "is_encoder_decoder", False):
            return self._encode([prompt.tokens for prompt in prompts])
        common = min(prompt.shared for prompt in prompts)
        head = prompts[0].tokens[:common]
        if any(prompt.tokens[:common] != head for prompt in prompts):
            common = 0
        return self.read([prompt.tokens for prompt in prompts], shared=common)[:, -1]

    def read_head(self, head: Sequence[int]) -> Any:
        """Read what several prompts begin with; give the cache of that one row."""
        self.cache = None
        tokens = torch.tensor([list(head)], device=self.device)
        self._forward(tokens, positions=torch.arange(len(head), device=self.device)[None])
        return self.cache

    def read(
        self,
        rows: Sequence[Sequence[int]],
        *,
        shared: int = 0,
        head: Any = None,
        keep: int = 1,
    ) -> torch.Tensor:
        """Read token rows whose first `shared` tokens are the same.

        Args:
            head: What `read_head` gave for those tokens, if they were read before.

        Returns:
            (rows, keep, vocab) logits of the last columns; rows end in the last one.
        """
        self.cache = None
        if shared and self._reads_in_parts():
            self.cache = copy.deepcopy(head) if head else self.read_head(rows[0][:shared])
            self.cache.batch_repeat_interleave(len(rows))
        else:
            shared = 0
        ids, mask = pad_rows([row[shared:] for row in rows], is_left=True)
        mask = torch.cat([torch.ones((len(rows), shared), dtype=torch.long), mask], dim=1)
        positions = (mask.cumsum(1) - 1).clamp(min=0)[:, shared:]  # (rows, width)
        self.mask = mask.to(self.device) if bool((mask == 0).any()) else None
        self._lengths = mask.sum(1).to(self.device)
        logits = self._forward(ids.to(self.device), positions=positions.to(self.device), keep=keep)
        return logits[:, -keep:]

    def advance(self, parents: Sequence[int], tokens: Sequence[int]) -> torch.Tensor:
        """Continue the cache rows `parents` with one token each."""
        return self.peek(parents, [[token] for token in tokens])[:, 0]

    def peek(self, parents: Sequence[int], tokens: Sequence[Sequence[int]]) -> torch.Tensor:
        """Continue rows with several tokens each, of which only the first stays."""
        ids = torch.tensor([list(row) for row in tokens], device=self.device)  # (rows, new)
        extra = ids.shape[1] - 1
        if extra and not self._can_forget(ids.shape[1]):
            raise ModelError(
                f"the cache of {type(self._model).__name__} cannot forget tokens; use "
                "lookahead_by=greedy"
            )
        self._move(parents)
        if self._encoded is not None:
            logits = self._decode(ids)
        else:
            if self.mask is not None:
                self.mask = torch.cat([self.mask, self.mask.new_ones(ids.shape)], dim=1)
            positions = self._lengths[:, None] + torch.arange(ids.shape[1], device=self.device)
            logits = self._forward(ids, positions=positions, keep=ids.shape[1])
            self._lengths = self._lengths + 1
        if extra:
            self.cache.crop(-extra)
            if self.mask is not None and self._encoded is None:
                self.mask = self.mask[:, :-extra]
        return logits

    def _can_forget(self, new: int) -> bool:
        layers = getattr(getattr(self.cache, "self_attention_cache", self.cache), "layers", ())
        return all(
            getattr(layer, "is_croppable", False)
            # What has left a sliding window does not come back.
            and layer.get_seq_length() + new < getattr(layer, "sliding_window", float("inf"))
            for layer in layers
        )

    def branch(self, rows: Sequence[int]) -> PlainRunner:
        """Give a runner with copies of some rows."""
        twin = copy.copy(self)
        twin.cache = copy.deepcopy(self.cache)
        twin._move(rows)
        return twin

    def _move(self, parents: Sequence[int]) -> None:
        """Give every new row a copy of its parent's cache."""
        if list(parents) == list(range(len(self._lengths))):
            return
        rows = torch.tensor(list(parents), device=self.device)
        self.cache.reorder_cache(rows)
        self._lengths = self._lengths[rows]
        if self.mask is not None:
            self.mask = self.mask[rows]
        if self._encoded is not None:
            self._encoded = self._encoded[rows]

    def _reads_in_parts(self) -> bool:
        # A sliding window may drop what a later part of the prompt still has to see.
        return getattr(self._model.config, "sliding_window", None) is None

    def _forward(
        self, ids: torch.Tensor, *, positions: torch.Tensor, keep: int = 1
    ) -> torch.Tensor:
        inputs: dict[str, Any] = {"input_ids": ids, "use_cache": True}
        if self.cache is not None:
            inputs["past_key_values"] = self.cache
        if self.mask is not None:
            inputs["attention_mask"] = self.mask
        if self._takes_positions:
            inputs["position_ids"] = positions
        if self._keeps:
            inputs["logits_to_keep"] = keep
        return self._call(inputs)

    def _encode(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        """Read the encoder's side and the first token of the decoder's."""
        ids, mask = pad_rows(rows, is_left=False)
        self.mask = mask.to(self.device)
        encoder = self._model.get_encoder()  # type: ignore[attr-defined]
        output = encoder(input_ids=ids.to(self.device), attention_mask=self.mask)
        self._encoded = output.last_hidden_state
        self._lengths = torch.zeros(len(rows), dtype=torch.long, device=self.device)
        for token in find_decoder_starts(self._model):
            logits = self._decode(torch.full((len(rows), 1), token, device=self.device))
        return logits[:, -1]

    def _decode(self, ids: torch.Tensor) -> torch.Tensor:
        from transformers.modeling_outputs import BaseModelOutput

        inputs: dict[str, Any] = {
            "encoder_outputs": BaseModelOutput(last_hidden_state=self._encoded),
            "attention_mask": self.mask,
            "decoder_input_ids": ids,
            "use_cache": True,
        }
        if self.cache is not None:
            inputs["past_key_values"] = self.cache
        return self._call(inputs)

    def _call(self, inputs: dict[str, Any]) -> torch.Tensor:
        output = self._model(**inputs)
        if self.cache is None:
            self.cache = self._check_cache(getattr(output, "past_key_values", None))
        logits: torch.Tensor = output.logits
        return logits

    def _check_cache(self, cache: Any) -> Any:
        layers = list(getattr(cache, "layers", ()))
        for part in ("self_attention_cache", "cross_attention_cache"):
            layers += getattr(getattr(cache, part, None), "layers", ())
        kinds = {type(layer).__name__ for layer in layers}
        if not hasattr(cache, "reorder_cache") or any("Linear" in kind for kind in kinds):
            raise ModelError(
                f"{type(self._model).__name__} keeps {type(cache).__name__} of "
                f"{', '.join(sorted(kinds)) or 'no layers'}, whose rows cannot be moved; use a "
                "model with ordinary attention"
            )
        return cache


def pad_rows(rows: Sequence[Sequence[int]], *, is_left: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Give token rows as (rows, width) ids and a mask that is 1 where there is a token."""
    width = max(len(row) for row in rows)
    ids = torch.zeros((len(rows), width), dtype=torch.long)
    mask = torch.zeros((len(rows), width), dtype=torch.long)
    for index, row in enumerate(rows):
        start = width - len(row) if is_left else 0
        ids[index, start : start + len(row)] = torch.tensor(list(row), dtype=torch.long)
        mask[index, start : start + len(row)] = 1
    return ids, mask


def find_decoder_starts(model: CausalModel) -> list[int]:
    """Give the tokens that a decoder reads before the first new one.

    Raises:
        ModelError: If an encoder-decoder names no start token.
    """
    found: list[int] = []
    for name in ("decoder_start_token_id", "forced_bos_token_id"):
        for holder in (getattr(model, "generation_config", None), model.config):
            token = getattr(holder, name, None)
            if token is not None:
                found.append(int(token))
                break
        if not found:
            raise ModelError(
                f"{type(model).__name__} is an encoder-decoder without decoder_start_token_id; "
                "set it in its generation_config"
            )
    return found
