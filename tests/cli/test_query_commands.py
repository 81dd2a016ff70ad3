from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from kgbuild.cli import query_commands
from kgbuild.core.errors import ConfigError, KgbuildError, RunError
from kgbuild.query import Graph

BAKES, MISSES = "PersonX bakes a cake", "PersonX misses the bus"


def _make_app() -> typer.Typer:
    app = typer.Typer(pretty_exceptions_enable=False)
    query_commands.register(app)
    app.add_typer(query_commands.query_app, name="query")
    return app


APP = _make_app()


def _run(*words: str) -> tuple[str, str]:
    """Give stdout and stderr of a command that ends well."""
    result = CliRunner().invoke(APP, list(words), catch_exceptions=False, env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.stdout, result.stderr


def _read(*words: str) -> Any:
    return json.loads(_run(*words, "--json")[0])


def test_tails_are_a_table_for_people_and_json_for_programs(made_run: Path) -> None:
    table, _ = _run("query", "tails", BAKES, "xReact", "--run", str(made_run))
    assert "proud" in table
    assert "0.950" in table
    rows = _read("query", "tails", BAKES, "xReact", "--run", str(made_run), "--limit", "1")
    assert [(row["head"], row["relation"], row["tail"]) for row in rows] == [
        (BAKES, "xReact", "proud")
    ]
    assert rows[0]["probability"] == 0.95


def test_no_tails_is_an_empty_list_and_a_hint_on_stderr(made_run: Path) -> None:
    out, err = _run("query", "tails", BAKES, "xNeed", "--run", str(made_run), "--json")
    assert json.loads(out) == []
    assert "there is xReact, xWant" in err


def test_heads_neighbours_and_paths_are_json(made_run: Path) -> None:
    run = ("--run", str(made_run))
    assert [row["head"] for row in _read("query", "heads", "tired", "xReact", *run)] == [
        MISSES,
        BAKES,
    ]
    assert len(_read("query", "neighbours", "proud", "--depth", "3", *run)) > 2
    [path] = _read("query", "paths", BAKES, MISSES, *run)
    assert path["phrases"] == [BAKES, "tired", MISSES]


def test_a_path_shows_the_direction_of_its_edges(made_run: Path) -> None:
    table, _ = _run("query", "paths", BAKES, MISSES, "--run", str(made_run))
    assert f"{BAKES} -xReact-> tired <-xReact- {MISSES}" in table
    out, err = _run("query", "paths", BAKES, "kitchen", "--run", str(made_run))
    assert out == ""
    assert "--max-length" in err


def test_cypher_reads_its_parameters_as_yaml(made_run: Path) -> None:
    query = "MATCH (h:Phrase)-[r:xReact]->(t) WHERE r.probability > $least RETURN t.text AS tail"
    rows = _read("query", "cypher", query, "--param", "least=0.9", "--run", str(made_run))
    assert rows == [{"tail": "proud"}]
    node = _read(
        "query", "cypher", "MATCH (p:Phrase {text: 'proud'}) RETURN p", "--run", str(made_run)
    )
    assert node[0]["p"]["text"] == "proud"
    with pytest.raises(ConfigError, match="no name=value form"):
        _run("query", "cypher", query, "--param", "least", "--run", str(made_run))


def test_the_graph_command_prints_counts_or_the_whole_graph(made_run: Path) -> None:
    table, _ = _run("query", "graph", "--run", str(made_run))
    assert "6 edges" in table
    whole = _read("query", "graph", "--run", str(made_run))
    assert len(whole["edges"]) == 6


@pytest.mark.parametrize(
    ("tail", "status"),
    [
        ("proud", "stored"),
        ("very proud", "merged"),
        ("furious", "rejected"),
        ("like baking", "rejected"),
    ],
)
def test_why_tells_where_a_triple_ended(made_run: Path, tail: str, status: str) -> None:
    found = _read("why", BAKES, "xReact", tail, "--run", str(made_run))
    assert found["status"] == status
    table, _ = _run("why", BAKES, "xReact", tail, "--run", str(made_run))
    assert status in table


def test_why_shows_the_prompt_word_for_word(made_run: Path) -> None:
    table, _ = _run("why", BAKES, "xReact", "proud", "--run", str(made_run))
    for part in ("PersonX falls. PersonX feels hurt.", "'very proud': semantic", "beams 8", "-3.0"):
        assert part in table


def test_without_a_run_the_newest_is_read_and_named(
    made_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match="There is no run below"):
        _run("query", "tails", BAKES)
    shutil.copytree(made_run, tmp_path / "data" / "runs" / "made")
    out, err = _run("query", "tails", BAKES, "--json")
    assert len(json.loads(out)) == 3
    assert "data/runs/made" in err


def test_search_and_score_print_what_the_graph_answers(
    made_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The models behind them have tests of their own, in tests/query."""
    from kgbuild.query import ScoredTriple, SearchHit

    hit = SearchHit(phrase_id="p", text=BAKES, kind="event", similarity=0.83)
    scored = ScoredTriple(
        head=BAKES,
        relation="xReact",
        tail="happy",
        probability=0.9,
        threshold=0.6,
        accepted=True,
        critic="c",
        has_evidence=False,
    )
    monkeypatch.setattr(Graph, "search", lambda *_, **__: [hit])
    monkeypatch.setattr(Graph, "score", lambda *_, **__: scored)
    run = ("--run", str(made_run))
    assert _read("query", "search", "making a cake", *run)[0]["text"] == BAKES
    assert "0.830" in _run("query", "search", "making a cake", *run)[0]
    assert _read("query", "score", BAKES, "xReact", "happy", *run)["accepted"] is True
    assert "accepted" in _run("query", "score", BAKES, "xReact", "happy", *run)[0]


def test_ask_prints_the_students_tails(
    made_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Student:
        def ask(self, head: str, relation: str, n: int) -> list[tuple[str, float]]:
            return [("happy", -0.5), ("\x1b[31mproud", -1.25)][:n]

    monkeypatch.setattr("kgbuild.student.ask.check_relation", lambda folder, relation: None)
    monkeypatch.setattr("kgbuild.student.ask.load_student", lambda folder: Student())
    words = ("ask", "personx adopts a puppy", "xReact", "--student", str(tmp_path))
    assert _read(*words, "--n", "1") == [
        {
            "head": "PersonX adopts a puppy",
            "relation": "xReact",
            "tail": "happy",
            "log_probability": -0.5,
        }
    ]
    table, _ = _run(*words)
    assert "-1.25" in table
    assert "\x1b" not in table


def test_ask_without_a_student_says_how_to_get_one(made_run: Path) -> None:
    with pytest.raises(KgbuildError, match="has not finished its student stage"):
        _run("ask", BAKES, "xReact", "--run", str(made_run))


def test_who_stops_reading_gets_no_traceback(made_run: Path) -> None:
    """A pipe closed at its other end, as by `kgbuild query graph --json | head -1`."""
    code = "from kgbuild.cli.main import main; main()"
    command = [sys.executable, "-c", code, "query", "graph", "--json", "--run", str(made_run)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read().decode()
    assert "Traceback" not in said
    assert "BrokenPipe" not in said
    assert process.returncode == 0, "1 would say that a floor of the config was missed"
