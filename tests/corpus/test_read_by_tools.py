"""Each format is opened by the tool that it is for, and says what was exported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import datasets
import duckdb
import networkx
import polars
import pytest
import rdflib

from kgbuild.core.config import CorpusConfig
from kgbuild.core.errors import ConfigError, StoreError
from kgbuild.core.records import CorpusRow, Edge
from kgbuild.core.resources import resource_path
from kgbuild.core.shards import to_table
from kgbuild.corpus import export_rows, write_corpus, write_graph_file
from kgbuild.corpus.nquads import PHRASES, PROVENANCE, TERMS
from tests.corpus.conftest import make_edge

KG = rdflib.Namespace(TERMS)


@pytest.fixture
def rows(hostile_edges: list[Edge]) -> list[CorpusRow]:
    return list(export_rows(hostile_edges, config=CorpusConfig()))


def as_dicts(rows: list[CorpusRow]) -> list[dict[str, Any]]:
    return [row.model_dump(mode="json") for row in rows]


def read_quads(path: Path) -> rdflib.Dataset:
    quads = rdflib.Dataset()
    with path.open("rb") as opened:
        quads.parse(opened, format="nquads")
    return quads


# rdflib's own parser uses what rdflib deprecates.
rdf = pytest.mark.filterwarnings("ignore:Dataset.default_context:DeprecationWarning")


def test_duckdb_and_polars_read_the_parquet_file(rows: list[CorpusRow], tmp_path: Path) -> None:
    out = tmp_path / "graph.parquet"
    write_corpus(rows, format="parquet", out=out)
    assert polars.read_parquet(out).to_dicts() == as_dicts(rows)
    with duckdb.connect() as connection:
        found = connection.sql(f"SELECT * FROM '{out}'").to_arrow_table().to_pylist()
        by_split = connection.execute(
            f"SELECT count(*) FROM '{out}' WHERE relation = 'xReact' AND probability > 0.9"
        ).fetchone()
    assert found == as_dicts(rows)
    assert by_split == (sum(row.relation == "xReact" for row in rows),)


def test_duckdb_and_datasets_read_json_lines(
    rows: list[CorpusRow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "graph.jsonl"
    write_corpus(rows, format="jsonl", out=out)
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    opened = datasets.load_dataset(
        "json", data_files=str(out), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert [row["tail"] for row in opened] == [row.tail for row in rows]
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT head, tail FROM read_json('{out}')").fetchall()
    assert found == [(row.head, row.tail) for row in rows]


def test_polars_reads_tsv_one_line_a_row(rows: list[CorpusRow], tmp_path: Path) -> None:
    out = tmp_path / "graph.tsv"
    write_corpus(rows, format="tsv", out=out)
    frame = polars.read_csv(out, separator="\t", quote_char=None)
    assert frame.height == len(rows)
    assert frame["probability"].to_list() == [row.probability for row in rows]
    assert frame.columns[:3] == ["head", "relation", "tail"]


def test_datasets_reads_one_sentence_a_line(
    rows: list[CorpusRow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "graph.txt"
    write_corpus(rows, format="sentences", out=out)
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    opened = datasets.load_dataset(
        "text", data_files=str(out), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert [row["text"] for row in opened] == [" ".join(row.sentence.split()) for row in rows]


def test_duckdb_reads_conceptnet_lines_as_its_dump_is_read(
    rows: list[CorpusRow], tmp_path: Path
) -> None:
    out = tmp_path / "assertions.csv"
    write_corpus(rows, format="conceptnet", out=out)
    with duckdb.connect() as connection:
        found = connection.execute(
            "SELECT uri, relation, start_uri, end_uri, about FROM read_csv(?, delim='\t', quote='',"
            " escape='', header=false, columns={'uri': 'VARCHAR', 'relation': 'VARCHAR',"
            " 'start_uri': 'VARCHAR', 'end_uri': 'VARCHAR', 'about': 'VARCHAR'})",
            [str(out)],
        ).fetchall()
    assert len(found) == len(rows)
    for (uri, relation, start, end, about), row in zip(found, rows, strict=True):
        assert uri == f"/a/[{relation}/,{start}/,{end}/]"
        assert relation == f"/r/{row.relation}"
        assert start.startswith("/c/en/")
        facts = json.loads(about)
        assert (facts["surfaceStart"], facts["surfaceEnd"]) == (row.head, row.tail)
        assert facts["weight"] == row.probability


def test_networkx_reads_graphml(hostile_edges: list[Edge], tmp_path: Path) -> None:
    out = tmp_path / "graph.graphml"
    table = to_table(hostile_edges, Edge)
    assert write_graph_file(lambda: [table], format="graphml", out=out) == len(hostile_edges)
    graph = networkx.read_graphml(out, force_multigraph=True)
    assert graph.number_of_edges() == len(hostile_edges)
    texts = {edge.head_id: edge.head for edge in hostile_edges}
    texts |= {edge.tail_id: edge.tail for edge in hostile_edges}
    assert {node: held["text"] for node, held in graph.nodes(data=True)} == texts
    by_id = {key: (head, tail, held) for head, tail, key, held in graph.edges(keys=True, data=True)}
    for edge in hostile_edges:
        head, tail, held = by_id[edge.triple_id]
        assert (head, tail, held["relation"]) == (edge.head_id, edge.tail_id, edge.relation)
        assert held["sentence"] == edge.sentence
        assert (held["probability"], held["tokens"]) == (edge.probability, edge.tokens)
        assert "prior_log_probability" not in held


@rdf
def test_rdflib_reads_quads_with_provenance_in_named_graphs(
    hostile_edges: list[Edge], tmp_path: Path
) -> None:
    out = tmp_path / "graph.nq"
    table = to_table(hostile_edges, Edge)
    write_graph_file(lambda: [table], format="nquads", out=out)
    quads = read_quads(out)
    vocabulary = rdflib.Graph().parse(resource_path("schemas/rdf/kgbuild.ttl"))
    for edge in hostile_edges:
        name = rdflib.URIRef(f"urn:kgbuild:triple:{edge.triple_id}")
        [(head, relation, tail)] = quads.graph(name)
        provenance = quads.graph(rdflib.URIRef(PROVENANCE))
        assert provenance.value(name, KG.probability).toPython() == edge.probability
        assert provenance.value(name, KG.sentence).toPython() == edge.sentence
        assert provenance.value(name, KG.teacher).toPython() == edge.teacher
        phrases = quads.graph(rdflib.URIRef(PHRASES))
        said = (phrases.value(head, rdflib.RDFS.label), phrases.value(tail, rdflib.RDFS.label))
        assert tuple(map(str, said)) == (edge.head, edge.tail)
        assert str(relation).endswith(f":{edge.relation}")
    used = {term for _, term, _, _ in quads.quads() if str(term).startswith(TERMS)}
    declared = set(vocabulary.subjects(rdflib.RDF.type, rdflib.OWL.DatatypeProperty))
    # Every facet is declared, and nothing else is; an edge may lack its prior and a promise.
    assert declared - used == {KG.prior_log_probability, KG.promise}
    assert used <= declared


@rdf
def test_control_characters_are_replaced_in_xml_and_kept_in_quads(tmp_path: Path) -> None:
    table = to_table([make_edge("PersonX beeps", "xWant", "to \x07\x00 beep")], Edge)
    write_graph_file(lambda: [table], format="graphml", out=tmp_path / "a.graphml")
    graph = networkx.read_graphml(tmp_path / "a.graphml")
    assert "to \ufffd\ufffd beep" in {held["text"] for _, held in graph.nodes(data=True)}
    write_graph_file(lambda: [table], format="nquads", out=tmp_path / "a.nq")
    quads = read_quads(tmp_path / "a.nq")
    labels = {str(label) for label in quads.graph(rdflib.URIRef(PHRASES)).objects(None, None)}
    assert "to \x07\x00 beep" in labels


@pytest.mark.parametrize("format", ["graphml", "nquads"])
def test_tables_of_any_size_give_the_same_bytes(
    hostile_edges: list[Edge], format: str, tmp_path: Path
) -> None:
    table = to_table(hostile_edges, Edge)
    written = []
    for size in (1, 5, len(hostile_edges)):
        parts = [table.slice(start, size) for start in range(0, table.num_rows, size)]
        write_graph_file(lambda parts=parts: parts, format=format, out=tmp_path / "a")
        written.append((tmp_path / "a").read_bytes())
    assert len(set(written)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("format", ["graphml", "nquads"])
def test_an_empty_graph_is_an_empty_file_of_its_kind(format: str, tmp_path: Path) -> None:
    assert write_graph_file(lambda: [], format=format, out=tmp_path / "a") == 0
    if format == "graphml":
        assert len(networkx.read_graphml(tmp_path / "a")) == 0
    else:
        assert (tmp_path / "a").read_bytes() == b""


def test_what_is_no_number_or_no_graph_file_is_refused(tmp_path: Path) -> None:
    edge = make_edge("PersonX sings", "xReact", "happy", probability=float("inf"))
    table = to_table([edge], Edge)
    with pytest.raises(StoreError, match="'PersonX sings' xReact 'happy' has probability=inf"):
        write_graph_file(lambda: [table], format="graphml", out=tmp_path / "a")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigError, match="did you mean graphml"):
        write_graph_file(lambda: [], format="grapml", out=tmp_path / "a")
