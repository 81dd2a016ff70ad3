"""The graph as a training corpus, and as files for other tools.

Reads: edges of a store, in any order, or edge tables in the store's order. Writes: corpus rows as
TSV, JSON Lines, Parquet, a Hugging Face datasets folder, ConceptNet lines, sentences or a sheet
for reviewers, and graphs as GraphML or N-Quads, byte for byte the same on every export. Refuses:
shares that leave nothing to train on, numbers that are not finite, and to replace a folder that
is no corpus.
"""

from kgbuild.corpus.card import CardFacts, TeacherTerms
from kgbuild.corpus.export import export_rows
from kgbuild.corpus.formats import FORMATS, ExportFormat, find_format
from kgbuild.corpus.graph_files import write_graph_file
from kgbuild.corpus.readers import read_corpus
from kgbuild.corpus.split import assign_split
from kgbuild.corpus.writers import write_corpus

__all__ = [
    "FORMATS",
    "CardFacts",
    "ExportFormat",
    "TeacherTerms",
    "assign_split",
    "export_rows",
    "find_format",
    "read_corpus",
    "write_corpus",
    "write_graph_file",
]
