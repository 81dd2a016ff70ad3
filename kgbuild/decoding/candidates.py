"""Scores of all next tokens, cut down on the device and copied to the host once a step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

import torch

from kgbuild.core.errors import ModelError
from kgbuild.decoding.vocabulary import Vocabulary

NEVER = float("-inf")
# Scores of so many rows stay in a processor's cache, and their memory is not fetched afresh.
ROWS_AT_ONCE = 16
BLOCK = 128  # columns; half and twice as many take a tenth longer


@dataclass
class RowRequest:
    """What one live row asks of the scores of its next token.

    Attributes:
        score: Sum of log-probabilities so far.
        wanted: Tokens whose score is needed whatever their rank (b in section 3).
        forbidden: Index tensors of tokens that must not be chosen.
        repeats: Tokens that would repeat an n-gram.
        can_end: Whether an end token may follow.
    """

    score: float
    wanted: Sequence[int] = ()
    forbidden: Sequence[torch.Tensor] = ()
    repeats: Sequence[int] = ()
    can_end: bool = True


@dataclass
class RowScores:
    """Candidates of one row: (total score, token), and the best end token if one may follow."""

    tokens: list[tuple[float, int]] = field(default_factory=list)
    wanted: list[tuple[float, int]] = field(default_factory=list)
    end: tuple[float, int] | None = None


class Blocked:
    """Tokens that no row may choose, for logits of a certain width."""

    def __init__(self, *, end_ids: Sequence[int], blocked_ids: Sequence[int], size: int) -> None:
        self._end_ids = end_ids
        self._blocked_ids = blocked_ids
        self._size = size
        self._tensors: dict[tuple[int, torch.device], tuple[torch.Tensor, torch.Tensor]] = {}

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> Blocked:
        """Give what a vocabulary's rows may not choose."""
        return cls(
            end_ids=vocabulary.end_ids, blocked_ids=vocabulary.blocked_ids, size=vocabulary.size
        )

    def find(self, width: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
        """Give the end tokens, and the blocked ones with the tail beyond the tokenizer."""
        key = (width, device)
        if key not in self._tensors:
            ends = [token for token in self._end_ids if token < width]
            blocked = [token for token in self._blocked_ids if token < width]
            blocked += range(self._size, width)
            self._tensors[key] = (
                torch.tensor(ends, dtype=torch.long, device=device),
                torch.tensor(blocked, dtype=torch.long, device=device),
            )
        return self._tensors[key]


def check_logits(tell_tales: Sequence[float], *, names: Sequence[str]) -> None:
    """Raise if a row's logits are not numbers.

    Args:
        tell_tales: Of every row its largest logit or its log-sum-exp, whichever is at hand: both
            are finite if the logits can be used, and only then.

    Raises:
        ModelError: Naming the row.
    """
    for told, name in zip(tell_tales, names, strict=True):
        if not abs(told) < float("inf"):
            raise ModelError(
                f"the model gave no usable logits for {name} (they come to {told}); "
                "try another dtype or check the weights"
            )


def score_candidates(
    logits: torch.Tensor,
    rows: Sequence[RowRequest],
    *,
    blocked: Blocked,
    width: int,
    names: Sequence[str],
) -> list[RowScores]:
    """Find each row's best next tokens, its wanted tokens and its best end token.

    All end tokens leave the same text, so only the likeliest of them is a candidate.

    Args:
        logits: (rows, vocab), any floating dtype.
        width: How many best tokens a row gives.
        names: What to call each row in an error.
    """
    at_once = ROWS_AT_ONCE if logits.device.type == "cpu" else max(1, len(rows))
    parts = [slice(first, first + at_once) for first in range(0, len(rows), at_once)]
    tables = [_rate(logits[part], rows[part], blocked=blocked, width=width) for part in parts]
    # One tensor means one copy from the device.
    flat = torch.cat([table.flatten() for pair in zip(*tables, strict=True) for table in pair])
    numbers = iter(flat.tolist())
    kept = min(width, logits.shape[1])
    lines = [list(islice(numbers, 3 + 2 * kept)) for _ in rows]
    check_logits([line[0] for line in lines], names=names)
    found: list[RowScores] = []
    for row, (_, score, token, *best) in zip(rows, lines, strict=True):
        pairs = zip(best[:kept], map(int, best[kept:]), strict=True)
        tokens = [pair for pair in pairs if pair[0] > NEVER]
        extra = zip(islice(numbers, len(row.wanted)), row.wanted, strict=True)
        wanted = [pair for pair in extra if pair[0] > NEVER]
        end = (score, int(token)) if row.can_end and score > NEVER else None
        found.append(RowScores(tokens, wanted, end))
    return found


def _rate(
    logits: torch.Tensor, rows: Sequence[RowRequest], *, blocked: Blocked, width: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Rate the next tokens of rows.

    Returns:
        (rows, 3 + 2 width): the largest logit, the total score and token of the best end, the best
        total scores and their tokens; and the total scores of all wanted tokens, row by row. Tokens
        are exact in float32 up to 2**24.
    """
    scores, largest, (ends, end_ids) = _mask_scores(logits, rows, blocked=blocked)
    vocab = scores.shape[1]
    best, best_ids = find_top(scores, min(width, vocab))  # (rows, width)
    wanted = [index * vocab + token for index, row in enumerate(rows) for token in row.wanted]
    asked = torch.tensor(wanted, dtype=torch.long, device=scores.device)
    base = torch.tensor([row.score for row in rows], device=scores.device)
    first = torch.stack([largest, ends + base, end_ids.float()], dim=1)
    table = torch.cat([first, best + base[:, None], best_ids.float()], dim=1)
    return table, scores.view(-1)[asked] + base[asked // vocab]


def find_top(scores: torch.Tensor, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Give the largest scores of every row and their places, largest first.

    The largest are among the columns of the blocks with the largest maxima, so that only those are
    sorted: a fifth of the time of `torch.topk` over 8 rows of 49,152 (benchmarks/decoding.md).

    Args:
        scores: (rows, vocab).
        width: At most the vocabulary.
    """
    blocks = scores.shape[1] // BLOCK
    if 4 * width > blocks:
        values, places = torch.topk(scores, width, dim=1)
        return values, places
    body = scores[:, : blocks * BLOCK].view(len(scores), blocks, BLOCK)
    chosen = body.amax(dim=2).topk(width, dim=1).indices  # (rows, width)
    columns = chosen[:, :, None] * BLOCK + torch.arange(BLOCK, device=scores.device)
    rest = torch.arange(blocks * BLOCK, scores.shape[1], device=scores.device)
    columns = torch.cat([columns.flatten(1), rest.expand(len(scores), -1)], dim=1)
    values, places = scores.gather(1, columns).topk(width, dim=1)
    return values, columns.gather(1, places)


def _mask_scores(
    logits: torch.Tensor, rows: Sequence[RowRequest], *, blocked: Blocked
) -> tuple[torch.Tensor, torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
    """Give masked log-probabilities (rows, vocab), largest logits and each row's best end."""
    logits = logits.float()
    largest = logits.amax(dim=1)
    scores = torch.log_softmax(logits, dim=1)  # half the time of a log-sum-exp
    end_ids, never_ids = blocked.find(scores.shape[1], scores.device)
    if len(end_ids):
        value, place = scores[:, end_ids].max(dim=1)
        ends = (value, end_ids[place])
        scores.index_fill_(1, end_ids, NEVER)
    else:
        ends = (torch.full_like(largest, NEVER), torch.zeros_like(largest, dtype=torch.long))
    if len(never_ids):
        scores.index_fill_(1, never_ids, NEVER)
    for index, row in enumerate(rows):
        for part in row.forbidden:
            scores[index].index_fill_(0, part, NEVER)
        if row.repeats:
            scores[index, list(row.repeats)] = NEVER
    return scores, largest, ends


def find_floors(
    found: Sequence[RowScores], *, groups: Sequence[Sequence[int]], alpha: int, full: int
) -> list[float]:
    """Give for every item the alpha-th largest score of its rows, the bar for wanted tokens.

    Args:
        groups: Rows of each item.
        alpha: Candidates that pass; 0 switches the bar off.
        full: Size of the vocabulary.
    """
    floors: list[float] = []
    for group in groups:
        scores = sorted((score for row in group for score, _ in found[row].tokens), reverse=True)
        is_off = alpha == 0 or alpha >= len(group) * full or alpha > len(scores)
        floors.append(NEVER if is_off else scores[alpha - 1])
    return floors


def find_repeats(tokens: Sequence[int], *, ngram: int) -> list[int]:
    """List the tokens that would repeat an n-gram of the new tokens; the prompt is free.

    >>> find_repeats([1, 2, 3, 1, 2], ngram=3)
    [3]
    """
    if ngram <= 0 or len(tokens) < ngram:
        return []
    tail = tuple(tokens[len(tokens) - ngram + 1 :])
    starts = range(len(tokens) - ngram + 1)
    return [
        tokens[start + ngram - 1]
        for start in starts
        if tuple(tokens[start : start + ngram - 1]) == tail
    ]
