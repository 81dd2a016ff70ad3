"""A model whose beams share their prompt: it is read once, kept once, and never moved.

Prompts are read with the model's own attention. From then on every step gives the model one token
a row and `attention.attend_shared`, which reads a prompt's keys once for all of its rows. Moving
a beam moves the keys of its own few tokens only, and a prompt may join while others are under way.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import torch

from kgbuild.decoding.attention import (
    NAME,
    NEVER,
    CannotShareError,
    Keys,
    Layout,
    SharedCache,
    reading,
)
from kgbuild.decoding.memory import is_out_of_memory
from kgbuild.decoding.plain_runner import PlainRunner
from kgbuild.decoding.runner import CausalModel, EncodedPrompt, Runner, read_text_config

_ROOM = 8  # columns by which the place for new tokens grows
_verdicts: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()


class SharedRunner(Runner):
    """A causal model of which only the new tokens' keys have a copy a row."""

    can_join = True

    def __init__(self, model: CausalModel) -> None:
        self._model: Any = model
        self._device = next(model.parameters()).device
        self._usual = model.config._attn_implementation
        self._heads: dict[tuple[int, ...], Any] = {}  # cache of what several prompts begin with
        self._prompts: list[Keys] = []  # for every layer: a group a prompt
        self._lengths: list[int] = []  # real tokens of every prompt
        self._present = torch.zeros((0, 0), dtype=torch.bool)  # (prompts, columns): no padding
        # For every layer: a group a row that has advanced; prompts just read stand behind them.
        self._own: list[Keys] = []
        self._columns = 0  # of the rows' own tokens
        self._groups: list[int] = []  # prompt of every row
        self._starts: list[int] = []  # first own column of every row

    def close(self) -> None:
        """Give the model its usual attention back."""
        self._use(self._usual)

    def branch(self, rows: Sequence[int]) -> SharedRunner:
        """Give a runner with copies of some rows' own tokens and the same prompts."""
        twin = copy.copy(self)
        chosen = torch.tensor(rows, device=self._device)
        twin._own = [keys.select(chosen) for keys in self._own]
        twin._groups = [self._groups[row] for row in rows]
        twin._starts = [self._starts[row] for row in rows]
        return twin

    # -- prompts ---------------------------------------------------------------------------------

    def admit(self, prompts: Sequence[EncodedPrompt]) -> torch.Tensor:
        """Read prompts; each becomes one row behind the live ones."""
        self._use(self._usual)
        self._drop_unused()
        families: dict[tuple[int, ...], list[int]] = {}
        for index, prompt in enumerate(prompts):
            families.setdefault(prompt.tokens[: prompt.shared], []).append(index)
        found: list[torch.Tensor] = []
        order: list[int] = []
        first = len(self._lengths)
        for head, family in families.items():
            found.append(self._read(head, [prompts[index] for index in family]))
            order += family
        # Families were read together; the rows stand in the order of the prompts again.
        places = sorted(range(len(order)), key=order.__getitem__)
        self._groups += [first + place for place in places]
        self._starts += [self._columns] * len(prompts)
        logits = torch.cat(found)
        return logits if order == sorted(order) else logits[places]

    def _read(self, head: tuple[int, ...], prompts: Sequence[EncodedPrompt]) -> torch.Tensor:
        """Read prompts that begin alike; keep their keys as new groups."""
        reader = PlainRunner(self._model)
        if head and head not in self._heads:
            self._heads[head] = reader.read_head(head)
        rows = [prompt.tokens for prompt in prompts]
        logits = reader.read(rows, shared=len(head), head=self._heads.get(head))[:, -1]
        layers = [Keys(layer.keys, layer.values) for layer in reader.cache.layers]
        width = layers[0].keys.shape[2]
        present = torch.ones((len(rows), width), dtype=torch.bool)
        if reader.mask is not None:
            present = reader.mask.cpu().bool()
        if self._prompts:
            width = max(self._prompts[0].keys.shape[2], width)
            layers = [
                old.pad(width).extend(new.pad(width))
                for old, new in zip(self._prompts, layers, strict=True)
            ]
            present = torch.cat([_pad_mask(self._present, width), _pad_mask(present, width)])
        self._prompts, self._present = layers, present
        self._lengths += [len(row) for row in rows]
        return logits

    def _drop_unused(self) -> None:
        """Forget prompts without rows."""
        used = sorted(set(self._groups))
        if len(used) == len(self._lengths):
            return
        if not used:
            self._prompts, self._own, self._columns = [], [], 0
            self._lengths, self._starts = [], []
            return
        numbers = {group: place for place, group in enumerate(used)}
        # Padding that only a forgotten prompt needed goes too.
        columns = self._present[used].any(dim=0).nonzero()[:, 0]
        self._present = self._present[used][:, columns]
        groups, columns = (torch.tensor(used, device=self._device), columns.to(self._device))
        self._prompts = [keys.select(groups).cut(columns) for keys in self._prompts]
        self._lengths = [self._lengths[group] for group in used]
        self._groups = [numbers[group] for group in self._groups]

    # -- steps -----------------------------------------------------------------------------------

    def advance(self, parents: Sequence[int], tokens: Sequence[int]) -> torch.Tensor:
        """Continue the rows `parents` with one token each; other rows are forgotten."""
        return self.peek(parents, [[token] for token in tokens])[:, 0]

    def peek(self, parents: Sequence[int], tokens: Sequence[Sequence[int]]) -> torch.Tensor:
        """Continue rows with several tokens each, of which only the first stays."""
        self._use(NAME)
        ids = torch.tensor([list(row) for row in tokens], device=self._device)  # (rows, new)
        self._move(parents, ids.shape[1])
        self._groups = [self._groups[parent] for parent in parents]
        self._starts = [self._starts[parent] for parent in parents]
        if 4 * len(set(self._groups)) <= 3 * len(self._lengths):
            self._drop_unused()
        first = torch.tensor(self._find_positions(), device=self._device)[:, None]
        layout = self._lay_out(ids.shape[1])
        cache = SharedCache(self._prompts, self._own, step=self._columns, layout=layout)
        with reading(cache):
            output = self._model(
                input_ids=ids,
                position_ids=first + torch.arange(ids.shape[1], device=self._device),
                past_key_values=cache,
                use_cache=True,
            )
        self._columns += 1
        logits: torch.Tensor = output.logits
        return logits

    def _move(self, parents: Sequence[int], new: int) -> None:
        """Give every new row a copy of its parent's own keys, and room for new ones."""
        spare = min((self._starts[parent] for parent in parents), default=0)
        if spare >= _ROOM:  # columns that no live row has
            self._own = [Keys(k.keys[:, :, spare:], k.values[:, :, spare:]) for k in self._own]
            self._starts = [start - spare for start in self._starts]
            self._columns -= spare
        if not self._own:
            self._columns, self._starts = 0, [0] * len(self._starts)
            self._own = [self._make_room(k, len(parents), _ROOM + new) for k in self._prompts]
            return
        room = self._own[0].keys.shape[2]
        if self._columns + new > room:
            pads = (0, 0, 0, _ROOM + new)
            pad = torch.nn.functional.pad
            self._own = [Keys(pad(k.keys, pads), pad(k.values, pads)) for k in self._own]
        # A prompt just read has no own tokens yet: what its row starts with is masked.
        advanced = self._own[0].keys.shape[0]
        rows = [parent if parent < advanced else 0 for parent in parents]
        if rows != list(range(advanced)):
            moved = torch.tensor(rows, device=self._device)
            self._own = [keys.select(moved) for keys in self._own]

    @staticmethod
    def _make_room(prompt: Keys, rows: int, room: int) -> Keys:
        def blank(like: torch.Tensor) -> torch.Tensor:
            return like.new_zeros((rows, like.shape[1], room, like.shape[3]))

        return Keys(blank(prompt.keys), blank(prompt.values))

    def _find_positions(self) -> list[int]:
        return [
            self._lengths[group] + self._columns - start
            for group, start in zip(self._groups, self._starts, strict=True)
        ]

    def _lay_out(self, new: int) -> Layout:
        """Say where every row stands in the grid of prompts."""
        taken = [0] * len(self._lengths)
        places: list[tuple[int, int]] = []
        for group in self._groups:
            places.append((group, taken[group]))
            taken[group] += 1
        width = max(taken)
        flat = [group * width + place for group, place in places]
        is_full = flat == list(range(len(self._lengths) * width))
        columns = torch.arange(self._columns + new)
        seen = columns <= torch.arange(self._columns, self._columns + new)[:, None]
        seen = seen & (columns >= torch.tensor(self._starts)[:, None, None])  # (rows, new, columns)
        return Layout(
            width=width,
            places=None if is_full else torch.tensor(flat, device=self._device),
            prompt_mask=self._hide(~self._present[:, None]),
            own_mask=self._hide(~seen),
        )

    def _hide(self, hidden: torch.Tensor) -> torch.Tensor | None:
        """Give what is added to the scores of hidden columns; None if there are none."""
        if not bool(hidden.any()):
            return None
        return (hidden[:, None] * NEVER).to(self._device)

    def _use(self, name: str) -> None:
        if self._model.config._attn_implementation != name:
            self._model.set_attn_implementation(name)


def _pad_mask(present: torch.Tensor, width: int) -> torch.Tensor:
    return torch.nn.functional.pad(present, (width - present.shape[1], 0))


def can_share(model: Any, *, longest: int) -> bool:
    """Say whether a model's beams can share their prompt.

    Its attention has to be exchangeable, no window may cut the text off, and a short text has to
    give the same logits both ways, which is tried once a model.

    Args:
        longest: Tokens of the longest prompt and its completion together.
    """
    config = read_text_config(model)
    for name in ("sliding_window", "attention_chunk_size"):
        window = getattr(config, name, None)
        if window is not None and longest > window:
            return False
    may = getattr(model, "_can_set_attn_implementation", None)
    if getattr(model.config, "is_encoder_decoder", False) or may is None or not may():
        return False
    if model not in _verdicts:
        _verdicts[model] = _agrees(model)
    return _verdicts[model]


def _agrees(model: Any) -> bool:
    """Compare both ways of running a model on a few tokens, padding and moved rows included."""
    size = int(model.get_input_embeddings().weight.shape[0])
    texts = [[(7 * place + 3 * row) % size for place in range(3 + 2 * row)] for row in range(2)]
    prompts = [EncodedPrompt(tuple(text)) for text in texts]
    steps = (([1, 0, 1], [1 % size, 2 % size, 3 % size]), ([2, 0], [4 % size, 5 % size]))
    found: list[list[torch.Tensor]] = []
    for runner in (PlainRunner(model), SharedRunner(model)):
        try:
            with runner:
                first = runner.admit(prompts)
                found.append([first, *(runner.advance(*step) for step in steps)])
        except CannotShareError:
            return False
        except (RuntimeError, TypeError, ValueError, AttributeError, LookupError) as error:
            # What a model's own code says to a cache that it does not know has no common name.
            if isinstance(runner, PlainRunner) or is_out_of_memory(error):
                raise
            return False
    tolerance = 0.05 if found[0][0].dtype in (torch.bfloat16, torch.float16) else 1e-3
    return all(
        bool((one - other).abs().max() <= tolerance * one.abs().max().clamp(min=1.0))
        for one, other in zip(*found, strict=True)
    )
