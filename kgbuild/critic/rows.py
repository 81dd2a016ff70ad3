"""Candidates as the network's tensors, tails of one question packed behind their beginning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from kgbuild.core.relations import RelationSet, verbalise
from kgbuild.critic.candidate import Candidate
from kgbuild.critic.scaler import EVIDENCE_WIDTH, Scaler
from kgbuild.decoding import AS_TEXT, Question, pad_token

if TYPE_CHECKING:
    from kgbuild.critic.bodies import CausalBody, EncoderBody

_MOST_SIBLINGS = 12


@dataclass(frozen=True)
class Group:
    """Rows whose sentences begin alike; the beginning is read once.

    A sentence that stands alone has no beginning to share.
    """

    rows: tuple[int, ...]
    beginning: tuple[int, ...]
    branches: tuple[tuple[int, ...], ...]

    @property
    def width(self) -> int:
        """Tokens to read."""
        return len(self.beginning) + sum(map(len, self.branches))


@dataclass(frozen=True)
class Batch:
    """Some groups, padded to one width W.

    Attributes:
        rows: The number of every row, in the order in which the network answers; N of them.
        input_ids: (groups, W) tokens.
        positions: (groups, W) places in the sentence, not in the line.
        owner: (groups, W) the place in `rows` of the row that a token ends, -1 for beginnings and
            padding.
        group: (N,) the line that a row stands in.
        relation: (N,) relation numbers, 0 where unknown.
        evidence: (N, EVIDENCE_WIDTH).
    """

    rows: list[int]
    input_ids: torch.Tensor
    positions: torch.Tensor
    owner: torch.Tensor
    group: torch.Tensor
    relation: torch.Tensor
    evidence: torch.Tensor


@dataclass(frozen=True)
class Rows:
    """Tokenised candidates."""

    groups: list[Group]
    relation: npt.NDArray[np.int64]
    evidence: npt.NDArray[np.float32]
    padding: int

    def __len__(self) -> int:
        return len(self.relation)

    def batch(self, chosen: Sequence[int]) -> Batch:
        """Lay out some groups."""
        groups = [self.groups[place] for place in chosen]
        shape = (len(groups), max(group.width for group in groups))
        ids = np.full(shape, self.padding, dtype=np.int64)
        positions = np.zeros(shape, dtype=np.int64)
        owner = np.full(shape, -1, dtype=np.int64)
        rows: list[int] = []
        lines: list[int] = []
        for line, group in enumerate(groups):
            start = len(group.beginning)
            ids[line, :start] = group.beginning
            positions[line, :start] = np.arange(start)
            at = start
            for row, branch in zip(group.rows, group.branches, strict=True):
                end = at + len(branch)
                ids[line, at:end] = branch
                positions[line, at:end] = np.arange(start, start + len(branch))
                owner[line, at:end] = len(rows)
                rows.append(row)
                lines.append(line)
                at = end
        return Batch(
            rows=rows,
            input_ids=torch.from_numpy(ids),
            positions=torch.from_numpy(positions),
            owner=torch.from_numpy(owner),
            group=torch.tensor(lines),
            relation=torch.from_numpy(self.relation[rows]),
            evidence=torch.from_numpy(self.evidence[rows]),
        )


class Reader:
    """Turns candidates into rows.

    A causal model reads a sentence from left to right, so the sentences of one head and relation
    are packed behind the beginning that they share, which is half of the work. An encoder reads
    every sentence alone: there each token changes all others.
    """

    def __init__(
        self,
        tokenizer: Any,
        relations: RelationSet,
        *,
        body: EncoderBody | CausalBody,
        places: Mapping[str, int],
        scaler: Scaler,
        max_tokens: int,
    ) -> None:
        self.tokenizer = tokenizer
        self.relations = relations
        self.places = places
        self.scaler = scaler
        self.max_tokens = max_tokens
        self.is_causal = body.is_causal
        self.question: Question | None = body.asked.question if body.asked else None

    def read(self, candidates: Sequence[Candidate]) -> Rows:
        """Verbalise, tokenise and group candidates.

        Raises:
            RelationError: If a relation is in no pack.
        """
        sentences = [self._say(one) for one in candidates]
        tokens = self._encode(sentences) if sentences else []
        families: dict[object, list[int]] = {}
        for row, one in enumerate(candidates):
            families.setdefault((one.head, one.relation) if self.is_causal else row, []).append(row)
        return Rows(
            groups=[
                _group(family[start : start + _MOST_SIBLINGS], tokens)
                for family in families.values()
                for start in range(0, len(family), _MOST_SIBLINGS)
            ],
            relation=np.asarray(
                [self.places.get(one.relation, 0) for one in candidates], dtype=np.int64
            ),
            evidence=self.weigh(candidates),
            padding=pad_token(self.tokenizer),
        )

    def _say(self, one: Candidate) -> str:
        if not one.relation:
            return one.head
        return verbalise(self.relations.get(one.relation), one.head, one.tail)

    def _encode(self, sentences: list[str]) -> list[list[int]]:
        cut = {"truncation": True, "max_length": self.max_tokens}
        if self.question is not None:
            found = self.tokenizer(sentences, **cut, **AS_TEXT)["input_ids"]
            return [[*one, *self.question.after] for one in found]
        found = self.tokenizer(sentences, **cut)["input_ids"]
        end = [self.tokenizer.eos_token_id] if self.is_causal else []
        return [[*one, *end] for one in found]

    def weigh(self, candidates: Sequence[Candidate]) -> npt.NDArray[np.float32]:
        """Give the scaled evidence of candidates; zeros where there is none."""
        return np.asarray(
            [self.scaler.apply(one.evidence) for one in candidates], dtype=np.float32
        ).reshape(-1, EVIDENCE_WIDTH)


def _group(rows: Sequence[int], tokens: Sequence[Sequence[int]]) -> Group:
    members = [tokens[row] for row in rows]
    shared = 0
    # A branch keeps at least one token of its own, the one that answers.
    while len(rows) > 1 and all(
        len(member) > shared + 1 and member[shared] == members[0][shared] for member in members
    ):
        shared += 1
    return Group(
        rows=tuple(rows),
        beginning=tuple(members[0][:shared]),
        branches=tuple(tuple(member[shared:]) for member in members),
    )
