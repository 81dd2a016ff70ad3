"""The model side of decoding: prompts in once, then one column of tokens at a time.

What all prompts of a call have in common is computed once and its cache is repeated; the
remainders follow with padding on the left, a mask and explicit positions. Rows of the cache are
moved only when the search has moved them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import torch

from kgbuild.core.errors import ModelError
from kgbuild.decoding.vocabulary import Tokenizer

MIN_SHARED = 8  # shorter common beginnings are not worth a forward pass of their own


class CausalModel(Protocol):
    """The part of a transformers causal language model that decoding uses."""

    config: Any
    training: bool

    __call__: Callable[..., Any]

    forward: Callable[..., Any]
    parameters: Callable[[], Iterator[torch.nn.Parameter]]
    train: Callable[..., Any]


@contextmanager
def hold_still(model: CausalModel) -> Iterator[None]:
    """Switch off gradients and dropout while decoding."""
    was_training = model.training
    model.train(False)
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train(was_training)


def find_eos_ids(model: CausalModel) -> tuple[int, ...]:
    """Give the end tokens that the model declares; there may be several or none."""
    own = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    ids = own if isinstance(own, list | tuple) else [own]
    return tuple(sorted({int(token) for token in ids if token is not None}))


def encode_prompts(
    tokenizer: Tokenizer, prompts: Sequence[str], *, prefix: str = ""
) -> list[list[int]]:
    """Tokenize `prefix + prompt`, so that the seam is cut as the model would see it.

    Raises:
        ModelError: If a prompt has no token at all.
    """
    rows: list[list[int]] = []
    for prompt in prompts:
        row = list(tokenizer(prefix + prompt)["input_ids"])
        if not row:
            raise ModelError(f"prompt {prefix + prompt!r} has no token; write at least one word")
        rows.append(row)
    return rows


def find_shared(rows: Sequence[Sequence[int]]) -> int:
    """Count the tokens that all rows begin with, leaving every row at least one of its own.

    >>> find_shared([[1, 2, 3], [1, 2, 4, 5]])
    2
    >>> find_shared([[1, 2], [1, 2]])
    1
    """
    limit = min(len(row) for row in rows) - 1
    for place in range(limit):
        if any(row[place] != rows[0][place] for row in rows):
            return place
    return limit


class Runner:
    """A causal model with a key-value cache whose rows are the live hypotheses."""

    def __init__(self, model: CausalModel) -> None:
        if getattr(model.config, "is_encoder_decoder", False):
            raise ModelError(
                f"{type(model).__name__} is an encoder-decoder; decoding takes causal models only"
            )
        self._model = model
        self.device = next(model.parameters()).device
        accepted = inspect.signature(model.forward).parameters
        self._takes_positions = "position_ids" in accepted
        self._keep: dict[str, int] = {"logits_to_keep": 1} if "logits_to_keep" in accepted else {}
        self._cache: Any = None
        self._mask: torch.Tensor | None = None
        self._lengths = torch.zeros(0, dtype=torch.long)

    def prefill(
        self, rows: Sequence[Sequence[int]], *, keep: int = 1, most_shared: int | None = None
    ) -> torch.Tensor:
        """Read all prompts and give the logits of their last `keep` columns.

        Args:
            most_shared: Tokens that may be read in common; the columns kept come after them.

        Returns:
            (prompts, vocab) for keep=1, else (prompts, keep, vocab); rows end in the last column.
        """
        shared = find_shared(rows) if len(rows) > 1 else 0
        shared = shared if most_shared is None else min(shared, most_shared)
        if shared >= MIN_SHARED and self._reads_in_parts():
            head = torch.tensor([list(rows[0][:shared])], device=self.device)
            self._forward(head, positions=torch.arange(shared, device=self.device)[None])
            self._cache.batch_repeat_interleave(len(rows))
        else:
            shared = 0
        width = max(len(row) for row in rows) - shared
        ids = torch.zeros((len(rows), width), dtype=torch.long)
        mask = torch.ones((len(rows), shared + width), dtype=torch.long)
        for index, row in enumerate(rows):
            rest = row[shared:]
            ids[index, width - len(rest) :] = torch.tensor(list(rest))
            mask[index, shared : shared + width - len(rest)] = 0
        is_padded = bool((mask == 0).any())
        self._mask = mask.to(self.device) if is_padded else None
        positions = (mask.cumsum(1) - 1).clamp(min=0)[:, shared:]  # (prompts, width)
        self._lengths = mask.sum(1).to(self.device)
        logits = self._forward(ids.to(self.device), positions=positions.to(self.device), keep=keep)
        return logits[:, -1] if keep == 1 else logits[:, -keep:]

    def advance(self, parents: Sequence[int], tokens: Sequence[int]) -> torch.Tensor:
        """Continue the cache rows `parents` with one token each.

        Returns:
            (rows, vocab) logits of the next token.
        """
        if list(parents) != list(range(len(self._lengths))):
            rows = torch.tensor(list(parents), device=self.device)
            self._cache.reorder_cache(rows)
            self._lengths = self._lengths[rows]
            if self._mask is not None:
                self._mask = self._mask[rows]
        if self._mask is not None:
            self._mask = torch.cat([self._mask, self._mask.new_ones((len(tokens), 1))], dim=1)
        ids = torch.tensor(list(tokens), device=self.device)[:, None]
        logits = self._forward(ids, positions=self._lengths[:, None])
        self._lengths = self._lengths + 1
        return logits[:, -1]

    def _reads_in_parts(self) -> bool:
        # A sliding window may drop what a later part of the prompt still has to see.
        return getattr(self._model.config, "sliding_window", None) is None

    def _forward(
        self, ids: torch.Tensor, *, positions: torch.Tensor, keep: int = 1
    ) -> torch.Tensor:
        inputs: dict[str, Any] = {"input_ids": ids, "use_cache": True}
        if self._cache is not None:
            inputs["past_key_values"] = self._cache
        if self._mask is not None:
            inputs["attention_mask"] = self._mask
        if self._takes_positions:
            inputs["position_ids"] = positions
        if self._keep:
            inputs["logits_to_keep"] = keep
        output = self._model(**inputs)
        if self._cache is None:
            self._cache = self._check_cache(getattr(output, "past_key_values", None))
        logits: torch.Tensor = output.logits
        return logits

    def _check_cache(self, cache: Any) -> Any:
        layers = getattr(cache, "layers", ())
        kinds = {type(layer).__name__ for layer in layers}
        if not hasattr(cache, "reorder_cache") or any("Linear" in kind for kind in kinds):
            raise ModelError(
                f"{type(self._model).__name__} keeps {type(cache).__name__} of "
                f"{', '.join(sorted(kinds)) or 'no layers'}, whose rows cannot be moved; use a "
                "model with ordinary attention"
            )
        return cache
