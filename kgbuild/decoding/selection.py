"""Which candidates become the next beams: grouped by clauses met, spread over beginnings."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random
from typing import NamedTuple

from kgbuild.decoding.hypotheses import LIGHT_WORDS, find_stem


class Candidate(NamedTuple):
    """A beam and a next token.

    Attributes:
        rank: Total log-probability and the reward for a phrase in progress (eq. 8 of A*esque).
        row: Place of the beam.
        score: Total log-probability.
        met: Bits of the clauses met.
        begun: Bits of the unmet clauses of which a phrase was begun.
    """

    rank: float
    row: int
    token: int
    score: float
    state: int
    met: int
    begun: int = 0


def choose_beams(
    candidates: Sequence[Candidate],
    *,
    beams: int,
    tolerance: int,
    read_text: Callable[[Candidate], str] | None = None,
    draw: Callable[[float], float] | None = None,
) -> list[Candidate]:
    """Choose at most `beams` candidates.

    Candidates more than `tolerance` clauses below the best are dropped (beta). The rest are
    grouped by the set of met clauses and the set of begun ones: the first token of a rare phrase
    is unlikely, and among finished phrases it would never live to be completed. The best of every
    number of met clauses has a slot, with a phrase begun and without, since the few who met most
    would else drown among many groups; then the groups take turns.

    Args:
        read_text: With it, no beginning takes more than a quarter of the slots while others wait.
        draw: Turns a rank into the one that orders a group, as `draw_ranks` gives it.
    """
    if not candidates:
        return []
    most = max(candidate.met.bit_count() for candidate in candidates)
    groups: dict[tuple[int, int], list[Candidate]] = {}
    for candidate in candidates:
        if candidate.met.bit_count() >= most - tolerance:
            groups.setdefault((candidate.met, candidate.begun), []).append(candidate)
    for group in groups.values():
        group.sort(key=_order)
        if draw is not None:
            drawn = sorted(((draw(one.rank), one) for one in group), reverse=True)
            group[:] = [one for _, one in drawn]
    turns = _take_turns(list(groups.values()))
    if read_text is None:
        return [candidate for candidate, _ in zip(turns, range(beams), strict=False)]
    return _spread(turns, beams=beams, read_text=read_text)


def draw_ranks(temperature: float, *, seed: int) -> Callable[[float], float]:
    """Give what orders a group as if its members were drawn one after the other.

    Adding Gumbel noise to log-probabilities and sorting is drawing without putting back (Kool et
    al. 2019); at a high temperature every order is as likely as any other.
    """
    uniform = Random(seed).random

    def draw(rank: float) -> float:
        return rank - temperature * math.log(-math.log(max(uniform(), 1e-300)) + 1e-300)

    return draw


def _order(candidate: Candidate) -> tuple[float, int, int]:
    # Ties go to the earlier beam and the lower token, so that runs repeat.
    return -candidate.rank, candidate.row, candidate.token


def _take_turns(groups: list[list[Candidate]]) -> Iterator[Candidate]:
    heads: dict[tuple[int, bool], Candidate] = {}
    for group in groups:
        level = (group[0].met.bit_count(), group[0].begun > 0)
        if level not in heads or _order(group[0]) < _order(heads[level]):
            heads[level] = group[0]
    for level in sorted(heads, reverse=True):
        yield heads[level]
    reserved = set(heads.values())
    for layer in range(max(len(group) for group in groups)):
        turn = [group[layer] for group in groups if layer < len(group)]
        yield from (one for one in sorted(turn, key=_order) if one not in reserved)


def _spread(
    turns: Iterable[Candidate], *, beams: int, read_text: Callable[[Candidate], str]
) -> list[Candidate]:
    share = max(1, beams // 4)
    taken: dict[str, int] = {}
    chosen: list[Candidate] = []
    waiting: list[Candidate] = []
    for candidate in turns:
        if len(chosen) == beams:
            break
        stem = find_stem(read_text(candidate))
        if stem not in LIGHT_WORDS:
            if taken.get(stem, 0) >= share:
                waiting.append(candidate)
                continue
            taken[stem] = taken.get(stem, 0) + 1
        chosen.append(candidate)
    return chosen + waiting[: beams - len(chosen)]
