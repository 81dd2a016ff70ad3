"""A small finished run made by hand, for the rooms that read runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kgbuild.core.config import BuildConfig, StoreConfig, plain
from kgbuild.core.errors import ServerError
from kgbuild.core.ids import content_key, phrase_id
from kgbuild.core.manifest import Manifest, StageEntry, write_manifest
from kgbuild.core.records import (
    Edge,
    Head,
    HeadKind,
    Merge,
    Provenance,
    Record,
    Rejection,
    Score,
    Triple,
    Verdict,
)
from kgbuild.core.relations import load_relations, verbalise
from kgbuild.core.server_config import ServerConfig
from kgbuild.core.shards import write_shard
from kgbuild.store import load_edges, open_store
from kgbuild.store.neo4j_server import (
    Server,
    ServerHome,
    fetch_jars,
    find_java,
    start_server,
    stop_server,
)

# One thread a worker: several workers that each want every core wait for each other.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

BAKES, MISSES, CAKE = "PersonX bakes a cake", "PersonX misses the bus", "cake"
THRESHOLD = 0.6
# head, relation, tail, probability, tail it was merged into
ANSWERS = (
    (BAKES, "xReact", "proud", 0.95, ""),
    (BAKES, "xReact", "very proud", 0.9, "proud"),
    (BAKES, "xReact", "tired", 0.7, ""),
    (BAKES, "xReact", "furious", 0.2, ""),
    (BAKES, "xWant", "to eat the cake", 0.9, ""),
    (MISSES, "xReact", "tired", 0.8, ""),
    (MISSES, "xWant", "to run after the bus", 0.75, ""),
    (CAKE, "AtLocation", "kitchen", 0.99, ""),
)


def make_triple(head: str, relation: str, tail: str) -> Triple:
    decoding = plain(BuildConfig().decoding)
    return Triple.of(
        head,
        relation,
        tail,
        kind=HeadKind.CONCEPT if head == CAKE else HeadKind.EVENT,
        provenance=Provenance(
            source="teacher",
            teacher="tiny",
            teacher_hash="ab" * 32,
            prompt_id=content_key([head, relation]),
            decoding=f"beam:{content_key(decoding)}",
            log_probability=-3.0,
            mean_log_probability=-1.5,
            prior_log_probability=-5.0,
            tokens=2,
            clauses=3,
            clauses_met=3,
            run="run1",
        ),
    )


def make_edges() -> list[Edge]:
    relations = load_relations(["atomic2020.en", "generics.en"])
    edges = []
    for head, relation, tail, probability, merged_into in ANSWERS:
        if probability < THRESHOLD or merged_into:
            continue
        triple = make_triple(head, relation, tail)
        edges.append(
            Edge(
                triple_id=triple.triple_id,
                head_id=phrase_id(head),
                tail_id=phrase_id(tail),
                head=head,
                relation=relation,
                tail=tail,
                kind=triple.kind,
                polarity="positive",
                sentence=verbalise(relations.get(relation), head, tail),
                probability=probability,
                threshold=THRESHOLD,
                cluster_size=2 if tail == "proud" else 1,
                critic="critic1",
                **triple.provenance.model_dump(),
            )
        )
    return edges


def _write_prompts(path: Path) -> None:
    from kgbuild.prompts import PromptRow

    rows = [
        PromptRow(
            prompt_id=content_key([head, relation]),
            head=head,
            relation=relation,
            kind=HeadKind.CONCEPT if head == CAKE else HeadKind.EVENT,
            prefix="PersonX naps. PersonX feels rested.\nPersonX falls. PersonX feels hurt.\n",
            text=f"{head}. PersonX feels",
            prior_text="PersonX does something. PersonX feels",
            tail_prefix="",
            rotation=1,
        )
        for head, relation in dict.fromkeys((head, relation) for head, relation, *_ in ANSWERS)
    ]
    write_shard(path, rows, PromptRow)


def _write_answers(triples: Path, scores: Path, verdicts: Path, merges: Path) -> None:
    asked = [make_triple(head, relation, tail) for head, relation, tail, *_ in ANSWERS]
    ids = {(triple.head, triple.relation, triple.tail): triple.triple_id for triple in asked}
    given: dict[type[Record], list[Record]] = {Score: [], Verdict: [], Merge: []}
    for triple, (head, relation, _, probability, merged_into) in zip(asked, ANSWERS, strict=True):
        shared = {
            "triple_id": triple.triple_id,
            "probability": probability,
            "critic": "critic1",
        }
        given[Score].append(Score(logit=1.5, **shared))
        is_accepted = probability >= THRESHOLD
        given[Verdict].append(Verdict(threshold=THRESHOLD, is_accepted=is_accepted, **shared))
        if is_accepted:
            given[Merge].append(
                Merge(
                    triple_id=triple.triple_id,
                    cluster_id=ids[head, relation, merged_into or triple.tail],
                    similarity=0.93 if merged_into else 1.0,
                    reason="semantic" if merged_into else "representative",
                )
            )
    # Two shards, as a real run has many.
    for number, part in enumerate((asked[:3], asked[3:])):
        write_shard(triples / f"part-{number:05}.parquet", part, Triple)
    dropped = [
        Rejection(
            stage="teacher",
            reason="clause_unmet",
            detail="not: bake",
            head=BAKES,
            relation=relation,
            text=text,
        )
        for relation, text in (("xReact", "like baking"), ("xWant", "bake again"))
    ]
    write_shard(triples / "rejected-00000.parquet", dropped, Rejection)
    for folder, record in ((scores, Score), (verdicts, Verdict)):
        for number, rows in enumerate((given[record][:3], given[record][3:])):
            write_shard(folder / f"part-{number:05}.parquet", rows, record)
    write_shard(merges / "part-00000.parquet", given[Merge], Merge)


@pytest.fixture(scope="session")
def made_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of eight answers: six stored, one merged, one rejected by the critic."""
    run = tmp_path_factory.mktemp("made") / "run"
    names = ("heads", "prompts", "triples", "scores", "verdicts", "merges", "edges", "graph")
    folders = {name: run / "stages" / name / "key1" for name in names}
    heads = [
        Head.of(BAKES, HeadKind.EVENT, source="demo.tsv:2"),
        Head.of(MISSES, HeadKind.EVENT, source="demo.tsv:3"),
        Head.of(CAKE, HeadKind.CONCEPT, source="demo.tsv:4"),
    ]
    write_shard(folders["heads"] / "part-00000.parquet", heads, Head)
    _write_prompts(folders["prompts"] / "part-00000.parquet")
    _write_answers(*(folders[name] for name in ("triples", "scores", "verdicts", "merges")))
    edges = make_edges()
    write_shard(folders["edges"] / "part-00000.parquet", edges, Edge)
    graph = folders["graph"] / "graph.lbdb"
    names_held = {edge.relation for edge in edges}
    with open_store(graph, config=StoreConfig(), relations=names_held) as store:
        load_edges(edges, store=store)
    outputs = {**folders, "graph": graph}
    write_manifest(
        Manifest(
            run_id="run1",
            version="0.1.0",
            config=dict(plain(BuildConfig(name="made"))),
            stages={
                name: StageEntry(key=f"{name}1", folder=str(path.relative_to(run)))
                for name, path in outputs.items()
            },
            folder=run,
        )
    )
    return run


@pytest.fixture
def made_edges() -> list[Edge]:
    """The edges of `made_run`."""
    return make_edges()


@pytest.fixture(scope="session")
def neo4j_config() -> ServerConfig:
    """Memory of a server for tests; its ports are free ones."""
    try:
        find_java()
        fetch_jars()
    except ServerError as error:
        pytest.skip(str(error))
    return ServerConfig(heap_megabytes=512, page_cache_megabytes=64, start_seconds=300)


@pytest.fixture(scope="session")
def neo4j_server(
    tmp_path_factory: pytest.TempPathFactory, neo4j_config: ServerConfig
) -> Iterator[Server]:
    """One real server for all tests of this process; `clean_neo4j` gives it without nodes."""
    home = tmp_path_factory.mktemp("neo4j") / "home"
    yield start_server(home, config=neo4j_config)
    stop_server(home)


def wipe_neo4j(server: Server) -> None:
    """Take every node out; constraints and indexes stay."""
    import neo4j

    auth = ("neo4j", ServerHome(server.home).read_password())
    with neo4j.GraphDatabase.driver(server.uri, auth=auth) as driver:
        driver.execute_query("MATCH (n) DETACH DELETE n")


@pytest.fixture
def clean_neo4j(neo4j_server: Server) -> Server:
    """The session's server as it was when it was new: no node, no constraint, no index."""
    import neo4j

    wipe_neo4j(neo4j_server)
    auth = ("neo4j", ServerHome(neo4j_server.home).read_password())
    with neo4j.GraphDatabase.driver(neo4j_server.uri, auth=auth) as driver:
        for listed, dropped in (
            ("SHOW CONSTRAINTS YIELD name", "DROP CONSTRAINT"),
            ("SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP'", "DROP INDEX"),
        ):
            for row in driver.execute_query(listed).records:
                driver.execute_query(f"{dropped} `{row['name']}`")
    return neo4j_server
