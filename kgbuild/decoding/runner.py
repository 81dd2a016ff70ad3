"""The model side of decoding: prompts in once, then one column of tokens at a time.

A runner holds the cache of a model; its rows are the live hypotheses. `open_runner` chooses the
kind: `SharedRunner` where the model's attention lets beams share their prompt, `PlainRunner` for
every other model whose cache rows can be moved.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol, Self

import torch

from kgbuild.core.errors import ModelError
from kgbuild.decoding.vocabulary import Tokenizer

MIN_SHARED = 8  # shorter common beginnings are not worth a forward pass of their own


class CausalModel(Protocol):
    """The part of a transformers language model that decoding uses."""

    config: Any
    training: bool

    __call__: Callable[..., Any]

    forward: Callable[..., Any]
    parameters: Callable[[], Iterator[torch.nn.Parameter]]
    train: Callable[..., Any]


class EncodedPrompt(NamedTuple):
    """A prompt in tokens.

    Attributes:
        shared: How many of them it has in common with its neighbours; they are read once.
    """

    tokens: tuple[int, ...]
    shared: int = 0


class Runner(ABC):
    """A model and the cache of its live rows."""

    # Whether prompts may be admitted while rows of others are live.
    can_join: bool

    @abstractmethod
    def admit(self, prompts: Sequence[EncodedPrompt]) -> torch.Tensor:
        """Read prompts; each becomes one row behind the live ones.

        Returns:
            (prompts, vocab) logits of their next token.
        """

    @abstractmethod
    def advance(self, parents: Sequence[int], tokens: Sequence[int]) -> torch.Tensor:
        """Continue the rows `parents` with one token each; other rows are forgotten.

        Returns:
            (rows, vocab) logits of the next token.
        """

    @abstractmethod
    def peek(self, parents: Sequence[int], tokens: Sequence[Sequence[int]]) -> torch.Tensor:
        """Continue rows with several tokens each, of which only the first stays.

        Returns:
            (rows, tokens, vocab) logits after each of them.

        Raises:
            ModelError: If the model's cache cannot forget tokens again.
        """

    @abstractmethod
    def branch(self, rows: Sequence[int]) -> Runner:
        """Give a runner with some rows, whose steps leave this one where it is.

        Args:
            rows: Places of rows that have advanced.
        """

    def close(self) -> None:  # noqa: B027 - most runners leave the model alone
        """Leave the model as it was found."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


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
    tokenizer: Tokenizer, prompts: Sequence[str], *, prefix: str | Sequence[str] = ""
) -> list[EncodedPrompt]:
    """Tokenize `prefix + prompt`, so that the seam is cut as the model would see it.

    Args:
        prefix: One for all prompts, or one each; prompts of the same prefix share what they begin
            with.

    Raises:
        ModelError: If a prompt has no token at all.
    """
    prefixes = [prefix] * len(prompts) if isinstance(prefix, str) else list(prefix)
    groups: dict[str, list[int]] = {}
    rows: list[tuple[int, ...]] = []
    for index, (lead, prompt) in enumerate(zip(prefixes, prompts, strict=True)):
        row = tuple(tokenizer(lead + prompt)["input_ids"])
        if not row:
            raise ModelError(f"prompt {lead + prompt!r} has no token; write at least one word")
        rows.append(row)
        groups.setdefault(lead, []).append(index)
    shared = [0] * len(rows)
    for group in groups.values():
        common = count_shared([rows[index] for index in group])
        for index in group:
            shared[index] = common
    return [EncodedPrompt(row, common) for row, common in zip(rows, shared, strict=True)]


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


def count_shared(rows: Sequence[Sequence[int]], *, most: int | None = None) -> int:
    """Count the tokens that several rows begin with, if reading them apart is worth a pass.

    Args:
        most: Tokens that may be read in common.
    """
    common = find_shared(rows) if len(rows) > 1 else 0
    common = common if most is None else min(common, most)
    return common if common >= MIN_SHARED else 0


def read_text_config(model: CausalModel) -> Any:
    """Give the settings of the part of a model that reads text; most models have no other."""
    return getattr(model.config, "get_text_config", lambda: model.config)()


def open_runner(model: CausalModel, *, longest: int) -> Runner:
    """Choose how a model is run.

    Args:
        longest: Tokens of the longest prompt and its completion together.

    Raises:
        ModelError: If rows of the model's cache cannot be moved.
    """
    from kgbuild.decoding.plain_runner import PlainRunner
    from kgbuild.decoding.shared_runner import SharedRunner, can_share

    return SharedRunner(model) if can_share(model, longest=longest) else PlainRunner(model)
