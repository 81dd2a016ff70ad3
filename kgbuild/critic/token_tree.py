"""Token sequences as a tree: what they begin alike with is read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile


@dataclass(frozen=True)
class TokenTree:
    """Sequences merged where they begin alike, in one line, a parent before its children.

    A token sees the tokens on its way to the root and none else, so each sequence is read as if it
    stood alone (the tree attention of SpecInfer, Miao et al. 2024, section 4).

    Attributes:
        rows: The number of every sequence.
        ends: The place of every sequence's last token.
        tokens: The line.
        depths: Place of every token in its sequence, from 0.
        until: Where the part of the line ends that descends from a token.
    """

    rows: tuple[int, ...]
    ends: tuple[int, ...]
    tokens: tuple[int, ...]
    depths: tuple[int, ...]
    until: tuple[int, ...]

    @classmethod
    def grow(cls, sequences: Sequence[tuple[int, Sequence[int]]]) -> TokenTree:
        """Merge numbered sequences, none of them empty."""
        tokens: list[int] = []
        depths: list[int] = []
        until: list[int] = []
        ends: list[int] = []
        path: list[int] = []
        # In order, each branch is left before the next is begun.
        ordered = sorted(sequences, key=lambda one: tuple(one[1]))
        for _, sequence in ordered:
            alike = takewhile(
                lambda pair: tokens[pair[0]] == pair[1], zip(path, sequence, strict=False)
            )
            shared = sum(1 for _ in alike)
            for place in path[shared:]:
                until[place] = len(tokens)
            del path[shared:]
            for depth, token in enumerate(sequence[shared:], start=shared):
                path.append(len(tokens))
                tokens.append(token)
                depths.append(depth)
                until.append(0)
            ends.append(path[-1])
        for place in path:
            until[place] = len(tokens)
        return cls(
            rows=tuple(row for row, _ in ordered),
            ends=tuple(ends),
            tokens=tuple(tokens),
            depths=tuple(depths),
            until=tuple(until),
        )

    @property
    def width(self) -> int:
        """Tokens to read."""
        return len(self.tokens)
