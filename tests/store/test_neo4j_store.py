"""What only the server's store promises; the rest is in tests/contracts."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import neo4j
import numpy as np
import pytest

from kgbuild.core.errors import StoreError
from kgbuild.core.ids import phrase_id
from kgbuild.core.records import Edge, Rejection
from kgbuild.core.server_config import Neo4jConfig
from kgbuild.core.shards import to_table
from kgbuild.store import LoadReport
from kgbuild.store.batches import FACETS, LATER
from kgbuild.store.neo4j_server import Server, ServerHome
from kgbuild.store.neo4j_store import Neo4jStore, find_address
from kgbuild.store.rejected import RejectedEdge

pytestmark = pytest.mark.neo4j
BAKES = "PersonX bakes a cake"
Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def open_store(clean_neo4j: Server) -> Callable[..., Neo4jStore]:
    def open_store(**options: Any) -> Neo4jStore:
        address = find_address(clean_neo4j.uri, credentials=clean_neo4j.credentials)
        given = {"relations": ["xReact", "xWant", "AtLocation", "xNeed"], **options}
        return Neo4jStore(address, **given)

    return open_store


@pytest.fixture
def ask(neo4j_server: Server) -> Iterator[Ask]:
    """Ask the database beside the store, as somebody else would."""
    auth = ("neo4j", ServerHome(neo4j_server.home).read_password())
    with neo4j.GraphDatabase.driver(neo4j_server.uri, auth=auth) as driver:
        yield lambda query, **params: [
            record.data() for record in driver.execute_query(query, params).records
        ]


def test_an_edge_bears_all_its_facets_with_their_types(
    open_store: Callable[..., Neo4jStore], ask: Ask, made_edges: list[Edge]
) -> None:
    with open_store() as store:
        store.load_edges(made_edges)
    wanted = made_edges[0].model_dump(mode="json")
    ends = {name: wanted.pop(name) for name in ("head_id", "tail_id", "head", "tail", "relation")}
    [row] = ask(
        "MATCH (h)-[r {triple_id: $id}]->(t) "
        "RETURN properties(r) AS facets, type(r) AS relation, h.text AS head, labels(h) AS labels",
        id=wanted["triple_id"],
    )
    assert row["facets"] == {name: value for name, value in wanted.items() if value is not None}
    assert (row["relation"], row["head"]) == (ends["relation"], ends["head"])
    assert sorted(row["labels"]) == ["Event", "Phrase"]
    strong = ask(
        "MATCH (:Phrase)-[r:xReact]->(t) WHERE r.probability > 0.75 AND r.polarity = 'positive' "
        "AND r.teacher = 'tiny' AND r.round = 0 AND r.cluster_size >= 1 AND r.run = 'run1' "
        "AND r.source = 'teacher' AND r.probability > r.threshold RETURN t.text AS tail"
    )
    assert {entry["tail"] for entry in strong} == {"proud", "tired"}


def test_a_database_of_the_first_version_is_read_as_it_is_and_written_as_one_of_this(
    open_store: Callable[..., Neo4jStore], ask: Ask, made_edges: list[Edge]
) -> None:
    with open_store() as store:
        store.load_edges(made_edges)
    held = " ".join(facet for facet in FACETS if facet not in LATER)
    ask("MATCH (m:KgbuildMeta {key: 'facets'}) SET m.value = $held", held=held)
    ask("MATCH ()-[r]->() WHERE r.triple_id IS NOT NULL REMOVE r.promise")
    with open_store(is_read_only=True) as store:
        assert {edge.triple_id for edge in store.edges()} == {one.triple_id for one in made_edges}
        assert store.edge(made_edges[0].triple_id) == made_edges[0]
        assert store.meta()["facets"] == held
    promised = made_edges[0].model_copy(update={"promise": "0.90@0.95 each"})
    with open_store() as store:
        assert store.load_edges([promised, *made_edges[1:]]).updated == 1
        assert store.edge(promised.triple_id) == promised
        assert store.meta()["facets"] == " ".join(FACETS)


def test_the_server_itself_refuses_doubles_and_knows_the_indexes(
    open_store: Callable[..., Neo4jStore], ask: Ask, made_edges: list[Edge]
) -> None:
    with open_store() as store:
        store.load_edges(made_edges)
    kinds = {row["type"] for row in ask("SHOW INDEXES YIELD type, state WHERE state = 'ONLINE'")}
    assert {"RANGE", "FULLTEXT"} <= kinds
    with pytest.raises(neo4j.exceptions.ConstraintError):
        ask("CREATE (:Phrase {id: $id})", id=made_edges[0].head_id)
    with pytest.raises(neo4j.exceptions.ConstraintError):
        ask(
            f"MATCH (h)-[r:{made_edges[0].relation}]->(t) WITH h, t, r.triple_id AS id LIMIT 1 "
            f"CREATE (h)-[:{made_edges[0].relation} {{triple_id: id}}]->(t)"
        )


def test_a_reader_cannot_write_whatever_it_asks(
    open_store: Callable[..., Neo4jStore], made_edges: list[Edge]
) -> None:
    with open_store() as store:
        store.load_edges(made_edges)
    with open_store(is_read_only=True) as store:
        for text in (
            "MATCH (n) DETACH DELETE n",
            "MATCH (n) RETURN n; MATCH (n) DETACH DELETE n",
            "CALL { CREATE (n:Phrase {id: 'x'}) RETURN n } RETURN n",
            "WITH 1 AS x MERGE (n:Phrase {id: 'x'}) RETURN n",
            "CALL db.createLabel('Evil')",
        ):
            with pytest.raises(StoreError, match=r"read|Writ|writ|not allowed"):
                store.cypher(text)
        with pytest.raises(StoreError, match="opened read-only"):
            store.load_edges(made_edges)
        assert store.counts().edges == len(made_edges)


def test_a_database_of_another_version_or_program_is_refused_and_left_alone(
    open_store: Callable[..., Neo4jStore], ask: Ask
) -> None:
    with pytest.raises(StoreError, match="is empty; fill it with `kgbuild push`"):
        open_store(is_read_only=True)
    open_store().close()
    ask("MATCH (m:KgbuildMeta {key: 'schema_version'}) SET m.value = '99'")
    for is_read_only in (True, False):
        with pytest.raises(StoreError, match=r"schema 99 of another version.*--database"):
            open_store(is_read_only=is_read_only)
    ask("MATCH (n) DETACH DELETE n")
    ask("CREATE (:Person {name: 'Ann'})")
    for is_read_only in (True, False):
        with pytest.raises(StoreError, match="Person"):
            open_store(is_read_only=is_read_only)
    assert ask("MATCH (n) RETURN n.name AS name") == [{"name": "Ann"}]


def test_what_admin_imported_gets_its_constraints_and_is_found_again(
    open_store: Callable[..., Neo4jStore], ask: Ask, made_edges: list[Edge]
) -> None:
    with open_store() as store:
        store.load_edges(made_edges)
    for row in ask("SHOW CONSTRAINTS YIELD name"):
        ask(f"DROP CONSTRAINT `{row['name']}`")
    with open_store() as store:
        assert store.load_edges(made_edges) == LoadReport(unchanged=len(made_edges))
    names = {row["name"] for row in ask("SHOW CONSTRAINTS YIELD name")}
    assert {"kgbuild_-phrase", "kgbuild_xReact"} <= names


def test_two_pushes_at_once_store_everything_once(
    open_store: Callable[..., Neo4jStore], made_edges: list[Edge]
) -> None:
    pattern = made_edges[0]
    edges = [_numbered(pattern, number) for number in range(120)]
    reports: list[LoadReport] = []
    problems: list[BaseException] = []

    def push(part: list[Edge]) -> None:
        try:
            with open_store(batch_edges=10) as store:
                reports.append(store.load_edges(part))
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=push, args=(part,)) for part in (edges[:100], edges[:19:-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert sum(report.added_edges for report in reports) == 120
    assert sum(report.unchanged for report in reports) == 80
    with open_store() as store:
        assert store.counts().edges == 120
        assert {edge.triple_id for edge in store.edges()} == {edge.triple_id for edge in edges}


def _numbered(pattern: Edge, number: int) -> Edge:
    from kgbuild.core.ids import triple_id

    head, tail = f"PersonX does thing {number // 4}", f"to feel {number}"
    return pattern.model_copy(
        update={
            "triple_id": triple_id(head, pattern.relation, tail),
            "head": head,
            "tail": tail,
            "head_id": phrase_id(head),
            "tail_id": phrase_id(tail),
        }
    )


def test_wrong_credentials_and_a_missing_database_are_told_without_the_password(
    clean_neo4j: Server, tmp_path: Any
) -> None:
    secret = "tiger-in-the-tank"
    file = tmp_path / "credentials"
    file.touch(mode=0o600)
    file.write_text(f"NEO4J_USERNAME=neo4j\nNEO4J_PASSWORD={secret}\n")
    with pytest.raises(StoreError, match=r"refuses user 'neo4j'.*credentials") as refused:
        Neo4jStore(find_address(clean_neo4j.uri, credentials=file))
    told = "".join(traceback.format_exception(refused.value))
    assert secret not in told
    place = clean_neo4j.credentials
    with pytest.raises(StoreError, match=r"no such database.*--database"):
        Neo4jStore(find_address(clean_neo4j.uri, credentials=place, database="nowhere"))


def test_a_server_that_is_not_there_is_told_at_once(clean_neo4j: Server) -> None:
    for uri in ("neo4j://127.0.0.1:1", "bolt://127.0.0.1:1"):
        address = find_address(uri, credentials=clean_neo4j.credentials)
        with pytest.raises(StoreError, match=r"No Neo4j server answers at .*:1 .*neo4j start"):
            Neo4jStore(address)
    tls = clean_neo4j.uri.replace("neo4j://", "neo4j+s://")
    with pytest.raises(StoreError, match=r"neo4j\+s"):
        Neo4jStore(
            find_address(tls, credentials=clean_neo4j.credentials),
            config=Neo4jConfig(connect_seconds=5, retry_seconds=1),
        )


def test_nothing_that_a_store_shows_holds_the_password(
    open_store: Callable[..., Neo4jStore], clean_neo4j: Server
) -> None:
    password = ServerHome(clean_neo4j.home).read_password()
    with open_store() as store:
        assert password not in repr(store)
        assert password not in str(store.meta())
        with pytest.raises(StoreError) as refused:
            store.cypher("MATCH (p) RETURN nonsense(p)")
        assert password not in "".join(traceback.format_exception(refused.value))
    with pytest.raises(StoreError, match="is closed"):
        store.counts()


def test_a_phrase_too_long_for_an_index_is_refused_before_anything_is_stored(
    open_store: Callable[..., Neo4jStore], made_edges: list[Edge]
) -> None:
    with open_store() as store:
        long = made_edges[0].model_copy(update={"tail": "é" * 4_001})
        with pytest.raises(StoreError, match="8,002 bytes"):
            store.load_edges([made_edges[1], long])
        assert store.counts().edges == 0
        store.load_edges([long.model_copy(update={"tail": "é" * 4_000})])
        assert store.counts().edges == 1


def _rejected(head: str, relation: str, text: str, **facets: Any) -> RejectedEdge:
    dropped = Rejection(
        stage="teacher", reason="clause_unmet", head=head, relation=relation, text=text
    )
    made = RejectedEdge.by_stage(dropped, run="run1")
    assert made is not None
    return made.model_copy(update=facets)


def test_rejected_triples_stand_beside_the_graph_and_leave_it_when_accepted(
    open_store: Callable[..., Neo4jStore], ask: Ask, made_edges: list[Edge]
) -> None:
    edge = made_edges[0]
    others = [
        _rejected(edge.head, "xReact", "furious", probability=0.2),
        _rejected("PersonX naps", "xReact", "purple"),
        _rejected("PersonX naps", edge.relation, "PersonX naps"),
        _rejected(edge.head, edge.relation, edge.tail),
    ]
    with open_store() as store:
        store.load_edges(made_edges[1:])
        before = store.counts(), list(store.phrases()), list(store.edges())
        table = to_table(others, RejectedEdge)
        report = store.load_rejected([table])
        assert report.added_edges == 4
        assert store.load_rejected([table]) == LoadReport(unchanged=4)
        changed = to_table([others[0].model_copy(update={"probability": 0.3})], RejectedEdge)
        assert store.load_rejected([changed]) == LoadReport(updated=1)
        assert (store.counts(), list(store.phrases()), list(store.edges())) == before
        assert store.neighbours(phrase_id("PersonX naps")) == []
        [row] = ask(
            "MATCH (h)-[r:REJECTED]->(t {text: 'furious'}) "
            "RETURN r.relation AS relation, r.probability AS probability, h.text AS head"
        )
        assert row == {"relation": "xReact", "probability": 0.3, "head": edge.head}
        store.load_edges([edge])
        assert ask("MATCH ()-[r:REJECTED]->() RETURN count(r) AS n") == [{"n": 3}]
        store.remove([edge.triple_id for edge in made_edges])
        assert store.counts().nodes == 0
        assert ask("MATCH ()-[r:REJECTED]->() RETURN count(r) AS n") == [{"n": 3}]
        assert store.load_edges(made_edges).added_edges == len(made_edges)
        assert store.load_edges(made_edges) == LoadReport(unchanged=len(made_edges))


def test_the_nearest_phrases_come_from_the_vector_index_of_the_same_encoder(
    open_store: Callable[..., Neo4jStore], ask: Ask, made_edges: list[Edge]
) -> None:
    def encode(texts: Any) -> np.ndarray:
        rows = [[word in text for word in ("cake", "proud", "tired")] for text in texts]
        vectors = np.array(rows, dtype=np.float32) + 0.01
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    with open_store() as store:
        store.load_edges(made_edges)
        vector = encode(["so proud"])[0].tolist()
        assert store.nearest(vector, encoder="three", limit=1) is None
        count = store.counts().nodes
        assert sum(store.add_vectors(encode, encoder="three", dimensions=3)) == count
        assert list(store.add_vectors(encode, encoder="three", dimensions=3)) == []
        assert store.nearest(vector, encoder="other", limit=1) is None
        [(phrase, cosine)] = store.nearest(vector, encoder="three", limit=1) or []
        assert (phrase.text, round(cosine, 3)) == ("proud", 1.0)
        found = store.nearest(vector, encoder="three", limit=2, kind="event") or []
        assert {hit.text for hit, _ in found} == {BAKES, "PersonX misses the bus"}
        wider = sum(store.add_vectors(lambda texts: np.ones((len(texts), 5)), encoder="five",
                                      dimensions=5))  # fmt: skip
        assert wider == count
        assert store.load_edges(made_edges) == LoadReport(unchanged=len(made_edges))
