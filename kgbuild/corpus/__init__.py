"""The graph as a training corpus.

Reads: edges of a store, in any order. Writes: corpus rows as TSV, JSON Lines, Parquet or a
Hugging Face datasets folder, byte for byte the same on every export. Refuses: shares that leave
nothing to train on, numbers that are not finite, and to replace a folder that is no corpus.
"""

from kgbuild.corpus.card import CardFacts, TeacherTerms
from kgbuild.corpus.export import export_rows
from kgbuild.corpus.readers import read_corpus
from kgbuild.corpus.split import assign_split
from kgbuild.corpus.writers import CorpusFormat, write_corpus

__all__ = [
    "CardFacts",
    "CorpusFormat",
    "TeacherTerms",
    "assign_split",
    "export_rows",
    "read_corpus",
    "write_corpus",
]
