"""What the rest of kgbuild asks of a teacher."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kgbuild.core.config import DecodingConfig
from kgbuild.decoding import ConstraintSet, Hypothesis


class Teacher(Protocol):
    """A language model that completes lines under constraints and scores completions."""

    @property
    def name(self) -> str:
        """Name that provenance records."""

    @property
    def weights_hash(self) -> str:
        """The sha256 of the weights."""

    def complete(
        self,
        texts: Sequence[str],
        constraints: Sequence[ConstraintSet],
        *,
        prefixes: Sequence[str],
        settings: DecodingConfig,
        seed: int,
        at_once: int,
    ) -> list[list[Hypothesis]]:
        """Give the n-best completions of every text, best first.

        Args:
            texts: The question lines.
            constraints: One set a text.
            prefixes: Few-shot lines before each text; neighbours share them.
            settings: Search or sampling, and how much of it.
            seed: Of sampling; a search ignores it.
            at_once: Most texts under way together.
        """

    def score(
        self,
        texts: Sequence[str],
        completions: Sequence[str],
        *,
        prefix: str,
        batch_size: int,
    ) -> list[tuple[float, int]]:
        """Give the log-probability sum and token count of each completion behind its text."""

    def judge(self, sentences: Sequence[str], *, prompt: str) -> list[float]:
        """Give the odds of yes against no behind each sentence, from 0 to 1.

        Args:
            sentences: Questions or statements.
            prompt: Text that the model goes on from, with `{sentence}` where the sentence goes.
        """
