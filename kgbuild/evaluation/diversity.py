"""How much a graph repeats itself, and how much of it is new."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from kgbuild.core.errors import FileError
from kgbuild.core.files import read_text
from kgbuild.core.ids import phrase_id, triple_id

_COLUMNS = ["head", "relation", "tail"]
_NEAR = 0.7


def distinct_n(texts: Iterable[str], n: int) -> float:
    """Give the share of n-grams that are different (Li et al. 2016, section 5.2).

    >>> distinct_n(["to eat a cake", "to eat a pie"], 1)
    0.625
    """
    grams: Counter[tuple[str, ...]] = Counter()
    for text in texts:
        words = text.casefold().split()
        grams.update(tuple(words[place : place + n]) for place in range(len(words) - n + 1))
    total = sum(grams.values())
    return len(grams) / total if total else 0.0


def self_bleu(texts: Sequence[str], *, sample: int = 200, seed: int = 0) -> float:
    """Give the mean BLEU of texts against all others, 0 to 100 (Zhu et al. 2018, section 3.2).

    High means alike. Over many texts a seeded sample is measured against that sample.
    """
    from sacrebleu.metrics import BLEU

    chosen = list(texts)
    if len(chosen) > sample:
        chosen = random.Random(seed).sample(chosen, sample)
    if len(chosen) < 2:
        return 0.0
    bleu = BLEU(effective_order=True)
    scores: list[float] = [
        bleu.sentence_score(text, chosen[:place] + chosen[place + 1 :]).score
        for place, text in enumerate(chosen)
    ]
    return sum(scores) / len(scores)


def duplicate_rate(triples: Iterable[tuple[str, str, str]]) -> float:
    """Give the share of triples that repeat an earlier one by canonical text.

    >>> duplicate_rate([("a", "r", "b"), ("a", "r", "B."), ("a", "r", "c"), ("b", "r", "c")])
    0.25
    """
    ids = [triple_id(*triple) for triple in triples]
    return 1 - len(set(ids)) / len(ids) if ids else 0.0


def near_duplicate_rate(triples: Iterable[tuple[str, str, str]]) -> float:
    """Give the share of triples whose tail nearly repeats another of the same head and relation.

    Near is a ROUGE-L F1 of 0.7 or more, the cut of Self-Instruct (Wang et al. 2023, section 2.2)
    and another measure than the embeddings that merged the graph's tails. Of each pair the later
    tail counts.

    >>> near_duplicate_rate([("a", "r", "to eat a cake"), ("a", "r", "to eat the cake"),
    ...                      ("a", "r", "to sing"), ("b", "r", "to eat a cake")])
    0.25
    """
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], use_stemmer=True)
    groups: dict[tuple[str, str], list[str]] = {}
    repeats = count = 0
    for head, relation, tail in triples:
        earlier = groups.setdefault((phrase_id(head), relation), [])
        repeats += any(scorer.score(other, tail)["rougeL"].fmeasure >= _NEAR for other in earlier)
        earlier.append(tail)
        count += 1
    return repeats / count if count else 0.0


def measure_novelty(triples: Sequence[tuple[str, str, str]], reference: Path) -> dict[str, float]:
    """Give the shares of triples and of tails that a reference does not hold.

    Args:
        triples: Heads, relations, tails.
        reference: TSV with the columns head, relation, tail.

    Raises:
        FileError: If the reference lacks a column.
    """
    lines = read_text(reference, limit_bytes=2**31).splitlines()
    header = lines[0].split("\t") if lines else []
    if not set(_COLUMNS) <= set(header):
        raise FileError(
            f"{reference}:1 has the columns {', '.join(header) or 'none'}; needed are "
            f"{', '.join(_COLUMNS)}, separated by tabs"
        )
    places = [header.index(column) for column in _COLUMNS]
    known_triples: set[str] = set()
    known_tails: set[str] = set()
    for line in lines[1:]:
        fields = line.split("\t")
        if len(fields) > max(places):
            head, relation, tail = (fields[place] for place in places)
            known_triples.add(triple_id(head, relation, tail))
            known_tails.add(phrase_id(tail))
    if not triples:
        return {"triples": 0.0, "tails": 0.0}
    fresh = sum(triple_id(*triple) not in known_triples for triple in triples)
    fresh_tails = sum(phrase_id(triple[2]) not in known_tails for triple in triples)
    return {"triples": fresh / len(triples), "tails": fresh_tails / len(triples)}
