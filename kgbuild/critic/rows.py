"""Candidates as the network's tensors, sentences about one head packed into a tree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from kgbuild.core.relations import RelationSet, verbalise
from kgbuild.critic.candidate import Candidate
from kgbuild.critic.scaler import EVIDENCE_WIDTH, Scaler
from kgbuild.critic.token_tree import TokenTree
from kgbuild.decoding import AS_TEXT, Question, pad_token

if TYPE_CHECKING:
    from kgbuild.critic.bodies import CausalBody, EncoderBody

# Most sentences read together: more save tokens and cost attention.
_MOST = 24
_MOST_OF_A_LESSON = 12


@dataclass(frozen=True)
class Batch:
    """Some groups, padded to one width W.

    Attributes:
        rows: The number of every row, in the order in which the network answers; N of them.
        input_ids: (groups, W) tokens.
        positions: (groups, W) places in the sentence, not in the line.
        until: (groups, W) the place in the line before which a token is seen; padding by itself.
        widths: (groups,) tokens without padding.
        group: (N,) the line that a row stands in.
        last: (N,) the place of its last token there.
        relation: (N,) relation numbers, 0 where unknown.
        evidence: (N, EVIDENCE_WIDTH).
    """

    rows: list[int]
    input_ids: torch.Tensor
    positions: torch.Tensor
    until: torch.Tensor
    widths: torch.Tensor
    group: torch.Tensor
    last: torch.Tensor
    relation: torch.Tensor
    evidence: torch.Tensor


@dataclass(frozen=True)
class Rows:
    """Tokenised candidates."""

    groups: list[TokenTree]
    relation: npt.NDArray[np.int64]
    evidence: npt.NDArray[np.float32]
    padding: int

    def __len__(self) -> int:
        return len(self.relation)

    def batch(self, chosen: Sequence[int]) -> Batch:
        """Lay out some groups."""
        groups = [self.groups[place] for place in chosen]
        widths = [group.width for group in groups]
        shape = (len(groups), max(widths))
        ids = np.full(shape, self.padding, dtype=np.int64)
        positions = np.zeros(shape, dtype=np.int64)
        until = np.tile(np.arange(1, shape[1] + 1), (shape[0], 1))
        for line, group in enumerate(groups):
            ids[line, : group.width] = group.tokens
            positions[line, : group.width] = group.depths
            until[line, : group.width] = group.until
        rows = [row for group in groups for row in group.rows]
        return Batch(
            rows=rows,
            input_ids=torch.from_numpy(ids),
            positions=torch.from_numpy(positions),
            until=torch.from_numpy(until),
            widths=torch.tensor(widths),
            group=torch.tensor([line for line, group in enumerate(groups) for _ in group.rows]),
            last=torch.tensor([end for group in groups for end in group.ends]),
            relation=torch.from_numpy(self.relation[rows]),
            evidence=torch.from_numpy(self.evidence[rows]),
        )


class Reader:
    """Turns candidates into rows.

    A causal model reads a sentence from left to right, so what the sentences about one head begin
    alike with is read once, which saves half of the work and more. An encoder reads every sentence
    alone: there each token changes all others.
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

    def read(self, candidates: Sequence[Candidate], *, is_lesson: bool = False) -> Rows:
        """Verbalise, tokenise and group candidates.

        Args:
            candidates: One that comes twice is read twice, as a second pass of training wants it.
            is_lesson: Whether they are to be learned from. Then only sentences of one relation are
                grouped, so that a step of training holds many heads.

        Raises:
            RelationError: If a relation is in no pack.
        """
        sentences = [self._say(one) for one in candidates]
        tokens = self._encode(sentences) if sentences else []
        most = _MOST_OF_A_LESSON if is_lesson else _MOST
        return Rows(
            groups=[
                TokenTree.grow([(row, tokens[row]) for row in family[start : start + most]])
                for family in self._families(candidates, tokens, is_lesson=is_lesson)
                for start in range(0, len(family), most)
            ],
            relation=np.asarray(
                [self.places.get(one.relation, 0) for one in candidates], dtype=np.int64
            ),
            evidence=self.weigh(candidates),
            padding=pad_token(self.tokenizer),
        )

    def _families(
        self, candidates: Sequence[Candidate], tokens: Sequence[list[int]], *, is_lesson: bool
    ) -> list[list[int]]:
        if not self.is_causal:
            return [[row] for row in range(len(candidates))]
        families: dict[tuple[str, str, int], list[int]] = {}
        seen: Counter[Candidate] = Counter()
        for row, one in enumerate(candidates):
            relation = one.relation if is_lesson else ""
            families.setdefault((one.head, relation, seen[one]), []).append(row)
            seen[one] += 1
        return [sorted(family, key=lambda row: tokens[row]) for family in families.values()]

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
