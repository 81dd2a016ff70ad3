"""Nucleus sampling under the same clauses.

Bans are masked and, in hard mode, the text cannot end while a clause is unmet. The probability
that the model gives to ending is then spent on the tokens that bring an unmet clause forward, in
proportion to their own: where the model thinks it is done, a missing phrase comes in. Once the
budget is only just enough for the missing phrases, nothing else may be drawn.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch

from kgbuild.core.config import DecodingConfig
from kgbuild.decoding.batching import Item, Move, run_items
from kgbuild.decoding.candidates import Blocked, check_logits, find_repeats
from kgbuild.decoding.clauses import ConstraintSet
from kgbuild.decoding.compiling import compile_sets
from kgbuild.decoding.hypotheses import Hypothesis, build_hypothesis
from kgbuild.decoding.masks import Masks
from kgbuild.decoding.proposals import Proposals
from kgbuild.decoding.runner import CausalModel, encode_prompts, hold_still
from kgbuild.decoding.standing import DEAD
from kgbuild.decoding.state import CompiledConstraints
from kgbuild.decoding.vocabulary import Tokenizer


@dataclass
class Draw:
    """One sample as it grows."""

    compiled: CompiledConstraints
    state: int
    name: str
    generator: torch.Generator
    tokens: tuple[int, ...] = ()
    score: float = 0.0
    is_ended: bool = False
    is_stuck: bool = False
    is_pulled: bool = False  # the last token was drawn for a phrase that it has to finish


class DrawItem(Item):
    """The samples of one prompt.

    Every draw has a generator of its own, so what it says does not depend on what else is drawn.
    """

    def __init__(self, compiled: CompiledConstraints, *, seeds: Sequence[int], name: str) -> None:
        self.draws = [
            Draw(compiled, compiled.start, name, torch.Generator().manual_seed(seed))
            for seed in seeds
        ]
        self.live = list(self.draws)

    @property
    def rows(self) -> int:
        """How many draws go on."""
        return len(self.live)


def sample(
    model: CausalModel,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    constraints: Sequence[ConstraintSet],
    *,
    settings: DecodingConfig,
    generator: torch.Generator,
    prefix: str | Sequence[str] = "",
    at_once: int | None = None,
) -> list[list[Hypothesis]]:
    """Draw `settings.returned` completions of every prompt, in the order drawn.

    Log-probabilities are the model's own, at temperature 1 and without masks. A draw that bans
    leave with no next token and no lawful text is left out.

    Args:
        prefix: Text before every prompt, or one each.
        at_once: Prompts under way together; by default as many as memory holds.

    Raises:
        ClauseError: If a set contradicts itself or prompts and sets differ in number.
        ModelError: If the model's kind is not supported or its logits are not numbers.
    """
    compiled = compile_sets(model, tokenizer, prompts, constraints, settings=settings)
    if not compiled:
        return []
    blocked = Blocked.of(compiled[0].vocabulary)
    shape = (len(compiled), settings.returned)
    seeds = torch.randint(2**62, shape, generator=generator).tolist()

    def step(items: Sequence[DrawItem], logits: torch.Tensor) -> list[Move]:
        return _extend_items(items, logits, settings=settings, blocked=blocked)

    with hold_still(model):
        items = run_items(
            model,
            encode_prompts(tokenizer, prompts, prefix=prefix),
            make=lambda place: DrawItem(
                compiled[place], seeds=seeds[place], name=f"prompt {place}"
            ),
            step=step,
            rows_each=settings.returned,
            new_tokens=settings.max_new_tokens,
            at_once=at_once,
        )
    return [[_finish(draw) for draw in item.draws if _is_lawful(draw)] for item in items]


def _extend_items(
    items: Sequence[DrawItem],
    logits: torch.Tensor,
    *,
    settings: DecodingConfig,
    blocked: Blocked,
) -> list[Move]:
    """Add one token to every live draw; give the rows that go on."""
    rows: list[int] = []
    for item in items:
        # A prompt just read has one row, which all of its draws go on from.
        is_fresh = not item.live[0].tokens
        first = rows[-1] + 1 if rows else 0
        rows += [first + (0 if is_fresh else place) for place in range(item.rows)]
    live = [draw for item in items for draw in item.live]
    _extend(live, logits[rows], settings=settings, blocked=blocked)
    moved = [
        Move(row, draw.tokens[-1])
        for row, draw in zip(rows, live, strict=True)
        if _goes_on(draw, settings)
    ]
    for item in items:
        item.live = [draw for draw in item.live if _goes_on(draw, settings)]
    return moved


def _goes_on(draw: Draw, settings: DecodingConfig) -> bool:
    return not (draw.is_ended or draw.is_stuck) and len(draw.tokens) < settings.max_new_tokens


def _is_lawful(draw: Draw) -> bool:
    return bool(draw.tokens) and draw.compiled.judge(draw.state).is_clean


def _finish(draw: Draw) -> Hypothesis:
    text = draw.compiled.vocabulary.read_text(draw.tokens[: len(draw.tokens) - draw.is_ended])
    return build_hypothesis(
        text,
        tokens=draw.tokens,
        score=draw.score,
        met=draw.compiled.judge(draw.state).met,
        size=draw.compiled.size,
        is_ended=draw.is_ended,
    )


def _extend(
    live: Sequence[Draw],
    logits: torch.Tensor,
    *,
    settings: DecodingConfig,
    blocked: Blocked,
) -> None:
    """Add one token to every draw."""
    logits = logits.float()
    sums = torch.logsumexp(logits, dim=1)
    check_logits(sums.tolist(), names=[draw.name for draw in live])
    end_ids, never_ids = blocked.find(logits.shape[1], logits.device)
    scaled = logits / settings.temperature
    scaled.index_fill_(1, never_ids, float("-inf"))
    ends = set(end_ids.tolist())
    for index, draw in enumerate(live):
        is_last = len(draw.tokens) + 1 == settings.max_new_tokens
        choices = _weigh(draw, scaled[index], settings=settings, end_ids=end_ids)
        draws = _draw_tokens(choices, generator=draw.generator)
        taken = _choose(draw, draws, ends=ends, is_last=is_last)
        draw.is_stuck = taken is None
        if taken is not None:
            token, state = taken
            gained = float(logits[index, token] - sums[index])
            if token in ends and gained < settings.end_floor:
                draw.is_stuck = True
                continue
            draw.state = state
            draw.tokens = (*draw.tokens, token)
            draw.score += gained
            draw.is_ended = token in ends


def _choose(
    draw: Draw, tokens: Iterable[int], *, ends: Container[int], is_last: bool
) -> tuple[int, int] | None:
    """Take the first lawful token and the state after it, or nothing.

    A word that is banned unless it grows ("car" into "carpool") is taken only if there is no
    other, because a model that wanted the word ends it and what would then be drawn is noise.
    """
    compiled = draw.compiled
    waiting: tuple[int, int] | None = None
    for token in tokens:
        state = draw.state if token in ends else compiled.step(draw.state, token)
        if state == DEAD:
            continue
        is_split = bool(compiled.read_state(state)[1].begun)  # half a character
        if compiled.judge(state).is_clean or (is_split and not is_last):
            return token, state
        if not is_last:
            waiting = waiting or (token, state)
    return waiting


def _draw_tokens(choices: Sequence[torch.Tensor], *, generator: torch.Generator) -> Iterator[int]:
    """Draw tokens without putting them back, from the first weights as long as they last."""
    for weights in choices:
        while bool((weights > 0).any()):
            token = int(torch.multinomial(weights.cpu(), 1, generator=generator))
            for others in choices:
                others[token] = 0.0
            yield token


def _weigh(
    draw: Draw,
    scaled: torch.Tensor,
    *,
    settings: DecodingConfig,
    end_ids: torch.Tensor,
) -> list[torch.Tensor]:
    """Give (vocab,) weights from which the next token is drawn, best choice first."""
    compiled, proposals = draw.compiled, Proposals.of(draw.compiled)
    for part in Masks.of(compiled).find_forbidden(draw.state, scaled.device):
        scaled.index_fill_(0, part, float("-inf"))
    scaled[find_repeats(draw.tokens, ngram=settings.no_repeat_ngram)] = float("-inf")
    if bool(scaled.isneginf().all()):
        return []
    weights = torch.softmax(scaled, dim=0)
    is_hard = settings.mode == "hard"
    is_early = len(draw.tokens) < settings.min_new_tokens
    is_early |= settings.min_new_tokens > 0 and compiled.is_empty(draw.state)
    spent = 0.0
    if is_early or not compiled.can_end(draw.state, is_hard=is_hard):
        spent = float(weights[end_ids].sum())
        weights[end_ids] = 0.0
    going_on = proposals.find_next(draw.state)
    if draw.is_pulled and not going_on and compiled.is_pending(draw.state):
        over = torch.zeros_like(weights)
        places = [*compiled.vocabulary.wordless_ids, *end_ids.tolist()]
        over[places] = weights[places]
        weights = over
    choices = [_keep_nucleus(weights, top_p=settings.top_p), weights]
    wanted = proposals.find(draw.state) if is_hard else ()
    is_pulled, draw.is_pulled = draw.is_pulled, False
    if wanted:
        left = settings.max_new_tokens - len(draw.tokens) - 1  # one token is kept for the end
        is_due = left <= proposals.count_needed(draw.state)
        # A phrase that was pulled in is finished; half of it would stand there for nothing.
        is_due |= is_pulled and bool(going_on)
        if is_due:
            wanted = proposals.find_shortest(draw.state) or wanted
        draw.is_pulled = is_due or bool(torch.rand((), generator=draw.generator) < spent)
        if draw.is_pulled:
            places = list(wanted)
            pulled = torch.zeros_like(weights)
            pulled[places] = weights[places]
            choices.insert(0, pulled)
    return choices


def _keep_nucleus(weights: torch.Tensor, *, top_p: float) -> torch.Tensor:
    """Keep the likeliest tokens that together hold `top_p` of the mass.

    >>> _keep_nucleus(torch.tensor([0.1, 0.6, 0.3]), top_p=0.7)
    tensor([0.0000, 0.6000, 0.3000])
    """
    ordered, places = weights.sort(descending=True)
    before = ordered.cumsum(0) - ordered  # the token that crosses the line is kept
    dropped = places[before >= top_p * weights.sum()]
    kept = weights.clone()
    kept[dropped] = 0.0
    return kept
