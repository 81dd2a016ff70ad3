"""From a run to a server and back, as a person types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from kgbuild.cli import push_commands, query_commands
from kgbuild.core.config import StoreConfig
from kgbuild.core.errors import KgbuildError
from kgbuild.core.ids import phrase_id, triple_id
from kgbuild.core.manifest import read_manifest
from kgbuild.core.progress import QUIET
from kgbuild.core.records import Edge
from kgbuild.runs.pushing import prune_edges
from kgbuild.store import open_store
from kgbuild.store.memory import MemoryStore
from kgbuild.store.neo4j_server import Server, ServerHome
from kgbuild.store.neo4j_store import Neo4jStore, find_address

BAKES = "PersonX bakes a cake"
Run = Callable[..., tuple[str, str]]


def _make_app() -> typer.Typer:
    app = typer.Typer(pretty_exceptions_enable=False)
    push_commands.register(app)
    query_commands.register(app)
    app.add_typer(query_commands.query_app, name="query")
    return app


APP = _make_app()


def _run(*words: str, **environment: str) -> tuple[str, str]:
    """Give stdout and stderr of a command that ends well."""
    result = CliRunner().invoke(
        APP, list(words), catch_exceptions=False, env={"COLUMNS": "200", **environment}
    )
    assert result.exit_code == 0, result.output
    return result.stdout, result.stderr


@pytest.mark.neo4j
def test_a_run_is_pushed_once_and_answers_like_its_file(
    made_run: Path, clean_neo4j: Server
) -> None:
    to = ("--to", clean_neo4j.uri, "--credentials", str(clean_neo4j.credentials))
    first, _ = _run("push", "--run", str(made_run), *to)
    assert first.startswith("6 edges and 8 phrases added to neo4j://127.0.0.1:")
    again, _ = _run("push", "--run", str(made_run), *to)
    assert again.startswith("Nothing to change: neo4j://")
    assert "holds all 6 edges as they are" in again
    file = read_manifest(made_run).stage_folder("graph")
    bare = json.loads(_run("push", "--store", str(file), *to, "--json")[0])
    assert bare == {"edges": {"added_nodes": 0, "added_edges": 0, "unchanged": 6, "updated": 0}}
    variable = {"KGBUILD_NEO4J_CREDENTIALS": str(clean_neo4j.credentials)}
    for words in (
        ("query", "tails", BAKES),
        ("query", "heads", "tired", "xReact"),
        ("query", "neighbours", "proud"),
        ("query", "paths", BAKES, "tired"),
        ("query", "find", "cake"),
        ("query", "cypher", "MATCH (p:Phrase) RETURN p.text AS text ORDER BY text"),
    ):
        here, _ = _run(*words, "--json", "--run", str(made_run))
        there, _ = _run(*words, "--json", "--run", clean_neo4j.uri, **variable)
        assert json.loads(there) == json.loads(here) != [], words


@pytest.mark.neo4j
def test_pruning_takes_out_what_the_run_has_no_longer_and_nothing_else(
    made_run: Path, clean_neo4j: Server
) -> None:
    to = ("--to", clean_neo4j.uri, "--credentials", str(clean_neo4j.credentials))
    _run("push", "--run", str(made_run), *to)
    manifest = read_manifest(made_run)
    with open_store(manifest.stage_folder("graph"), config=StoreConfig(), is_read_only=True) as one:
        edge = next(iter(one.edges()))
    assert edge.run == manifest.run_id

    def like(tail: str, run: str) -> Edge:
        new = {"tail": tail, "tail_id": phrase_id(tail), "run": run}
        new["triple_id"] = triple_id(edge.head, edge.relation, tail)
        return edge.model_copy(update=new)

    address = find_address(clean_neo4j.uri, credentials=clean_neo4j.credentials)
    others = [like("of another run", "r2"), like("of nobody", "")]
    with Neo4jStore(address, relations=[edge.relation]) as server:
        server.load_edges([like("undone since", manifest.run_id), *others])
        assert server.counts().edges == 9
    told, _ = _run("push", "--run", str(made_run), *to, "--prune")
    assert "1 edges taken out" in told
    again, _ = _run("push", "--run", str(made_run), *to, "--prune", "--json")
    assert json.loads(again)["pruned"] == 0
    with Neo4jStore(address, is_read_only=True) as server:
        left = {edge.tail for edge in server.edges()}
        assert server.counts().edges == 8
    assert {"of another run", "of nobody"} <= left
    assert "undone since" not in left


@pytest.mark.neo4j
def test_pruning_by_a_graph_that_has_nothing_left(made_run: Path, clean_neo4j: Server) -> None:
    to = ("--to", clean_neo4j.uri, "--credentials", str(clean_neo4j.credentials))
    _run("push", "--run", str(made_run), *to)
    run = read_manifest(made_run).run_id
    address = find_address(clean_neo4j.uri, credentials=clean_neo4j.credentials)
    with Neo4jStore(address, relations=[]) as server:
        assert prune_edges(MemoryStore(), server, run=run, progress=QUIET) == 6
        assert server.counts().edges == 0


@pytest.mark.neo4j
def test_rejected_triples_are_pushed_when_asked(made_run: Path, clean_neo4j: Server) -> None:
    to = ("--to", clean_neo4j.uri, "--credentials", str(clean_neo4j.credentials))
    told, _ = _run("push", "--run", str(made_run), *to, "--with-rejected")
    assert "3 rejected triples" in told
    again, _ = _run("push", "--run", str(made_run), *to, "--with-rejected")
    assert again.count("Nothing to change") == 2
    query = (
        "MATCH (h)-[r:REJECTED]->(t) RETURN t.text AS tail, r.reason AS reason, "
        "r.probability AS probability, r.relation AS relation ORDER BY tail"
    )
    variable = {"KGBUILD_NEO4J_CREDENTIALS": str(clean_neo4j.credentials)}
    words = ("query", "cypher", query, "--json", "--run", clean_neo4j.uri)
    rows: list[dict[str, Any]] = json.loads(_run(*words, **variable)[0])
    assert [(row["tail"], row["reason"], row["probability"]) for row in rows] == [
        ("bake again", "clause_unmet", None),
        ("furious", "below_threshold", 0.2),
        ("like baking", "clause_unmet", None),
    ]
    counted = json.loads(_run("query", "tails", BAKES, "--json", "--run", clean_neo4j.uri,
                              **variable)[0])  # fmt: skip
    assert len(counted) == 3


@pytest.mark.neo4j
def test_no_output_and_no_run_file_holds_the_password(made_run: Path, clean_neo4j: Server) -> None:
    password = ServerHome(clean_neo4j.home).read_password()
    to = ("--to", clean_neo4j.uri, "--credentials", str(clean_neo4j.credentials))
    for words in ((), ("--json",), ("--with-rejected",)):
        assert password not in "".join(_run("push", "--run", str(made_run), *to, *words))
    for path in made_run.rglob("*"):
        assert not path.is_file() or password.encode() not in path.read_bytes(), path


@pytest.mark.neo4j
def test_a_relation_that_no_pack_declares_is_not_pushed(
    made_run: Path, clean_neo4j: Server
) -> None:
    to = ("--to", clean_neo4j.uri, "--credentials", str(clean_neo4j.credentials))
    with pytest.raises(KgbuildError, match="AtLocation|xReact|xWant"):
        _run("push", "--run", str(made_run), *to, "--pack", "generics.en")
    query = ("query", "cypher", "MATCH (p:Phrase) RETURN count(p) AS n", "--json")
    variable = {"KGBUILD_NEO4J_CREDENTIALS": str(clean_neo4j.credentials)}
    [row] = json.loads(_run(*query, "--run", clean_neo4j.uri, **variable)[0])
    assert row["n"] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--run", "RUN", "--store", "x.lbdb"), "both name what to push"),
        (("--store", "FILE", "--with-rejected"), "knows nothing of rejected triples"),
        (("--store", "FILE", "--prune"), "takes out what one run made"),
        (("--run", "RUN", "--to", "http://localhost"), "not a scheme"),
        (("--run", "RUN"), "kgbuild neo4j start"),
        (("--run", "RUN", "--to", "neo4j://127.0.0.1:1"), "no password"),
        (("--run", "RUN", "--pack", "generisc.en"), "generics.en"),
        (("--run", "nowhere"), "nowhere"),
    ],
)
def test_what_the_user_can_mend_is_told(
    made_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.setenv("KGBUILD_NEO4J_HOME", str(tmp_path))
    for name in ("KGBUILD_NEO4J_CREDENTIALS", "NEO4J_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    file = read_manifest(made_run).stage_folder("graph")
    given = [{"RUN": str(made_run), "FILE": str(file)}.get(word, word) for word in words]
    with pytest.raises(KgbuildError, match=message):
        _run("push", *given)
