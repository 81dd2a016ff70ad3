"""NeuroLogic beam search: likely texts that meet their clauses (Lu et al. 2021, section 3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from kgbuild.core.config import DecodingConfig
from kgbuild.decoding.batching import Move, run_items
from kgbuild.decoding.beam_item import BeamItem, advance_items
from kgbuild.decoding.candidates import Blocked
from kgbuild.decoding.clauses import ConstraintSet
from kgbuild.decoding.compiling import compile_sets
from kgbuild.decoding.hypotheses import Hypothesis
from kgbuild.decoding.lookahead import Lookout, count_rows
from kgbuild.decoding.runner import CausalModel, encode_prompts, hold_still
from kgbuild.decoding.vocabulary import Tokenizer


def beam_search(
    model: CausalModel,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    constraints: Sequence[ConstraintSet],
    *,
    settings: DecodingConfig,
    prefix: str | Sequence[str] = "",
    is_exact: bool = False,
    at_once: int | None = None,
) -> list[list[Hypothesis]]:
    """Give the n best completions of every prompt, best first.

    Prompts advance together, each under its own constraint set; as one finishes, the next that
    waits takes its place. A list is shorter than `settings.returned` when fewer distinct lawful
    texts were found, and empty when there is none.

    Args:
        prefix: Text before every prompt, such as few-shot examples, or one each; what prompts of
            one prefix begin with is computed once.
        is_exact: Search on until no longer text could win. By default a live beam is judged by
            the length it has, as transformers does.
        at_once: Prompts under way together; by default as many as memory holds. A batch that
            does not fit is halved.

    Raises:
        ClauseError: If a set contradicts itself or prompts and sets differ in number.
        ModelError: If the model's kind is not supported, its logits are not numbers, or one
            prompt alone does not fit into memory.
    """
    compiled = compile_sets(model, tokenizer, prompts, constraints, settings=settings)
    if not compiled:
        return []
    blocked = Blocked.of(compiled[0].vocabulary)

    lookout = Lookout(settings=settings, blocked=blocked) if settings.lookahead else None

    def step(items: Sequence[BeamItem], logits: torch.Tensor) -> list[Move]:
        return advance_items(items, logits, settings=settings, blocked=blocked)

    with hold_still(model):
        items = run_items(
            model,
            encode_prompts(tokenizer, prompts, prefix=prefix),
            make=lambda place: BeamItem(
                compiled[place], settings=settings, is_exact=is_exact, name=f"prompt {place}"
            ),
            step=lookout.step if lookout else step,
            advance=lookout.advance if lookout else None,
            rows_each=count_rows(settings),
            new_tokens=settings.max_new_tokens + settings.lookahead,
            at_once=at_once,
        )
    return [item.rank() for item in items]
