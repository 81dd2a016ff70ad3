"""Attention for beams that share a prompt: its keys and values are stored once and never moved.

A step of beam search gives every row a new token, or a few to look ahead. Keys lie in two places:
those of the prompt, which all beams of an item have in common, and those of the row's own tokens.
The scores over both are computed apart, joined before the softmax, and the values are mixed apart,
so that a prompt is read once for all of its beams and no key is ever repeated for another head.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from transformers import AttentionInterface
from transformers.cache_utils import Cache

NAME = "kgbuild_shared"
NEVER = -1e30  # finite: a row of a mask without any key must not become NaN
# What models tell their attention that does not change what one new token reads.
_HARMLESS = frozenset(
    "dropout scaling softcap sliding_window is_causal position_ids use_cache output_attentions "
    "output_hidden_states return_dict cache_position logits_to_keep layer_idx".split()
)


class CannotShareError(Exception):
    """A model's attention does something that this one does not know."""


@dataclass
class Keys:
    """Keys and values of one layer for groups of rows.

    Attributes:
        keys: (groups, heads, length, size).
        values: (groups, heads, length, size).
    """

    keys: torch.Tensor
    values: torch.Tensor

    def select(self, groups: torch.Tensor) -> Keys:
        """Give copies of some groups, in order."""
        groups = groups.to(self.keys.device)
        return Keys(self.keys.index_select(0, groups), self.values.index_select(0, groups))

    def cut(self, columns: torch.Tensor) -> Keys:
        """Keep some columns only."""
        columns = columns.to(self.keys.device)
        if len(columns) == self.keys.shape[2]:
            return self
        return Keys(self.keys.index_select(2, columns), self.values.index_select(2, columns))

    def pad(self, length: int) -> Keys:
        """Make room on the left, so that tables of different lengths can be joined."""
        missing = length - self.keys.shape[2]
        if missing <= 0:
            return self
        pads = (0, 0, missing, 0)
        pad = torch.nn.functional.pad
        return Keys(pad(self.keys, pads), pad(self.values, pads))

    def extend(self, others: Keys) -> Keys:
        """Join the groups of two tables of equal length."""
        return Keys(torch.cat([self.keys, others.keys]), torch.cat([self.values, others.values]))


@dataclass
class Layout:
    """How rows belong to prompts, and which keys they see.

    Attributes:
        width: Rows set aside a prompt in the grid of prompts.
        places: (rows,) place of every row in that grid, or None where rows fill it in order.
        prompt_mask: (prompts, 1, 1, length) added to scores; None when nothing is padded.
        own_mask: (rows, 1, 1, length) the same for the rows' own tokens; with several new tokens
            (rows, 1, new, length), of which none sees a later one.
    """

    width: int
    places: torch.Tensor | None
    prompt_mask: torch.Tensor | None
    own_mask: torch.Tensor | None


class SharedCache(Cache):  # type: ignore[misc]
    """What a model takes for its cache during one step; the attention below reads it.

    Args:
        prompts: For every layer, keys with a group a prompt.
        own: For every layer, room for the keys with a group a row; columns from `step` on are
            written now.
    """

    def __init__(
        self, prompts: Sequence[Keys], own: list[Keys], *, step: int, layout: Layout
    ) -> None:
        super().__init__(layers=[])
        self._prompts = prompts
        self._own = own
        self._step = step
        self.layout = layout
        self._stop = step
        self._now: int | None = None

    def update(
        self,
        key_states: torch.Tensor,
        value_states: torch.Tensor,
        layer_idx: int,
        *_: Any,
        **__: Any,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Take new columns of keys and values, (rows, heads, new, size), of a layer."""
        if layer_idx >= len(self._prompts):
            raise CannotShareError(f"layer {layer_idx} kept no keys of the prompt")
        own, self._stop = self._own[layer_idx], self._step + key_states.shape[2]
        own.keys[:, :, self._step : self._stop] = key_states
        own.values[:, :, self._step : self._stop] = value_states
        self._now = layer_idx
        return key_states, value_states

    def take(self) -> tuple[Keys, Keys]:
        """Give the prompt's and the rows' own keys of the layer that was updated last, once."""
        if self._now is None:
            raise CannotShareError("a layer reads keys that another one wrote")
        prompt, own = self._prompts[self._now], self._own[self._now]
        self._now = None
        return prompt, Keys(own.keys[:, :, : self._stop], own.values[:, :, : self._stop])

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Count the columns before this step."""
        return int(self._prompts[0].keys.shape[2]) + self._step

    def get_mask_sizes(self, query_length: int, layer_idx: int = 0) -> tuple[int, int]:
        """Give the length that a mask would have, and its offset."""
        return self.get_seq_length() + query_length, 0


_active: list[SharedCache] = []


@contextmanager
def reading(cache: SharedCache) -> Iterator[SharedCache]:
    """Let the attention of the model that is called in the block read this cache."""
    _active.append(cache)
    try:
        yield cache
    finally:
        _active.pop()


def attend_shared(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    softcap: float | None = None,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """Attend from the new tokens of every row, as transformers calls it.

    Args:
        query: (rows, query heads, new, size).

    Returns:
        (rows, new, query heads, size).

    Raises:
        CannotShareError: If the model asks for something else than plain softmax attention.
    """
    odd = [name for name, value in others.items() if value is not None and name not in _HARMLESS]
    if not _active or odd:
        raise CannotShareError(f"attention with {', '.join(odd) or 'no cache'}")
    cache = _active[-1]
    prompt, own = cache.take()
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    mixed = attend(query * scale, prompt, own, layout=cache.layout, softcap=softcap)
    return mixed.transpose(1, 2), None


def attend(
    query: torch.Tensor, prompt: Keys, own: Keys, *, layout: Layout, softcap: float | None = None
) -> torch.Tensor:
    """Mix the values of a prompt and of a row's own tokens.

    Args:
        query: (rows, query heads, new, size), scaled.
        prompt: A group a prompt.
        own: A group a row.

    Returns:
        (rows, query heads, new, size).
    """
    rows, query_heads, new, size = query.shape
    heads, length = prompt.keys.shape[1], prompt.keys.shape[2]
    asking = query_heads // heads * new  # queries of a row that read the same keys
    grid = (prompt.keys.shape[0], layout.width, heads, asking)
    flat = (grid[0], heads, layout.width * asking)
    grouped = query.reshape(rows, heads, asking, size)
    asked = _spread(grouped, layout, grid[0] * grid[1]).view(*grid, size).transpose(1, 2)
    over_prompt = torch.matmul(asked.reshape(*flat, size), prompt.keys.transpose(2, 3))
    if softcap:
        over_prompt = _cap(over_prompt, softcap)
    if layout.prompt_mask is not None:
        over_prompt = over_prompt + layout.prompt_mask.to(over_prompt)
    over_prompt = over_prompt.view(grid[0], heads, layout.width, asking, length).transpose(1, 2)
    over_prompt = _collect(over_prompt.reshape(-1, heads, asking, length), layout)
    over_own = torch.matmul(grouped, own.keys.transpose(2, 3))
    if softcap:
        over_own = _cap(over_own, softcap)
    if layout.own_mask is not None:
        by_token = over_own.reshape(rows, query_heads, new, -1) + layout.own_mask.to(over_own)
        over_own = by_token.reshape(rows, heads, asking, -1)
    weights = torch.cat([over_prompt, over_own], dim=-1).softmax(dim=-1, dtype=torch.float32)
    weights = weights.to(query.dtype)
    shares = _spread(weights[..., :length], layout, grid[0] * grid[1]).view(*grid, length)
    mixed = torch.matmul(shares.transpose(1, 2).reshape(*flat, length), prompt.values)
    mixed = mixed.view(grid[0], heads, layout.width, asking, size).transpose(1, 2)
    mixed = _collect(mixed.reshape(-1, heads, asking, size), layout)
    mixed = mixed + torch.matmul(weights[..., length:], own.values)
    return mixed.reshape(rows, query_heads, new, size)


def _cap(scores: torch.Tensor, softcap: float) -> torch.Tensor:
    return torch.tanh(scores / softcap) * softcap


def _spread(rows: torch.Tensor, layout: Layout, size: int) -> torch.Tensor:
    """Put rows into their places in the grid of prompts."""
    if layout.places is None:
        return rows.contiguous()
    grid = rows.new_zeros((size, *rows.shape[1:]))
    return grid.index_copy_(0, layout.places.to(rows.device), rows)


def _collect(grid: torch.Tensor, layout: Layout) -> torch.Tensor:
    """Take rows out of their places again."""
    return grid if layout.places is None else grid.index_select(0, layout.places.to(grid.device))


AttentionInterface.register(NAME, attend_shared)
