"""kgbuild populate as a person types it, with a table for a critic and letters for an encoder."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kgbuild.cli.main import main
from kgbuild.runs import flow
from kgbuild.runs.inputs import Inputs
from kgbuild.runs.workers import Workers
from tests.flow.conftest import Doubles

Run = Callable[..., tuple[int, str, str]]
CAKE = "PersonX bakes a cake"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def make_workers(inputs: Inputs) -> Workers:
        return Doubles(inputs.config).workers

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(flow, "Workers", make_workers)
        monkeypatch.setattr(sys, "argv", ["kgbuild", *words])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "aser.tsv"
    path.write_text(f"{CAKE}\txWant\tto eat the cake\t3\nowl\tIsAn\tbird\t9\nowl\tIsA\tbird\t1\n")
    return path


def test_triples_are_filed_and_found_and_a_second_time_nothing_is_done(
    run: Run, file: Path, tmp_path: Path
) -> None:
    into = str(tmp_path / "run")
    words = ("populate", str(file), "--into", into, "--skip-unknown")
    code, out, said = run(*words)
    assert (code, out) == (0, "")
    assert "3 rows read, 2 triples judged, 2 accepted, 2 edges between 4 phrases" in said
    assert "1 left out: unknown_relation" in said
    code, out, _ = run("query", "tails", CAKE, "xWant", "--run", into, "--json")
    assert [edge["tail"] for edge in json.loads(out)] == ["to eat the cake"]
    code, out, _ = run("why", "owl", "IsA", "bird", "--run", into)
    assert code == 0
    assert "aser.tsv@sha256:" in out
    code, out, said = run(*words)
    assert (code, said.splitlines()[0]) == (
        0, f"Nothing to do: 0 candidates scored, 0 writes; {into} is whole.",
    )  # fmt: skip


def test_json_says_what_was_left_out(run: Run, file: Path, tmp_path: Path) -> None:
    words = ("--into", str(tmp_path / "run"), "--skip-unknown", "--min-weight", "2", "--json")
    code, out, _ = run("populate", str(file), *words)
    assert code == 0
    summary = json.loads(out)
    assert summary["left_out"] == {"low_weight": 1, "unknown_relation": 1}
    assert (summary["read"], summary["edges"]) == (3, 1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "did you mean IsA?; --skip-unknown leaves such rows out"),
        (("--format", "conceptnett"), "did you mean conceptnet"),
        (("--against", "nowhere"), "dedup.against names nowhere"),
        (("--set", "critic.treshold=1"), "did you mean"),
    ],
)
def test_mistakes_are_one_paragraph(
    run: Run, file: Path, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    code, out, said = run("populate", str(file), "--into", str(tmp_path / "run"), *words)
    assert (code, out) == (2, "")
    assert message in said
    assert "Traceback" not in said


def test_a_teachers_run_keeps_its_graph(run: Run, file: Path, made_run: Path) -> None:
    before = (made_run / "manifest.json").read_bytes()
    code, _, said = run("populate", str(file), "--into", str(made_run))
    assert code == 2
    assert "a teacher wrote" in said
    assert (made_run / "manifest.json").read_bytes() == before
