"""Which of a prompt's tails are kept: the best that differ, by what the head adds to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kgbuild.core.ids import phrase_id
from kgbuild.core.records import Rejection
from kgbuild.decoding import Hypothesis
from kgbuild.prompts import Prompt
from kgbuild.teacher.parse import Parsed


@dataclass(frozen=True)
class Candidate:
    """One completion, what it says, and its score behind the head-free line (sum, tokens)."""

    hypothesis: Hypothesis
    parsed: Parsed
    prior: tuple[float, int]

    def contrast(self, weight: float) -> float:
        """Give the mean log-probability less the share that the head-free line explains.

        Both are means, so long tails pay no more than short ones; with weight 1 this is the
        pointwise mutual information of head and tail, a token.
        """
        total, tokens = self.prior
        return self.hypothesis.mean_log_probability - weight * total / max(tokens, 1)


def choose_best(
    prompt: Prompt, candidates: Sequence[Candidate], *, kept: int, prior_weight: float
) -> tuple[list[Candidate], list[Rejection]]:
    """Give the tails to keep, best first, and a rejection for every other completion."""
    # Ties keep the teacher's order.
    ranked = sorted(candidates, key=lambda candidate: -candidate.contrast(prior_weight))
    best: list[Candidate] = []
    dropped: list[Rejection] = []
    seen: set[str] = set()
    for candidate in ranked:
        reason, detail = candidate.parsed.reason, candidate.parsed.detail
        if not reason:
            tail_id = phrase_id(candidate.parsed.tail)
            if tail_id in seen:
                reason = "duplicate"
            elif len(best) == kept:
                reason = "not_among_best"
            else:
                seen.add(tail_id)
                best.append(candidate)
                continue
        dropped.append(
            Rejection(
                stage="teacher",
                reason=reason,
                detail=detail,
                head=prompt.head,
                relation=prompt.relation,
                text=candidate.parsed.tail or candidate.hypothesis.text.strip(),
            )
        )
    return best, dropped
