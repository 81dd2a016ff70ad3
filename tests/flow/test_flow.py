"""One head from file to edge to corpus row, and what a second build does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kgbuild.core.config import BuildConfig, StoreConfig
from kgbuild.core.errors import KgbuildError, RunError
from kgbuild.core.manifest import read_manifest
from kgbuild.core.records import CorpusRow, Edge, Rejection
from kgbuild.core.shards import read_shards
from kgbuild.runs import run_flow
from kgbuild.runs.exporting import export_run
from kgbuild.store import open_store
from tests.flow.conftest import DIE_AT_A_REPLACE, HEADS, Doubles, build

MakeConfig = Callable[..., BuildConfig]
Built = tuple[Path, Doubles]


def snapshot(folder: Path) -> dict[str, int]:
    return {
        str(path.relative_to(folder)): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def test_a_head_becomes_edges_and_corpus_rows(built: Built) -> None:
    manifest = read_manifest(built[0])
    edges = list(read_shards(manifest.stage_folder("edges"), Edge))
    found = {(edge.relation, edge.tail): edge for edge in edges if edge.head == HEADS[0]}
    assert ("xWant", "to heat the oven up") in found
    edge = found["xNeed", "to buy some flour"]
    assert edge.sentence.startswith("PersonX bakes a pie.")
    assert (edge.teacher, edge.probability, edge.run) == ("scripted", 0.8, manifest.run_id)
    rows = list(read_shards(manifest.stage_folder("corpus"), CorpusRow))
    assert {row.triple_id for row in rows} == {edge.triple_id for edge in edges}
    with open_store(
        manifest.stage_folder("graph"), config=StoreConfig(), is_read_only=True
    ) as graph:
        assert graph.counts().edges == len(edges)
        stored = graph.edge(edge.triple_id)
    assert stored == edge


def test_what_the_critic_drops_is_written_with_its_reason(built: Built) -> None:
    folder = read_manifest(built[0]).stage_folder("verdicts")
    dropped = list(read_shards(folder, Rejection, "rejected"))
    assert [(one.reason, one.head, one.text) for one in dropped] == [
        ("below_threshold", HEADS[0], "to wash both hands")
    ]


def test_every_prompt_is_asked_once(built: Built) -> None:
    asked = built[1].teacher.asked
    assert len(asked) == len(set(asked)) == 6


def test_a_second_identical_build_asks_and_writes_nothing(
    make_config: MakeConfig, run: Path
) -> None:
    before = snapshot(run)
    doubles = Doubles(make_config())
    summary = run_flow(make_config(), run, workers=doubles.workers)
    assert (summary.made, summary.prompts_asked) == ((), 0)
    assert doubles.teacher.asked == []
    assert doubles.critic.asked == 0
    assert doubles.encoder.encoded == 0
    assert snapshot(run) == before


def test_a_new_threshold_asks_neither_teacher_nor_critic_nor_encoder(
    make_config: MakeConfig, run: Path
) -> None:
    config = make_config("critic.threshold=0.1")
    doubles = Doubles(config)
    summary = run_flow(config, run, workers=doubles.workers)
    assert doubles.teacher.asked == []
    assert doubles.critic.asked == 0
    assert doubles.encoder.encoded == 0
    assert "triples" not in summary.made
    assert "scores" not in summary.made
    assert summary.accepted == summary.parsed


def test_another_similarity_embeds_nothing_again(make_config: MakeConfig, run: Path) -> None:
    assert build(make_config("dedup.similarity=0.99"), run).encoder.encoded == 0


def test_two_builds_in_two_folders_export_the_same_bytes(
    make_config: MakeConfig, built: Built, tmp_path: Path
) -> None:
    build(make_config(), tmp_path / "b")
    exports = []
    for folder in (built[0], tmp_path / "b"):
        export_run(folder, format="jsonl", out=tmp_path / "out.jsonl")
        exports.append((tmp_path / "out.jsonl").read_bytes())
    assert exports[0] == exports[1]
    assert exports[0].count(b"\n") > 4


KILLED = f"""{DIE_AT_A_REPLACE}
from kgbuild.core.config import BuildConfig
from kgbuild.runs import run_flow
from tests.flow.conftest import Doubles

config = BuildConfig.model_validate_json(Path(sys.argv[1]).read_text())
run_flow(config, Path(sys.argv[2]), workers=Doubles(config).workers)
"""


@pytest.mark.slow
def test_a_run_killed_at_many_moments_ends_like_an_unbroken_one(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    """Killed with SIGKILL at every fourth file that it would finish, then run to its end."""
    config = make_config()
    (tmp_path / "config.json").write_text(config.model_dump_json())
    build(config, tmp_path / "whole")
    export_run(tmp_path / "whole", format="jsonl", out=tmp_path / "whole.jsonl")
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", KILLED, str(tmp_path / "config.json"), str(tmp_path / "run")]
    killed = 0
    for moment in range(0, 40, 4):
        done = subprocess.run(
            [*command, str(moment)], cwd=root, env={**os.environ, "PYTHONPATH": str(root)},
            capture_output=True, check=False,
        )  # fmt: skip
        killed += done.returncode == -signal.SIGKILL
        assert done.returncode in (0, -signal.SIGKILL), done.stderr.decode()
    assert killed >= 3
    build(config, tmp_path / "run")
    export_run(tmp_path / "run", format="jsonl", out=tmp_path / "run.jsonl")
    assert (tmp_path / "run.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_what_an_earlier_run_holds_is_not_stored_again(
    make_config: MakeConfig, built: Built, tmp_path: Path
) -> None:
    held = read_manifest(built[0]).stages["graph"].counts["edges"]
    build(make_config(f"dedup.against=['{built[0]}']", heads=4), tmp_path / "second")
    stages = read_manifest(tmp_path / "second").stages
    assert stages["merges"].counts["in_graph"] == held
    edges = list(read_shards(read_manifest(tmp_path / "second").stage_folder("edges"), Edge))
    assert {edge.head for edge in edges} == {HEADS[3]}


def test_a_folder_with_other_things_is_refused(make_config: MakeConfig, tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "thesis.docx").write_text("mine")
    with pytest.raises(RunError, match=r"thesis.docx.*not a run folder"):
        build(make_config(), folder)


def test_a_second_builder_is_told_that_the_folder_is_taken(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    from filelock import FileLock

    (tmp_path / "run").mkdir()
    with FileLock(tmp_path / "run" / ".lock"), pytest.raises(RunError, match="another process"):
        build(make_config(), tmp_path / "run")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("dedup.against=[nowhere]", "dedup.against names nowhere: nowhere does not exist"),
        ("prompts.relations=[xWnat]", "did you mean xWant"),
        ("prompts.packs=[nowhere]", "neither a file nor a shipped relation pack"),
        ("seeds.files=[missing.tsv]", "missing.tsv"),
        ("prompts.relations=[UsedFor]", "No relation takes any of the heads"),
    ],
)
def test_wrong_inputs_are_named_with_the_way_out(
    make_config: MakeConfig, tmp_path: Path, setting: str, message: str
) -> None:
    with pytest.raises(KgbuildError, match=message):
        build(make_config(setting), tmp_path / "run")


@pytest.mark.parametrize(
    "settings",
    [
        ("dedup.against=[nowhere]",),
        ("report.reference=nowhere.tsv",),
        ("student.is_enabled=true", "student.model=nowhere"),
    ],
)
def test_a_wrong_name_of_a_later_stage_is_told_before_the_teacher_is_asked(
    make_config: MakeConfig, tmp_path: Path, settings: tuple[str, ...]
) -> None:
    config = make_config(*settings)
    doubles = Doubles(config)
    with pytest.raises(KgbuildError, match="nowhere"):
        run_flow(config, tmp_path / "run", workers=doubles.workers)
    assert doubles.teacher.asked == []


def test_a_floor_that_is_missed_is_reported(make_config: MakeConfig, run: Path) -> None:
    config = make_config("report.min_edges=1000")
    summary = run_flow(config, run, workers=Doubles(config).workers)
    assert "report.min_edges = 1000" in summary.floors[0]
