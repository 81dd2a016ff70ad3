"""import, undo and export --list as a person types them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kgbuild.corpus import FORMATS
from kgbuild.store.neo4j_server import Server, ServerHome
from kgbuild.store.neo4j_store import Neo4jStore, find_address
from tests.conftest import BAKES, make_edges

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(call: Run) -> Run:
    return call


@pytest.fixture
def folder(made_run: Path, tmp_path: Path) -> Path:
    shutil.copytree(made_run, tmp_path / "run")
    return tmp_path / "run"


def test_export_list_explains_every_format(run: Run) -> None:
    code, out, _ = run("export", "--list", "--json")
    listed = json.loads(out)
    assert code == 0
    assert [entry["name"] for entry in listed] == list(FORMATS)
    assert all(entry["title"] and entry["read_by"] for entry in listed)
    assert "neo4j-admin database" in run("export", "--list")[1]


@pytest.mark.parametrize("format", [n for n, entry in FORMATS.items() if entry.reads == "edges"])
def test_a_run_is_exported_in_every_format_of_edges(
    run: Run, folder: Path, tmp_path: Path, format: str
) -> None:
    out = tmp_path / "out"
    words = ("export", "--run", str(folder), "--format", format, "--out", str(out))
    code, _, said = run(*words)
    assert (code, said.splitlines()[-1]) == (0, f"{len(make_edges())} triples in {out}")
    assert out.is_dir() == FORMATS[format].is_folder


def test_an_export_without_its_options_says_which(run: Run) -> None:
    code, _, said = run("export", "--out", "x")
    assert (code, "--format is missing" in said, "--list" in said) == (2, True, True)
    code, _, said = run("export", "--format", "tsv")
    assert (code, "--out is missing" in said) == (2, True)


def test_import_and_undo_report_in_json_and_in_words(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "mine.tsv"
    path.write_text(f"{BAKES}\txReact\tsatisfied\n")
    code, out, _ = run("import", str(path), "--run", str(folder), "--by", "ann", "--json")
    done = json.loads(out)
    assert (code, done["triples"], done["edges"] - done["edges_before"]) == (0, 1, 1)
    code, out, said = run("import", str(path), "--run", str(folder), "--by", "ann")
    assert (code, out) == (0, "")
    assert "Nothing new" in said
    code, out, said = run("why", BAKES, "xReact", "satisfied", "--run", str(folder))
    assert "imported from mine.tsv by ann" in " ".join(out.replace("│", " ").split())
    code, out, said = run(
        "undo", "--run", done["batch"], "--in", str(folder), "--by", "bob", "--why", "not mine"
    )
    assert (code, out) == (0, "")
    assert "7 edges before, 6 now" in said
    code, out, _ = run("why", BAKES, "xReact", "satisfied", "--run", str(folder))
    assert "not mine" in " ".join(out.replace("│", " ").split())


def test_a_run_folder_is_undone_by_its_path(run: Run, folder: Path) -> None:
    code, out, _ = run("undo", "--run", str(folder), "--by", "ann", "--why", "test", "--json")
    assert (code, json.loads(out)["edges"]) == (0, 0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"head\trelation\ttail\tacept\n", "did you mean accept?"),
        (b"PersonX sings\txReactt\thappy\n", "mine.tsv:1: relation 'xReactt'"),
        (b"PersonX sings\txReact\thap\x00py\n", "mine.tsv:1 holds a NUL"),
        (b"PersonX sings\txReact\t\xff\n", "mine.tsv:1 is not UTF-8"),
        (b"PersonX sings\txReact\n", "mine.tsv:1 has the columns"),
    ],
)
def test_what_the_user_can_mend_is_one_paragraph_and_exit_code_2(
    run: Run, folder: Path, tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "mine.tsv"
    path.write_bytes(content)
    manifest = (folder / "manifest.json").read_bytes()
    code, out, said = run("import", str(path), "--run", str(folder), "--by", "ann")
    assert (code, out) == (2, "")
    assert message in said
    assert said.strip().count("\n") == 0
    assert (folder / "manifest.json").read_bytes() == manifest
    assert not (folder / "review").exists() or not list((folder / "review").rglob("*.json*"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("undo", "--teacher", "tinny", "--why", "x"), "did you mean tiny?"),
        (("undo", "--why", "x"), "exactly one of --run, --teacher and --triple"),
        (("undo", "--teacher", "tiny", "--why", ""), "--why is empty"),
    ],
)
def test_an_undo_that_names_nothing_is_exit_code_2(
    run: Run, folder: Path, words: tuple[str, ...], message: str
) -> None:
    code, out, said = run(*words, "--in", str(folder), "--by", "ann")
    assert (code, out) == (2, "")
    assert message in said
    assert "Traceback" not in said


@pytest.mark.neo4j
def test_an_undo_reaches_the_server_that_the_run_was_pushed_to(
    run: Run, folder: Path, clean_neo4j: Server
) -> None:
    place = ServerHome(clean_neo4j.home)
    to = f"bolt://127.0.0.1:{place.read_state()['bolt']}"
    own = ("--credentials", str(place.credentials))
    assert run("push", "--run", str(folder), "--to", to, *own)[0] == 0
    taken = next(edge for edge in make_edges() if edge.tail == "tired")
    words = ("undo", "--triple", taken.triple_id, "--in", str(folder), "--why", "no", "--by", "ann")
    code, _, said = run(*words, "--also", to, *own)
    assert code == 0, said
    assert f"1 edges taken out of {to}" in said
    with Neo4jStore(find_address(to, credentials=place.credentials)) as server:
        left = {edge.triple_id for edge in server.edges()}
    assert left == {edge.triple_id for edge in make_edges()} - {taken.triple_id}
    # Again: nothing is left to take out.
    assert f"0 edges taken out of {to}" in run(*words, "--also", to, *own)[2]
    # An address that cannot be is refused before anything is decided.
    code, _, said = run(
        "undo", "--teacher", "tiny", "--in", str(folder), "--why", "no", "--also", "http://x"
    )
    assert code == 2
    assert len(list((folder / "review").glob("*.json"))) == 1


def test_what_was_merged_goes_with_what_stands_for_it(run: Run, folder: Path) -> None:
    proud = next(edge for edge in make_edges() if edge.tail == "proud")
    words = ("--in", str(folder), "--why", "boastful", "--by", "ann")
    assert run("undo", "--triple", proud.triple_id, *words)[0] == 0
    code, out, _ = run("why", BAKES, "xReact", "very proud", "--run", str(folder), "--json")
    found = json.loads(out)
    assert (code, found["status"], found["stage"]) == (0, "rejected", "review")
    assert found["summary"].startswith("A person took 'proud', which stands for it, out (undone)")
