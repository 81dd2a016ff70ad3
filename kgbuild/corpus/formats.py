"""Every form in which a graph leaves, and what each is for."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kgbuild.core.errors import ConfigError, did_you_mean
from kgbuild.core.records import Record


class ExportFormat(Record):
    """One export format, as `kgbuild export --list` explains it."""

    name: str
    title: str = Field(description="What it is, in a line")
    reads: Literal["rows", "edges"] = Field(
        description="Corpus rows with their split, or edges with their whole provenance"
    )
    is_folder: bool = Field(description="Whether --out names a folder")
    example: str = Field(description="What --out may look like")
    read_by: str = Field(description="The tools that read it")


def _format(
    name: str, title: str, reads: Literal["rows", "edges"], example: str, read_by: str
) -> ExportFormat:
    return ExportFormat(
        name=name,
        title=title,
        reads=reads,
        is_folder=example.endswith("/"),
        example=example,
        read_by=read_by,
    )


FORMATS = {
    entry.name: entry
    for entry in (
        _format(
            "tsv",
            "ATOMIC's columns head, relation, tail first, then all others; a header; escapes "
            "\\t \\n \\r \\\\ \\uXXXX keep a row on its line",
            "rows",
            "graph.tsv",
            "kgbuild import, DuckDB, Polars",
        ),
        _format(
            "jsonl",
            "one JSON object a line with the same fields",
            "rows",
            "graph.jsonl",
            "kgbuild import, datasets, DuckDB",
        ),
        _format(
            "parquet",
            "the same columns in one zstd Parquet file",
            "rows",
            "graph.parquet",
            "DuckDB, Polars, pandas",
        ),
        _format(
            "hf",
            "one Parquet file a split, and a card with licence, teachers and their terms",
            "rows",
            "corpus/",
            "datasets.load_dataset",
        ),
        _format(
            "conceptnet",
            "ConceptNet 5.7 assertions: URI, relation, start, end and JSON, separated by tabs",
            "rows",
            "assertions.csv",
            "kgbuild import, tools for ConceptNet's dump",
        ),
        _format(
            "sentences",
            "every triple said as a sentence, one a line",
            "rows",
            "graph.txt",
            "datasets (text), trainers of language models",
        ),
        _format(
            "review",
            "CSV for a spreadsheet with empty columns accept and comment; no cell is a formula",
            "rows",
            "review.csv",
            "LibreOffice, Excel; kgbuild import takes it back",
        ),
        _format(
            "graphml",
            "phrases as nodes, triples as edges with their facets",
            "edges",
            "graph.graphml",
            "networkx, Gephi, yEd",
        ),
        _format(
            "nquads",
            "RDF: each triple in a named graph, of which its provenance speaks "
            "(schemas/rdf/kgbuild.ttl)",
            "edges",
            "graph.nq",
            "rdflib, Jena, Oxigraph",
        ),
        _format(
            "neo4j-admin",
            "CSV with header files, constraints and an import script each for Neo4j 4.4 and 5",
            "edges",
            "bundle/",
            "neo4j-admin database import full",
        ),
    )
}


def find_format(name: str) -> ExportFormat:
    """Give a format by its name.

    Raises:
        ConfigError: If there is none; names the nearest.

    >>> find_format("graphml").reads
    'edges'
    """
    if name not in FORMATS:
        raise ConfigError(
            f"--format {name!r} is not one of {', '.join(FORMATS)}{did_you_mean(name, FORMATS)}; "
            "kgbuild export --list explains them"
        )
    return FORMATS[name]
