"""The beams of one prompt, and one step of NeuroLogic search (Lu et al. 2021, section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from kgbuild.core.config import DecodingConfig
from kgbuild.decoding.batching import Item, Move
from kgbuild.decoding.candidates import (
    Blocked,
    RowRequest,
    RowScores,
    find_floors,
    find_repeats,
    score_candidates,
)
from kgbuild.decoding.hypotheses import (
    Hypothesis,
    build_hypothesis,
    fold_text,
    normalise_score,
    rank_hypotheses,
)
from kgbuild.decoding.masks import Masks
from kgbuild.decoding.proposals import Proposals
from kgbuild.decoding.selection import Candidate, choose_beams, draw_ranks
from kgbuild.decoding.standing import DEAD
from kgbuild.decoding.state import CompiledConstraints


class Beam(NamedTuple):
    """A live hypothesis: new tokens, their total log-probability, what it has said."""

    tokens: tuple[int, ...]
    score: float
    state: int


class BeamItem(Item):
    """The search of one prompt: its live beams and the texts that ended."""

    def __init__(
        self,
        compiled: CompiledConstraints,
        *,
        settings: DecodingConfig,
        is_exact: bool = False,
        name: str = "the prompt",
    ) -> None:
        self.compiled = compiled
        self.name = name
        self.live = [Beam((), 0.0, compiled.start)]
        self._settings = settings
        self._is_exact = is_exact
        self._masks = Masks.of(compiled)
        self._proposals = Proposals.of(compiled)
        warmth = settings.group_temperature
        self._draw = draw_ranks(warmth, seed=0) if warmth else None
        self._ended: list[Hypothesis] = []
        self._complete: dict[str, float] = {}  # text -> score of ended texts with all clauses met
        self._partial: list[Beam] = []

    @property
    def rows(self) -> int:
        """How many beams are live."""
        return len(self.live)

    def request(self, beam: Beam, *, device: torch.device) -> RowRequest:
        """Say what this beam needs to know about its next token."""
        settings, compiled = self._settings, self.compiled
        can_end = len(beam.tokens) >= settings.min_new_tokens and compiled.can_end(
            beam.state, is_hard=settings.mode == "hard"
        )
        if can_end and settings.min_new_tokens and compiled.is_empty(beam.state):
            can_end = False
        return RowRequest(
            score=beam.score,
            wanted=self._proposals.find(beam.state),
            forbidden=self._masks.find_forbidden(beam.state, device),
            repeats=find_repeats(beam.tokens, ngram=settings.no_repeat_ngram),
            can_end=can_end,
        )

    def advance(
        self, found: Sequence[RowScores], *, floor: float, width: int, spare: int
    ) -> list[tuple[int, int]]:
        """Replace the live beams by their best continuations.

        Args:
            found: Scores of the live beams' next tokens.
            floor: Wanted tokens below this total score are not considered (alpha).
            width: Best tokens considered a beam.
            spare: Continuations beyond the beams that stay live, to be looked at.

        Returns:
            (place of the parent among the live beams, token) of every new live beam.
        """
        settings, before = self._settings, self.live
        step = len(before[0].tokens) + 1
        for beam, row in zip(before, found, strict=True):
            if row.end is not None:
                self._take_end(beam, *row.end)
        candidates = self._list_candidates(found, floor=floor, width=width)
        chosen = choose_beams(
            candidates,
            beams=settings.beams + spare,
            tolerance=settings.clause_tolerance,
            read_text=self._read_candidate if settings.is_diverse else None,
            draw=self._draw,
        )
        self.live = [Beam((*before[c.row].tokens, c.token), c.score, c.state) for c in chosen]
        best = self.live[: settings.beams]
        if step == settings.max_new_tokens or not self.live:
            clean = [beam for beam in best if self.compiled.judge(beam.state).is_clean]
            self._partial = clean or [
                beam for beam in before if self.compiled.judge(beam.state).is_clean
            ]
            self.live = []
        elif self._is_settled(step, best):
            self.live = []
        return [(c.row, c.token) for c in chosen] if self.live else []

    def rank(self) -> list[Hypothesis]:
        """Give the n-best list: clauses met first, then ended texts, then score."""
        settings, compiled = self._settings, self.compiled
        partial = [
            build_hypothesis(
                compiled.vocabulary.read_text(beam.tokens),
                tokens=beam.tokens,
                score=beam.score,
                met=compiled.judge(beam.state).met,
                size=compiled.size,
                is_ended=False,
            )
            for beam in self._partial
            if beam.tokens
        ]
        return rank_hypotheses(
            [*self._ended, *partial],
            returned=settings.returned,
            length_penalty=settings.length_penalty,
            is_diverse=settings.is_diverse,
            diversity_penalty=settings.diversity_penalty,
        )

    def _list_candidates(
        self, found: Sequence[RowScores], *, floor: float, width: int
    ) -> list[Candidate]:
        candidates: list[Candidate] = []
        for index, (beam, row) in enumerate(zip(self.live, found, strict=True)):
            scores = {token: score for score, token in row.tokens[:width]}
            scores |= {token: score for score, token in row.wanted if score >= floor}
            for token, score in scores.items():
                state = self.compiled.step(beam.state, token)
                if state != DEAD:
                    candidates.append(self.weigh(index, token, score=score, state=state))
        return candidates

    def weigh(self, row: int, token: int, *, score: float, state: int) -> Candidate:
        """Give a token that leads to a state as a candidate, with the reward for its progress."""
        standing = self.compiled.judge(state)
        rank = score + self._settings.progress_reward * standing.progress
        return Candidate(rank, row, token, score, state, standing.met, standing.begun)

    def _read_candidate(self, candidate: Candidate) -> str:
        tokens = (*self.live[candidate.row].tokens, candidate.token)
        return self.compiled.vocabulary.read_text(tokens)

    def _take_end(self, beam: Beam, score: float, token: int) -> None:
        """Keep the text that ends here, unless its end is so unlikely that it was cut off.

        A beam that length or bans leave no other way would end in mid-phrase. Looking for another
        text in its place costs more than it finds, so it counts as found, but not in an exact
        search.
        """
        settings, compiled = self._settings, self.compiled
        met = compiled.judge(beam.state).met
        text = compiled.vocabulary.read_text(beam.tokens)
        tokens = (*beam.tokens, token)
        if score - beam.score >= settings.end_floor:
            self._ended.append(
                build_hypothesis(
                    text, tokens=tokens, score=score, met=met, size=compiled.size, is_ended=True
                )
            )
        elif self._is_exact:
            return
        if met == compiled.every:
            key = fold_text(text)
            normal = normalise_score(score, len(tokens), penalty=settings.length_penalty)
            self._complete[key] = max(normal, self._complete.get(key, normal))

    def _is_settled(self, step: int, live: Sequence[Beam]) -> bool:
        """Whether enough texts ended that no live beam is expected to beat the worst of them."""
        settings = self._settings
        # A diverse list chooses among more texts than it returns.
        spare = 2 * settings.returned if settings.is_diverse else 0
        needed = max(settings.returned, min(settings.beams, spare))
        if len(self._complete) < needed:
            return False
        worst = sorted(self._complete.values(), reverse=True)[needed - 1]
        # Scores are negative, so a longer text can only be better off for its length.
        length = settings.max_new_tokens if self._is_exact else step
        best = max(beam.score for beam in live)
        return worst >= normalise_score(best, length, penalty=settings.length_penalty)


def advance_items(
    items: Sequence[BeamItem],
    logits: torch.Tensor,
    *,
    settings: DecodingConfig,
    blocked: Blocked,
    spare: int = 0,
) -> list[Move]:
    """Take one step of some items; give every new row.

    Args:
        logits: (rows, vocab) of all live beams, item by item.
        spare: Continuations of an item that stay live beyond its beams.
    """
    requests: list[RowRequest] = []
    names: list[str] = []
    groups: list[range] = []
    for item in items:
        groups.append(range(len(requests), len(requests) + item.rows))
        requests += [item.request(beam, device=logits.device) for beam in item.live]
        names += [f"{item.name}, beam {place}" for place in range(item.rows)]
    # One row stands for all beams before the first token.
    width = settings.beams * (2 if len(requests) == len(items) else 1)
    found = score_candidates(
        logits, requests, blocked=blocked, width=max(width, settings.prune_to), names=names
    )
    floors = find_floors(found, groups=groups, alpha=settings.prune_to, full=logits.shape[1])
    moved: list[Move] = []
    for item, group, floor in zip(items, groups, floors, strict=True):
        rows = [found[row] for row in group]
        steps = item.advance(rows, floor=floor, width=width, spare=spare)
        moved += [Move(group[row], token) for row, token in steps]
    return moved
