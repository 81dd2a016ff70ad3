"""Many prompts through one model: as items finish, waiting ones take their place."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import torch

from kgbuild.core.errors import ModelError
from kgbuild.decoding.memory import is_out_of_memory, read_free_bytes
from kgbuild.decoding.runner import (
    CausalModel,
    EncodedPrompt,
    Runner,
    open_runner,
    read_text_config,
)

MOST_ROWS = 256  # more rows at once gained nothing in benchmarks/decoding.md
_log = logging.getLogger(__name__)


class Move(NamedTuple):
    """A new row.

    Attributes:
        parent: Place of the row that it goes on with.
        draft: A guess at the tokens after it, from what its parent was thought to go on with.
        wanted: The phrases, in tokens, of which it matters how likely they become after it.
    """

    parent: int
    token: int
    draft: tuple[int, ...] = ()
    wanted: tuple[tuple[int, ...], ...] = ()


class Item(ABC):
    """The search or the samples of one prompt."""

    @property
    @abstractmethod
    def rows(self) -> int:
        """How many hypotheses are live; none once it is finished."""


ItemT = TypeVar("ItemT", bound=Item)


def run_items(
    model: CausalModel,
    prompts: Sequence[EncodedPrompt],
    *,
    make: Callable[[int], ItemT],
    step: Callable[[Sequence[ItemT], torch.Tensor], list[Move]],
    advance: Callable[[Runner, list[Move]], torch.Tensor] | None = None,
    rows_each: int,
    new_tokens: int,
    at_once: int | None,
) -> list[ItemT]:
    """Advance all prompts to their end; give their items in order.

    A batch that does not fit into memory starts again at half the size; what has finished stays.

    Args:
        make: Makes the item of a prompt, given its place.
        step: Takes items and the (rows, vocab) logits of all their rows in order; gives every new
            row with the place of its parent among those rows.
        advance: Takes the new rows to the model and gives the logits that the next step reads;
            by default those after each row's token.
        rows_each: Most live rows of a prompt.
        new_tokens: Most new tokens of a prompt.
        at_once: Prompts under way together; None lets measured memory decide.

    Raises:
        ModelError: If not even one prompt fits into memory.
    """
    finished: dict[int, ItemT] = {}
    longest = max((len(prompt.tokens) for prompt in prompts), default=0) + new_tokens
    while len(finished) < len(prompts):
        waiting = deque(place for place in range(len(prompts)) if place not in finished)
        size = at_once or measure_batch(
            model, longest=longest, rows_each=rows_each, new_tokens=new_tokens
        )
        try:
            with open_runner(model, longest=longest) as runner:
                _run(
                    runner,
                    prompts,
                    waiting,
                    finished,
                    make=make,
                    step=step,
                    advance=advance or _advance,
                    at_once=size,
                )
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            if size == 1:
                raise ModelError(
                    f"one prompt of {longest} tokens with {rows_each} rows does not fit into "
                    "memory; use fewer beams, shorter prompts or a smaller model"
                ) from error
            at_once = size // 2
            _log.warning(
                "%d prompts at once do not fit into memory; going on with %d. What is finished "
                "stays. Ask for %d at once to start there.",
                size,
                at_once,
                at_once,
            )
    return [finished[place] for place in range(len(prompts))]


def _run(
    runner: Runner,
    prompts: Sequence[EncodedPrompt],
    waiting: deque[int],
    finished: dict[int, ItemT],
    *,
    make: Callable[[int], ItemT],
    step: Callable[[Sequence[ItemT], torch.Tensor], list[Move]],
    advance: Callable[[Runner, list[Move]], torch.Tensor],
    at_once: int,
) -> None:
    live: list[tuple[int, ItemT]] = []
    logits = torch.zeros(0)
    while live or waiting:
        moved: list[Move] = []
        rows = sum(item.rows for _, item in live)
        if live:
            moved = step([item for _, item in live], logits)
            live = _keep_live(live, finished)
        room = at_once - len(live)
        # Few prompts at a time are read no faster than many, so room is left to grow.
        has_room = not live or (runner.can_join and 4 * room >= at_once)
        if waiting and has_room:
            places = [waiting.popleft() for _ in range(min(room, len(waiting)))]
            fresh = [(place, make(place)) for place in places]
            logits = runner.admit([prompts[place] for place in places])
            first = rows if runner.can_join else 0  # behind the rows of the last step
            begun = step([item for _, item in fresh], logits)
            moved += [move._replace(parent=first + move.parent) for move in begun]
            live += _keep_live(fresh, finished)
        if moved:
            logits = advance(runner, moved)


def _advance(runner: Runner, moves: list[Move]) -> torch.Tensor:
    return runner.advance([move.parent for move in moves], [move.token for move in moves])


def _keep_live(
    items: Sequence[tuple[int, ItemT]], finished: dict[int, ItemT]
) -> list[tuple[int, ItemT]]:
    finished.update((place, item) for place, item in items if not item.rows)
    return [(place, item) for place, item in items if item.rows]


def measure_batch(model: CausalModel, *, longest: int, rows_each: int, new_tokens: int) -> int:
    """Choose how many prompts go together: as many as half of the free memory holds.

    More than `MOST_ROWS` rows are never taken, so that on most machines the choice, and with it
    the last bit of every score, does not depend on what else is running.
    """
    most = max(1, MOST_ROWS // rows_each)
    first = next(model.parameters())
    free = read_free_bytes(first.device)
    if free is None:
        return most
    config = read_text_config(model)
    layers = int(getattr(config, "num_hidden_layers", 0) or 12)
    heads = int(getattr(config, "num_attention_heads", 0) or 1)
    size = int(getattr(config, "head_dim", 0) or getattr(config, "hidden_size", 768) // heads)
    kept = int(getattr(config, "num_key_value_heads", 0) or heads)
    a_token = 2 * layers * kept * size * first.element_size()
    # Logits are held as they come, in float32, and as masked scores.
    a_row = 16 * int(getattr(config, "vocab_size", 50_000)) + 2 * a_token * new_tokens
    return max(1, min(most, int(free / 2 // (a_token * longest + rows_each * a_row))))
