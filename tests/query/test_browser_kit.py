"""The files of the kit, up to what Neo4j Browser reads of them."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kgbuild.cli.main import app
from kgbuild.core.errors import FileError, StoreError
from kgbuild.core.relations import load_relations
from kgbuild.query import open_graph
from kgbuild.query.browser_kit import mean_probabilities, write_browser_kit
from kgbuild.query.grass import write_grass
from kgbuild.query.palette import FAMILIES, NEGATIVE, REJECTED, UNKNOWN, edge_width
from kgbuild.query.saved_queries import load_queries

RELATIONS = load_relations(["atomic2020.en", "generics.en"])


def read_grass(text: str) -> dict[str, dict[str, str]]:
    """Read a style sheet by the rules of Browser's own reader: no comments, no `:` in a value."""
    rules = re.findall(r"([\w.]+) \{\n((?:  [\w-]+: [^:;\n]+;\n)*)\}\n", text)
    assert re.sub(r"[\w.]+ \{\n(?:  [\w-]+: [^:;\n]+;\n)*\}\n", "", text).strip() == ""
    return {selector: dict(re.findall(r"  ([\w-]+): (.+);", body)) for selector, body in rules}


def test_every_relation_has_a_rule_in_the_colour_of_its_family() -> None:
    rules = read_grass(write_grass(RELATIONS, held=["homemade"]))
    for relation in RELATIONS:
        color = NEGATIVE if relation.negates else FAMILIES[relation.family]
        assert rules[f"relationship.{relation.name}"]["color"] == color
    assert rules["relationship.homemade"]["color"] == UNKNOWN
    assert rules["relationship.REJECTED"]["color"] == REJECTED.rim
    for label in ("Phrase", "Event", "Concept", "RejectedPhrase"):
        assert rules[f"node.{label}"]["caption"] == "'{text}'"
    assert rules["node.Event"]["color"] != rules["node.Concept"]["color"]


def test_a_relation_is_as_wide_as_the_critic_is_sure_of_it(made_run: Path) -> None:
    with open_graph(made_run) as graph:
        means = mean_probabilities(graph)
    assert means["xReact"] == pytest.approx((0.95 + 0.7 + 0.8) / 3)
    rules = read_grass(write_grass(RELATIONS, probabilities=means))
    assert rules["relationship.xReact"]["shaft-width"] == f"{edge_width(means['xReact']):g}px"
    sure, unsure = edge_width(means["AtLocation"]), edge_width(means["xReact"])
    assert sure > unsure > edge_width(0.5)


@pytest.mark.parametrize("name", ["a b", "x{}", "x:y", "", "9x", "x\n", "ä"])
def test_a_name_that_could_break_the_style_sheet_is_refused(name: str) -> None:
    with pytest.raises(StoreError, match="cannot be styled"):
        write_grass(RELATIONS, held=[name])


def test_writing_the_kit_again_changes_no_byte(tmp_path: Path, made_run: Path) -> None:
    with open_graph(made_run) as graph:
        first = write_browser_kit(tmp_path / "kit", graph=graph)
        before = [path.read_bytes() for path in first]
        assert write_browser_kit(tmp_path / "kit", graph=graph) == first
    assert [path.read_bytes() for path in first] == before


def test_the_zip_holds_the_same_scripts_as_the_folder(tmp_path: Path) -> None:
    write_browser_kit(tmp_path)
    with zipfile.ZipFile(tmp_path / "kgbuild-queries.zip") as scripts:
        inside = {Path(name).name: scripts.read(name) for name in scripts.namelist()}
    assert inside == {path.name: path.read_bytes() for path in (tmp_path / "queries").iterdir()}
    assert len(inside) == len(load_queries())


def test_the_guide_names_every_query_and_what_it_answers(tmp_path: Path) -> None:
    write_browser_kit(tmp_path)
    guide = (tmp_path / "guide.html").read_text(encoding="utf-8")
    for query in load_queries():
        assert query.title in guide
        assert query.answers in guide
    assert "<script" not in guide


def test_the_command_writes_the_kit_and_prints_the_guide(tmp_path: Path, made_run: Path) -> None:
    out = tmp_path / "kit"
    words = ["neo4j", "browser-kit", "--out", str(out), "--run", str(made_run)]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert str(out / "guide.html") in result.output
    assert "0.82" in (out / "guide.html").read_text(), "the mean of xReact"


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FileError):
        write_browser_kit(tmp_path / "file" / "kit")
