"""The door for people who hold a model, a tokenizer, prompts and constraints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, overload

import torch
from pydantic import ValidationError

from kgbuild.core.config import DecodingConfig
from kgbuild.core.config_file import explain
from kgbuild.core.errors import ClauseError, ConfigError
from kgbuild.decoding.beam import beam_search
from kgbuild.decoding.clauses import AnyClause, AnyOf, ConstraintSet, Not
from kgbuild.decoding.hypotheses import Hypothesis
from kgbuild.decoding.runner import CausalModel
from kgbuild.decoding.sampling import sample
from kgbuild.decoding.vocabulary import Tokenizer

# Free text, where tails of a graph want other defaults: an unlikely end is an end, and the
# likeliest text comes first, whatever others begin with.
FREE_TEXT: dict[str, Any] = {
    "ends": ("\n",),
    "max_new_tokens": 32,
    "returned": 1,
    "is_diverse": False,
    "end_floor": -1e9,
}


@overload
def generate(
    model: CausalModel, tokenizer: Tokenizer, prompts: str, **options: Any
) -> list[Hypothesis]: ...


@overload
def generate(
    model: CausalModel, tokenizer: Tokenizer, prompts: Sequence[str], **options: Any
) -> list[list[Hypothesis]]: ...


def generate(
    model: CausalModel,
    tokenizer: Tokenizer,
    prompts: str | Sequence[str],
    *,
    require: Sequence[str | Sequence[str] | AnyClause] = (),
    ban: Sequence[str] = (),
    constraints: ConstraintSet | Sequence[ConstraintSet] | None = None,
    prefix: str = "",
    method: Literal["beam", "sample"] = "beam",
    seed: int = 0,
    at_once: int | None = None,
    settings: DecodingConfig | None = None,
    **changes: Any,
) -> list[Hypothesis] | list[list[Hypothesis]]:
    """Complete prompts so that the text says what it must and never what it must not.

    Works with every causal model and encoder-decoder of transformers whose cache rows can be
    moved, on the device where it stands. The text ends at the model's own end tokens or a line
    end. Every hypothesis says which clauses it meets; where no text within the token budget meets
    all of them, the best partial one comes back with `unmet`.

    Args:
        prompts: One text or several; many go through in running batches.
        require: What every completion has to say: a phrase, several of which one is enough, or a
            clause such as `Count` or `EndsWith`.
        ban: Phrases that are never written.
        constraints: Beyond these, one set for all prompts, or one for each.
        prefix: Text before every prompt, such as few-shot examples; it is read once.
        method: NeuroLogic beam search, or nucleus sampling under the same clauses.
        seed: Of sampling.
        at_once: Prompts under way together; by default as many as memory holds.
        settings: All of them, instead of those for free text.
        changes: Single settings of `DecodingConfig`: `beams`, `returned`, `max_new_tokens`,
            `mode`, `lookahead`, `temperature` and so on.

    Returns:
        The best `returned` completions of a text, best first; for several texts, a list of those.

    Raises:
        ClauseError: If a phrase is empty, or clauses contradict each other.
        ConfigError: If a setting does not exist or has no such value.
        ModelError: If the model's cache cannot be moved, its logits are not numbers, or one
            prompt does not fit into memory.

    >>> from kgbuild.decoding import generate
    >>> generate(model, tokenizer, "The chef", require=[["cake", "pie"]])  # doctest: +SKIP
    """
    config = _choose_settings(settings, {**changes, "method": method})
    texts = [prompts] if isinstance(prompts, str) else list(prompts)
    common = [*(_read_clause(one) for one in require), *(Not(phrase) for phrase in _listed(ban))]
    sets = _spread_sets(constraints, len(texts))
    sets = [
        ConstraintSet((*common, *one.clauses), min_words=one.min_words, max_words=one.max_words)
        for one in sets
    ]
    if config.method == "beam":
        found = beam_search(
            model, tokenizer, texts, sets, settings=config, prefix=prefix, at_once=at_once
        )
    else:
        found = sample(
            model,
            tokenizer,
            texts,
            sets,
            settings=config,
            generator=torch.Generator().manual_seed(seed),
            prefix=prefix,
            at_once=at_once,
        )
    return found[0] if isinstance(prompts, str) else found


def _choose_settings(settings: DecodingConfig | None, changes: dict[str, Any]) -> DecodingConfig:
    base = settings.model_dump() if settings is not None else FREE_TEXT
    try:
        return DecodingConfig.model_validate({**base, **changes})
    except ValidationError as error:
        raise ConfigError(explain(error, root=DecodingConfig)) from error


def _listed(phrases: Sequence[str]) -> Sequence[str]:
    if isinstance(phrases, str):
        raise ClauseError(f"ban={phrases!r} is one text; write ban=[{phrases!r}]")
    return phrases


def _read_clause(wanted: str | Sequence[str] | AnyClause) -> AnyClause:
    if isinstance(wanted, str):
        return AnyOf((wanted,))
    return AnyOf(tuple(wanted)) if isinstance(wanted, list | tuple) else wanted  # type: ignore[return-value]


def _spread_sets(
    constraints: ConstraintSet | Sequence[ConstraintSet] | None, count: int
) -> list[ConstraintSet]:
    if constraints is None or isinstance(constraints, ConstraintSet):
        return [constraints or ConstraintSet()] * count
    return list(constraints)
