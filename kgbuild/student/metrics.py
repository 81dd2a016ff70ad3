"""The field's figures for generated tails: BLEU, ROUGE-L and exact match.

They follow the automatic evaluation of ATOMIC-2020 (Hwang et al. 2021), so a student can be put
beside COMET-BART: tokens are split at spaces, case is kept, every human tail of a head and
relation is a reference. BLEU and the longest common subsequence come from sacrebleu and
rouge-score.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from sacrebleu.metrics import BLEU

# Coco's ROUGE-L weighs recall over precision: F with this beta.
_ROUGE_BETA = 1.2


class _SpaceTokens:
    """Tokens as the ATOMIC evaluation cuts them; rouge-score's own would drop case and ___."""

    def tokenize(self, text: str) -> list[str]:
        return text.split()


def bleu(
    predictions: Sequence[str], references: Sequence[Sequence[str]], *, orders: int = 4
) -> list[float]:
    """Give corpus BLEU-1 to BLEU-`orders`, from 0 to 1, without smoothing.

    >>> [round(value, 3) for value in bleu(["to eat cake"], [["to eat pie", "cake"]], orders=2)]
    [1.0, 0.707]
    """
    widest = max((len(tails) for tails in references), default=0)
    if not predictions or not widest:
        return [0.0] * orders
    # One stream for the first reference of every prediction, one for the second, ...
    streams = [
        [tails[place] if place < len(tails) else None for tails in references]
        for place in range(widest)
    ]
    values = []
    level = logging.getLogger("sacrebleu").level
    # A tail may end in " .", which sacrebleu takes for text that was tokenised by mistake.
    logging.getLogger("sacrebleu").setLevel(logging.ERROR)
    try:
        for order in range(1, orders + 1):
            metric = BLEU(max_ngram_order=order, tokenize="none", smooth_method="none")
            values.append(metric.corpus_score(list(predictions), streams).score / 100)
    finally:
        logging.getLogger("sacrebleu").setLevel(level)
    return values


def rouge_l(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Give mean ROUGE-L as Coco defines it: best precision and best recall over the references.

    >>> round(rouge_l(["to eat cake"], [["to eat pie", "cake"]]), 3)
    0.83
    """
    # Imported late: rouge-score brings nltk, which takes a second.
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], tokenizer=_SpaceTokens())
    total = 0.0
    for prediction, tails in zip(predictions, references, strict=True):
        scores = [scorer.score(tail, prediction)["rougeL"] for tail in tails]
        precision = max((score.precision for score in scores), default=0.0)
        recall = max((score.recall for score in scores), default=0.0)
        if precision and recall:
            square = _ROUGE_BETA**2
            total += (1 + square) * precision * recall / (recall + square * precision)
    return total / len(predictions) if predictions else 0.0


def exact_match(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Give the share of predictions that are one of their references, word for word.

    >>> exact_match(["proud", "sad"], [["happy", "proud"], ["glad"]])
    0.5
    """
    hits = sum(
        prediction in tails for prediction, tails in zip(predictions, references, strict=True)
    )
    return hits / len(predictions) if predictions else 0.0


def generation_metrics(
    predictions: Sequence[str], references: Sequence[Sequence[str]]
) -> Mapping[str, float]:
    """Give all figures of generated tails by name."""
    first, second, *_ = bleu(predictions, references, orders=2)
    return {
        "bleu_1": first,
        "bleu_2": second,
        "rouge_l": rouge_l(predictions, references),
        "exact_match": exact_match(predictions, references),
    }
