from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import kgbuild
from kgbuild.core.errors import KgbuildError, RunError, StoreError
from kgbuild.core.manifest import read_manifest


def test_the_package_opens_a_run(made_run: Path) -> None:
    with kgbuild.open(str(made_run)) as graph:
        assert graph.tails("PersonX bakes a cake", "xWant")[0].tail == "to eat the cake"


def test_a_bare_graph_file_opens_without_its_run(made_run: Path, tmp_path: Path) -> None:
    file = tmp_path / "alone.lbdb"
    shutil.copy(read_manifest(made_run).stage_folder("graph"), file)
    with kgbuild.open(str(file)) as graph:
        assert graph.why("PersonX bakes a cake", "xReact", "proud").question is None


def test_reading_changes_no_byte_of_a_run(made_run: Path) -> None:
    graph_file = read_manifest(made_run).stage_folder("graph")
    before = graph_file.read_bytes()
    with kgbuild.open(str(made_run)) as graph:
        graph.neighbours("proud", depth=2)
    assert graph_file.read_bytes() == before


def test_two_readers_share_a_graph(made_run: Path) -> None:
    with kgbuild.open(str(made_run)) as one, kgbuild.open(str(made_run)) as other:
        assert one.counts() == other.counts()


def test_what_is_no_graph_is_refused(tmp_path: Path, made_run: Path) -> None:
    with pytest.raises(RunError, match="does not exist"):
        kgbuild.open(str(tmp_path / "nowhere"))
    with pytest.raises(RunError, match=r"without manifest\.json"):
        kgbuild.open(str(tmp_path))
    text = tmp_path / "text.lbdb"
    text.write_text("no database")
    with pytest.raises(StoreError, match="not a graph database"):
        kgbuild.open(str(text))


def test_an_unfinished_run_says_how_to_go_on(made_run: Path, tmp_path: Path) -> None:
    manifest = json.loads((made_run / "manifest.json").read_text())
    del manifest["stages"]["graph"]
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(RunError, match="has not finished its graph stage"):
        kgbuild.open(str(tmp_path))


def test_a_config_of_another_version_is_refused(made_run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(made_run, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["config"]["prompts"]["moods"] = 3
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with kgbuild.open(str(copy)) as graph, pytest.raises(KgbuildError, match=r"prompts\.moods"):
        graph.why("PersonX bakes a cake", "xReact", "proud")


def test_a_lost_shard_is_told_in_a_paragraph(made_run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(made_run, copy)
    scores, *_ = sorted(copy.glob("stages/scores/*/part-*.parquet"))
    scores.write_bytes(b"PAR1 and no more")
    with kgbuild.open(str(copy)) as graph, pytest.raises(KgbuildError, match="scores shards"):
        graph.why("PersonX bakes a cake", "xReact", "proud")
