"""Joins triples whose tails say the same, within one head and relation.

Reads Arrow columns of accepted triples with their verdict's probability, and the tails that the
graph already holds; writes a `Merge` for every row, with its similarity and reason:
`representative`, `exact`, `semantic` or `in_graph`. It refuses to join tails whose persons,
numbers, negations, directions or opposites differ, whatever their embeddings say.
`TailComparer.compare` shows how any two tails compare and why.
"""

from kgbuild.dedup.clusters import cluster_triples, to_columns
from kgbuild.dedup.comparing import Comparison, TailComparer
from kgbuild.dedup.embeddings import EmbeddingCache, Encoder, SentenceEncoder

__all__ = [
    "Comparison",
    "EmbeddingCache",
    "Encoder",
    "SentenceEncoder",
    "TailComparer",
    "cluster_triples",
    "to_columns",
]
