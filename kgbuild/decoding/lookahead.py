"""NeuroLogic A*esque decoding: hypotheses are judged by what they make likely (Lu et al. 2022).

A step goes over a few more hypotheses than there are beams. Those whose place is in doubt, the last
to get one and the first to get none, are looked at a few tokens ahead: how likely does a phrase
that is still wanted become along the way (equation 5 there, with the mean log-probability of the
phrase's tokens, and the largest over wanted phrases and places)? They are chosen with that added
to their score. The others keep their place whatever lies ahead, so nothing is spent on them.

Ways ahead are rolled out a forward pass a token (`rollout`): the likeliest next token again and
again, a drawn one, or a small beam, of which the best path counts. Or there is a draft, read in one
forward pass: the likeliest next token, and behind it what the hypothesis it came from was thought
to go on with. A draft is corrected at every look by what the model then says (as in Jacobi
decoding). What would follow the text's end is not looked at.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from kgbuild.core.config import DecodingConfig
from kgbuild.decoding.batching import Move
from kgbuild.decoding.beam_item import BeamItem, advance_items
from kgbuild.decoding.candidates import NEVER, Blocked
from kgbuild.decoding.proposals import Proposals
from kgbuild.decoding.rollout import count_paths, roll_out
from kgbuild.decoding.runner import Runner
from kgbuild.decoding.selection import choose_beams

Ways = Sequence[Sequence[int]]  # the tokens of every phrase that is still wanted


def count_spare(settings: DecodingConfig) -> int:
    """Count the hypotheses a prompt beyond its beams, each of which may take one beam's place.

    A fifth: on 100 CommonGen sets the texts are nearly as likely as with as many as there are
    beams, at a third of the cost (benchmarks/decoding.md).
    """
    return max(1, round(settings.beams / 5)) if settings.lookahead else 0


def count_rows(settings: DecodingConfig) -> int:
    """Count the rows of logits that one prompt has at a time, those ahead included."""
    spare = count_spare(settings)
    return settings.beams + spare + 2 * spare * settings.lookahead * count_paths(settings)


class Lookout:
    """The steps of a search that looks ahead.

    Between two steps it keeps, for every row that the model has just read, what is thought to
    follow its next token.

    Attributes:
        hopes: How likely a wanted phrase becomes, by row, for those that were looked ahead.
    """

    def __init__(self, *, settings: DecodingConfig, blocked: Blocked) -> None:
        self._settings = settings
        self._blocked = blocked
        self._spare = count_spare(settings)
        self._generator = torch.Generator().manual_seed(0)  # of drawn ways ahead
        self._guesses: list[list[int]] = []
        self.hopes: dict[int, float] = {}

    def step(self, items: Sequence[BeamItem], logits: torch.Tensor) -> list[Move]:
        """Choose the beams with what was seen ahead, and take one step with them.

        Args:
            logits: (rows, vocab) of all hypotheses, item by item.
        """
        settings = self._settings
        kept: list[int] = []
        first = 0
        for item in items:
            rows = range(first, first + item.rows)
            first += item.rows
            if item.rows > settings.beams:
                hopes = [self.hopes.get(row, 0.0) for row in rows]
                kept += [rows[place] for place in narrow(item, hopes, settings=settings)]
            else:
                kept += rows
        is_fresh = all(not beam.tokens for item in items for beam in item.live)
        moved = advance_items(
            items, logits[kept], settings=settings, blocked=self._blocked, spare=self._spare
        )
        ways = [ways for item in items for ways in self._find_doubtful(item)]
        parents = [kept[move.parent] for move in moved]
        return [
            move._replace(
                parent=parent,
                draft=() if is_fresh else tuple(self._guesses[parent]),
                wanted=wanted,
            )
            for move, parent, wanted in zip(moved, parents, ways, strict=True)
        ]

    def _find_doubtful(self, item: BeamItem) -> list[tuple[tuple[int, ...], ...]]:
        """Give what every hypothesis still wants; nothing for those whose place is sure."""
        beams = self._settings.beams
        sure = beams - self._spare if item.rows > beams else item.rows
        list_ways = Proposals.of(item.compiled).list_ways
        return [() if at < sure else list_ways(beam.state) for at, beam in enumerate(item.live)]

    def advance(self, runner: Runner, moves: Sequence[Move]) -> torch.Tensor:
        """Advance rows, and look ahead of those that want something and whose place is in doubt.

        Returns:
            (rows, vocab) logits after the new tokens.
        """
        logits = runner.advance([move.parent for move in moves], [move.token for move in moves])
        self._guesses = [[*move.draft[1:], *move.draft[-1:]] for move in moves]
        doubtful = [row for row, move in enumerate(moves) if move.wanted]
        if not doubtful:
            self.hopes = {}
            return logits
        branch, seen = runner.branch(doubtful), logits[doubtful]
        closed = _close(self._blocked, logits)
        if self._settings.lookahead_by == "draft":
            ahead = self._read_drafts(branch, seen, doubtful, closed=closed)
        else:
            ahead = roll_out(
                branch, seen, settings=self._settings, closed=closed, generator=self._generator
            )
        hopes = estimate([moves[row].wanted for row in doubtful], ahead)
        self.hopes = dict(zip(doubtful, hopes, strict=True))
        return logits

    def _read_drafts(
        self, branch: Runner, seen: torch.Tensor, rows: Sequence[int], *, closed: torch.Tensor
    ) -> torch.Tensor:
        """Read what is thought to follow some rows, and correct it.

        Args:
            seen: (rows, vocab) logits of the rows.

        Returns:
            (rows, 1, lookahead, vocab) logits of the rows and after each token of their drafts.
        """
        if self._settings.lookahead == 1:
            return seen[:, None, None]
        length = self._settings.lookahead - 1
        first = seen.index_fill(1, closed, NEVER).argmax(dim=1).tolist()
        guesses = [[token, *self._guesses[row]] for token, row in zip(first, rows, strict=True)]
        drafts = [(guess + guess[-1:] * length)[:length] for guess in guesses]
        read = branch.peek(range(len(rows)), drafts)  # (rows, length, vocab)
        ahead = torch.cat([seen[:, None], read], dim=1)
        said = read.index_fill_(2, closed, NEVER).argmax(dim=2).tolist()
        for row, guess in zip(rows, said, strict=True):
            self._guesses[row] = guess
        return ahead[:, None]


def _close(blocked: Blocked, logits: torch.Tensor) -> torch.Tensor:
    """Give the tokens that no way ahead takes: what follows an end is another text."""
    return torch.cat(blocked.find(logits.shape[-1], logits.device))


def narrow(item: BeamItem, hopes: Sequence[float], *, settings: DecodingConfig) -> list[int]:
    """Keep as many hypotheses of an item as it has beams; give their places in order.

    Those whose place is sure stay; the others follow in the order in which groups take turns.
    """
    candidates = []
    for place, (beam, hope) in enumerate(zip(item.live, hopes, strict=True)):
        one = item.weigh(place, beam.tokens[-1], score=beam.score, state=beam.state)
        candidates.append(one._replace(rank=one.rank + settings.lookahead_weight * hope))
    order = choose_beams(candidates, beams=item.rows, tolerance=settings.clause_tolerance)
    spare = count_spare(settings)
    sure = settings.beams - spare
    rivals = [candidate.row for candidate in order if candidate.row >= sure]
    places = sorted([*range(sure), *rivals[:spare]])
    item.live = [item.live[place] for place in places]
    return places


def estimate(ways: Sequence[Ways], ahead: torch.Tensor) -> list[float]:
    """Give for each hypothesis how likely a wanted phrase becomes; 0 where none is wanted.

    Of several paths ahead the best counts.

    Args:
        ways: Of every hypothesis.
        ahead: (rows, paths, lookahead, vocab) logits.
    """
    asked = [
        (row, token)
        for row, phrases in enumerate(ways)
        for token in dict.fromkeys(token for way in phrases for token in way)
    ]
    if not asked:
        return [0.0] * len(ways)
    sums = torch.logsumexp(ahead.float(), dim=3)  # (rows, paths, lookahead)
    rows, tokens = torch.tensor(asked, device=ahead.device).T
    seen = (ahead[rows, :, :, tokens].float() - sums[rows]).tolist()  # (asked, paths, lookahead)
    likely = dict(zip(asked, seen, strict=True))
    return [
        max(
            (
                _follow([likely[row, token][path] for token in way])
                for way in phrases
                for path in range(ahead.shape[1])
            ),
            default=0.0,
        )
        for row, phrases in enumerate(ways)
    ]


def _follow(likely: Sequence[Sequence[float]]) -> float:
    """Give the largest mean log-probability of a phrase over the places where it could begin.

    Args:
        likely: Log-probability of each of its tokens at every place.
    """
    places = len(likely[0])
    best = float("-inf")
    for start in range(places):
        part = likely[: places - start]
        best = max(best, sum(at[start + i] for i, at in enumerate(part)) / len(part))
    return best
