"""Completions as the search holds them and as it gives them out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Words that say little about what a completion is about; the first other word names its stem.
LIGHT_WORDS = frozenset(
    "a an the to be is are was were been being am of in on at for from with by as and or not "
    "he she it they his her its their him them i you we person personx persony personz "
    "can will would may might should could must has have had do does did get gets go goes "
    "that this some very more so".split()
)


@dataclass(frozen=True)
class Hypothesis:
    """One completion of a prompt.

    Attributes:
        text: The completion, stripped and without the end token.
        token_ids: The new tokens, the end token included.
        log_probability: Natural logarithm of the model's probability of those tokens.
        mean_log_probability: The same per token.
        met: Clauses that hold, by their place in the constraint set.
        unmet: The others.
        is_ended: Whether an end token was written, or the token budget ran out before.
    """

    text: str
    token_ids: tuple[int, ...]
    log_probability: float
    mean_log_probability: float
    met: tuple[int, ...]
    unmet: tuple[int, ...]
    is_ended: bool


def build_hypothesis(
    text: str, *, tokens: tuple[int, ...], score: float, met: int, size: int, is_ended: bool
) -> Hypothesis:
    """Make a hypothesis from what the search knows; `met` is a bit mask over `size` clauses."""
    return Hypothesis(
        text=text.strip(),
        token_ids=tokens,
        log_probability=score,
        mean_log_probability=score / max(len(tokens), 1),
        met=tuple(index for index in range(size) if met >> index & 1),
        unmet=tuple(index for index in range(size) if not met >> index & 1),
        is_ended=is_ended,
    )


def fold_text(text: str) -> str:
    """Give the form in which two completions are the same."""
    return " ".join(text.casefold().split())


def find_stem(text: str) -> str:
    """Give the first word that carries meaning, or the last word if none does.

    >>> find_stem("to bake a cake"), find_stem("to the")
    ('bake', 'the')
    """
    words = [word.strip(".,;:!?\"'()") for word in text.casefold().split()]
    words = [word for word in words if word]
    content = (word for word in words if word not in LIGHT_WORDS)
    return next(content, words[-1] if words else "")


def normalise_score(score: float, length: int, *, penalty: float) -> float:
    """Divide by the number of new tokens to the power of the penalty; the prompt does not count.

    >>> normalise_score(-6.0, 4, penalty=0.5)
    -3.0
    """
    return score / float(max(length, 1) ** penalty)


def rank_hypotheses(
    hypotheses: Iterable[Hypothesis],
    *,
    returned: int,
    length_penalty: float,
    is_diverse: bool = False,
    diversity_penalty: float = 0.0,
) -> list[Hypothesis]:
    """Order by clauses met, then ended ones, then normalised score; texts are distinct.

    With `is_diverse`, completions whose stem is new come before those that repeat one, among
    those that meet equally many clauses. `diversity_penalty` is taken off once for every better
    completion with the same stem.
    """
    best: dict[str, tuple[tuple[int, bool, float], Hypothesis]] = {}
    for hypothesis in hypotheses:
        score = normalise_score(
            hypothesis.log_probability, len(hypothesis.token_ids), penalty=length_penalty
        )
        order = (len(hypothesis.met), hypothesis.is_ended, score)
        folded = fold_text(hypothesis.text)
        if folded not in best or best[folded][0] < order:
            best[folded] = (order, hypothesis)
    waiting: Sequence[tuple[tuple[int, bool, float], Hypothesis]] = sorted(
        best.values(), key=lambda pair: (pair[0], pair[1].token_ids), reverse=True
    )
    if not is_diverse and not diversity_penalty:
        return [hypothesis for _, hypothesis in waiting[:returned]]
    seen: dict[str, int] = {}
    orders: list[tuple[tuple[int, bool, bool, float], Hypothesis]] = []
    for (met, is_ended, score), hypothesis in waiting:
        stem = find_stem(hypothesis.text)
        times = seen.get(stem, 0)
        seen[stem] = times + 1
        is_new = is_diverse and times == 0
        orders.append(((met, is_ended, is_new, score - diversity_penalty * times), hypothesis))
    orders.sort(key=lambda pair: pair[0], reverse=True)
    return [hypothesis for _, hypothesis in orders[:returned]]
