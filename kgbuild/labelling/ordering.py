"""Which triple to judge next: some at random, for estimates, and some chosen, for the critic.

Before anything is asked, a hash of its id puts every triple into one of two parts. The random part
is asked in the order of the hashes, so its answers are a uniform sample of all candidates however
the others are chosen. In the other part, questions alternate between

- uncertain: drawn, the likelier the less the critic knows on which side of its threshold the triple
  is (soft uncertainty sampling). To ask the least certain ones first, as is usual, teaches worse
  than asking at random (benchmarks/labelling.md): a learner that sees nothing but borderline cases
  forgets what the others look like;
- diverse: unlike what was chosen before (greedy k-center, the core-set selection of Sener and
  Savarese 2018).

The diverse ones come from a shortlist of those drawn first, as in Zhdanov (2019, Diverse mini-batch
active learning): k-center over everything collects broken sentences, and its cost stays bounded
however many candidates there are.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import count
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kgbuild.core.ids import content_key
from kgbuild.core.labelling_config import LabellingConfig
from kgbuild.labelling.question import DIVERSE, UNCERTAIN, Question

Vectors = npt.NDArray[np.float32]
Encode = Callable[[Sequence[str]], Vectors]

# A threshold of 1 means that nothing is accepted; beyond these, certainty makes no difference.
_EDGE = 0.02


class Scored(NamedTuple):
    """A question and, where a critic has judged it, how sure the critic is.

    Attributes:
        question: What would be asked.
        probability: The critic's; None if no critic has judged it.
        threshold: From which the critic accepts.
    """

    question: Question
    probability: float | None = None
    threshold: float = 0.5


class Order(NamedTuple):
    """The questions of a session.

    Attributes:
        questions: In the order in which they are asked.
        is_random: Whether all are random, because a candidate had no score.
        candidates: How many the pool held, judged ones included.
        left_out: Candidates beyond the session's capacity.
    """

    questions: list[Question]
    is_random: bool
    candidates: int
    left_out: int


def order_questions(
    pool: Iterable[Scored],
    *,
    judged: Collection[str] = (),
    centres: Sequence[str] = (),
    asked: int = 0,
    encode: Encode | None = None,
    config: LabellingConfig,
) -> Order:
    """Choose what to ask and in which order, in memory that does not grow with the pool.

    Args:
        pool: All candidates. One without a score makes all questions random.
        judged: Ids of triples that are not asked.
        centres: Sentences that were chosen earlier, which new ones should differ from.
        asked: How many questions came before these; many short sessions keep the share, too.
        encode: Gives sentences as vectors of length one; without it, only scores choose.
        config: Shares, bounds and seed.
    """
    drawn, reserved, chosen = (_Smallest(config.capacity) for _ in range(3))
    is_random = config.random_share >= 1
    candidates = 0
    for question, probability, threshold in pool:
        candidates += 1
        if question.triple_id in judged:
            continue
        place = draw_place(question.triple_id, seed=config.seed)
        drawn.add(place, question)
        is_random = is_random or probability is None
        if is_random or probability is None:
            continue
        if place < config.random_share:
            reserved.add(place, question)
        else:
            inside = (place - config.random_share) / (1 - config.random_share)
            chosen.add(draw_turn(inside, find_doubt(probability, threshold)), question)
    if is_random:
        return Order([one for _, one in drawn.sorted()], True, candidates, drawn.left_out)
    picked = _pick(chosen.sorted(), centres=centres, encode=encode, config=config)
    random = [question for _, question in reserved.sorted()]
    questions = list(_mix(random, picked, asked=asked, share=config.random_share))
    return Order(questions, False, candidates, reserved.left_out + chosen.left_out)


def draw_place(triple_id: str, *, seed: int) -> float:
    """Give a triple its place between 0 and 1 in the random order of a seed.

    It depends on nothing else: a pool that grows changes no place.
    """
    digest = content_key(["labelling", seed, triple_id])
    return float(int(digest, 16) / 16 ** len(digest))


def find_doubt(probability: float, threshold: float) -> float:
    """Give how little is known of the side of the threshold: 1 at the threshold, towards 0 far off.

    The variance of an answer that is yes with the odds of the probability against the threshold,
    four times.

    >>> find_doubt(0.7, 0.7)
    1.0
    >>> find_doubt(0.9, 0.5) == find_doubt(0.1, 0.5) < find_doubt(0.8, 0.5)
    True
    """
    odds = _log_odds(probability) - _log_odds(threshold)
    return round(1 / math.cosh(odds / 2) ** 2, 6)


def draw_turn(place: float, doubt: float) -> float:
    """Give a triple its turn among those drawn in proportion to their doubt, the smallest first.

    Exponential races draw without putting back (Efraimidis and Spirakis 2006).

    Args:
        place: Uniform between 0 and 1, its own.
        doubt: Above 0.
    """
    return -math.log1p(-place) / doubt


def _log_odds(probability: float) -> float:
    inside = min(max(probability, _EDGE), 1 - _EDGE)
    return math.log(inside / (1 - inside))


def _pick(
    chosen: Sequence[tuple[float, Question]],
    *,
    centres: Sequence[str],
    encode: Encode | None,
    config: LabellingConfig,
) -> Iterator[Question]:
    # Half at most: in a small pool, too, those drawn first come first.
    short = min(config.shortlist, -(-len(chosen) // 2)) if encode is not None else 0
    if encode is not None and short > 1:
        sentences = [question.sentence for _, question in chosen[:short]]
        vectors = encode([*sentences, *centres])
        for place, why in spread(vectors[:short], centres=vectors[short:]):
            yield chosen[place][1].model_copy(update={"chosen_by": why})
    else:
        short = 0
    for _, question in chosen[short:]:
        yield question.model_copy(update={"chosen_by": UNCERTAIN})


def spread(vectors: Vectors, *, centres: Vectors) -> Iterator[tuple[int, str]]:
    """Give all rows: by turns the next in order, and the one that differs most from all before.

    Args:
        vectors: (rows, width), of length one.
        centres: (others, width), what the rows should differ from to begin with.

    Yields:
        A row's number, and uncertain (it was next) or diverse (it differed most).
    """
    distance = np.full(len(vectors), 2.0)  # the largest distance of two vectors of length one
    for centre in centres:
        distance = np.minimum(distance, 1 - vectors @ centre)
    waiting = dict.fromkeys(range(len(vectors)))
    for turn in range(len(vectors)):
        why = (UNCERTAIN, DIVERSE)[turn % 2]
        # Rounded, so that equal sentences are equal on every machine; the earlier one is first.
        best = next(iter(waiting)) if why == UNCERTAIN else int(np.argmax(np.round(distance, 5)))
        yield best, why
        del waiting[best]
        distance = np.minimum(distance, np.maximum(1 - vectors @ vectors[best], 0.0))
        distance[best] = -1.0


def _mix(
    random: Sequence[Question], picked: Iterator[Question], *, asked: int, share: float
) -> Iterator[Question]:
    """Take turns: any beginning holds the share of random questions, as long as both last."""
    waiting = iter(random)
    for turn in count(asked):
        is_random_turn = math.floor((turn + 1) * share) > math.floor(turn * share)
        first, second = (waiting, picked) if is_random_turn else (picked, waiting)
        found = next(first, None) or next(second, None)
        if found is None:
            return
        yield found


class _Smallest:
    """Keeps the questions with the smallest keys; a triple that comes twice is kept once."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._heap: list[tuple[float, str]] = []  # the largest key first
        self._kept: dict[str, Question] = {}
        self.left_out = 0

    def add(self, key: float, question: Question) -> None:
        """Keep a question, unless there are enough with smaller keys."""
        name = question.triple_id
        if name in self._kept:
            return
        heapq.heappush(self._heap, (-key, name))
        self._kept[name] = question
        if len(self._heap) > self._capacity:
            _, dropped = heapq.heappop(self._heap)
            del self._kept[dropped]
            self.left_out += 1

    def sorted(self) -> list[tuple[float, Question]]:
        """Give what was kept with its key, the smallest key first, then by id."""
        pairs = sorted((-negative, name) for negative, name in self._heap)
        return [(key, self._kept[name]) for key, name in pairs]
