"""Clauses made ready for a vocabulary, once for every set that comes back."""

from __future__ import annotations

from collections.abc import Sequence

from kgbuild.core.config import DecodingConfig
from kgbuild.core.errors import ClauseError
from kgbuild.decoding.clauses import ConstraintSet
from kgbuild.decoding.runner import CausalModel, find_eos_ids
from kgbuild.decoding.state import CompiledConstraints
from kgbuild.decoding.vocabulary import Tokenizer, Vocabulary
from kgbuild.decoding.writing import Pen

MAX_SETS = 256  # kept with a vocabulary
MAX_STATES = 100_000  # a set that has met more starts afresh, so memory stays bounded


def compile_clauses(constraints: ConstraintSet, vocabulary: Vocabulary) -> CompiledConstraints:
    """Make a constraint set ready for one vocabulary.

    Equal sets share what was compiled, so prompts of one relation pay once.

    Raises:
        ClauseError: If clauses contradict each other or a wanted phrase cannot be written.
    """
    kept = vocabulary.compiled
    compiled: CompiledConstraints | None = kept.pop(constraints, None)
    if compiled is None or compiled.states_kept > MAX_STATES:
        compiled = CompiledConstraints(constraints, vocabulary)
    kept[constraints] = compiled  # newest last
    if len(kept) > MAX_SETS:
        del kept[next(iter(kept))]
    return compiled


def check_repeats(compiled: CompiledConstraints, *, ngram: int) -> None:
    """Refuse wanted phrases that n-gram blocking would never let be finished.

    Raises:
        ClauseError: If every phrase of a clause repeats an n-gram of tokens, however it is cut.
    """
    if ngram <= 0:
        return
    vocabulary = compiled.vocabulary
    pen = Pen(vocabulary)
    for clause, literals, _ in compiled.wanted:
        phrases = [compiled.literals[index] for index in literals]
        # The usual spelling is free of repeats in nearly all sets; only else another is looked for.
        if any(_is_free(" " + one.phrase, vocabulary, ngram=ngram) for one in phrases):
            continue
        if not any(pen.has_unrepeated(literal, ngram=ngram) for literal in phrases):
            raise ClauseError(
                f"{compiled.constraints.clauses[clause]!r} repeats {ngram} tokens however it is "
                f"cut, which no_repeat_ngram={ngram} forbids; raise it or set it to 0"
            )


def _is_free(text: str, vocabulary: Vocabulary, *, ngram: int) -> bool:
    """Whether the usual spelling of a text has no n-gram of tokens twice."""
    tokens = vocabulary.spell(text)
    grams = [tokens[start : start + ngram] for start in range(len(tokens) - ngram + 1)]
    return len(set(grams)) == len(grams) and vocabulary.read_text(tokens) == text


def compile_sets(
    model: CausalModel,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    constraints: Sequence[ConstraintSet],
    *,
    settings: DecodingConfig,
) -> list[CompiledConstraints]:
    """Compile every prompt's constraint set for the model's vocabulary."""
    if len(prompts) != len(constraints):
        raise ClauseError(
            f"{len(prompts)} prompts came with {len(constraints)} constraint sets; give one each"
        )
    vocabulary = Vocabulary.of(tokenizer, ends=settings.ends, eos_ids=find_eos_ids(model))
    compiled = [compile_clauses(one, vocabulary) for one in constraints]
    for one in compiled:
        check_repeats(one, ngram=settings.no_repeat_ngram)
    return compiled
