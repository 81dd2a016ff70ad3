"""NeuroLogic A*esque decoding: hypotheses are judged by what they make likely (Lu et al. 2022).

A step goes over twice as many hypotheses as there are beams. Each is looked at a few tokens ahead:
how likely does a phrase that is still wanted become along the way (equation 5 there, with the mean
log-probability of the phrase's tokens, and the largest over wanted phrases and places). The beams
are chosen with that added to their score. Only what is left after grouping is looked ahead.

Ways ahead are rolled out a forward pass a token (`rollout`): the likeliest next token again and
again, a drawn one, or a small beam, of which the best path counts. Or there is a draft: what the
last look thought likely, read together with the new token in one forward pass. A draft is corrected
at every step by what the model then says (as in Jacobi decoding), and the pass serves as the step
itself, so that looking ahead costs no pass of its own. What would follow the text's end is not
looked at.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from kgbuild.core.config import DecodingConfig
from kgbuild.decoding.batching import Move
from kgbuild.decoding.beam_item import BeamItem, advance_items
from kgbuild.decoding.candidates import NEVER, Blocked
from kgbuild.decoding.proposals import Proposals
from kgbuild.decoding.rollout import roll_out
from kgbuild.decoding.runner import Runner
from kgbuild.decoding.selection import choose_beams


def look_ahead(
    runner: Runner,
    moves: Sequence[Move],
    *,
    settings: DecodingConfig,
    blocked: Blocked,
    generator: torch.Generator,
) -> torch.Tensor:
    """Advance rows and give what follows them.

    Returns:
        (rows, paths, lookahead, vocab) logits after the new token and after each token of the paths
        ahead.
    """
    parents = [move.parent for move in moves]
    if settings.lookahead_by == "draft":
        return runner.peek(parents, [(move.token, *move.draft) for move in moves])[:, None]
    logits = runner.advance(parents, [move.token for move in moves])
    return roll_out(
        runner.branch(),
        logits,
        settings=settings,
        closed=_close(blocked, logits),
        generator=generator,
    )


def step_ahead(
    items: Sequence[BeamItem],
    logits: torch.Tensor,
    *,
    settings: DecodingConfig,
    blocked: Blocked,
) -> list[Move]:
    """Choose the beams with what was seen ahead, and take one step with them.

    Args:
        logits: (rows, paths, lookahead, vocab) of all hypotheses, item by item; for prompts just
            read (rows, vocab).
    """
    ahead = logits[:, None, None] if logits.ndim == 2 else logits
    kept: list[int] = []
    first = 0
    for item in items:
        rows = range(first, first + item.rows)
        first += item.rows
        if item.rows > settings.beams:
            hopes = estimate(item, ahead[rows.start : rows.stop])
            kept += [rows[place] for place in narrow(item, hopes, settings=settings)]
        else:
            kept += rows
    moved = advance_items(
        items, ahead[kept, 0, 0], settings=settings, blocked=blocked, kept=2 * settings.beams
    )
    if settings.lookahead_by != "draft":
        return [Move(kept[row], token) for row, token, _ in moved]
    # What each position thinks comes next; a draft begins after the token that is chosen now.
    said = ahead[kept, 0].index_fill_(2, _close(blocked, logits), NEVER)
    guesses = said.argmax(dim=2).tolist()
    length = settings.lookahead - 1
    return [
        Move(kept[row], token, tuple((guesses[row][1:] + guesses[row][-1:] * length)[:length]))
        for row, token, _ in moved
    ]


def _close(blocked: Blocked, logits: torch.Tensor) -> torch.Tensor:
    """Give the tokens that no way ahead takes: what follows an end is another text."""
    return torch.cat(blocked.find(logits.shape[-1], logits.device))


def narrow(item: BeamItem, hopes: Sequence[float], *, settings: DecodingConfig) -> list[int]:
    """Keep as many hypotheses of an item as it has beams; give their places in order."""
    candidates = []
    for place, (beam, hope) in enumerate(zip(item.live, hopes, strict=True)):
        one = item.weigh(place, beam.tokens[-1], score=beam.score, state=beam.state)
        candidates.append(one._replace(rank=one.rank + settings.lookahead_weight * hope))
    chosen = choose_beams(candidates, beams=settings.beams, tolerance=settings.clause_tolerance)
    places = sorted(candidate.row for candidate in chosen)
    item.live = [item.live[place] for place in places]
    return places


def estimate(item: BeamItem, ahead: torch.Tensor) -> list[float]:
    """Give for each hypothesis how likely a wanted phrase becomes; 0 where none is wanted.

    Of several paths ahead the best counts.

    Args:
        ahead: (rows, paths, lookahead, vocab) logits.
    """
    proposals = Proposals.of(item.compiled)
    ways = [proposals.list_ways(beam.state) for beam in item.live]
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
