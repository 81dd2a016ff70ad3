"""Triples of files become a run like any other: judged, merged, stored, and gone on with."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from kgbuild.core.config import BuildConfig
from kgbuild.core.config_file import load_config
from kgbuild.core.errors import KgbuildError, LabelError, RelationError, RunError
from kgbuild.core.files import read_json
from kgbuild.core.manifest import MANIFEST_NAME, read_manifest
from kgbuild.core.records import Edge, Rejection
from kgbuild.core.shards import read_shards
from kgbuild.critic import Candidate, Opinion, TableScorer
from kgbuild.query import Status, open_graph
from kgbuild.runs import RunSummary, run_flow
from kgbuild.runs.exporting import export_run
from kgbuild.runs.filing import make_filing_config
from kgbuild.runs.inputs import Inputs
from kgbuild.runs.reporting import refresh_report
from kgbuild.runs.reviewing import Review
from kgbuild.runs.workers import Workers
from tests.flow.conftest import DIE_AT_A_REPLACE, Doubles, LetterEncoder
from tests.flow.test_flow import build, snapshot

CAKE = "PersonX bakes a cake"
ROWS = (
    (CAKE, "xWant", "to eat the cake", "3.0"),
    (CAKE, "xWant", "to eat that cake", "1.0"),
    (CAKE, "xWant", "to eat the cake", "2.0"),
    (CAKE, "xWant", "to set fire to the sea", "1.0"),
    ("knife", "UsedFor", "cutting bread", "7.5"),
    ("PersonX misses the bus", "xReact", "annoyed", "0.5"),
)
SEA = ROWS[3]
TABLE = {SEA[:3]: 0.1, ROWS[1][:3]: 0.7}


class CountingCritic(TableScorer):
    """A table that may fail after so many questions, as a process that is killed would."""

    def __init__(self, *, most: int | None = None) -> None:
        super().__init__(TABLE, default=0.8)
        self._most = most

    def score(self, candidates: Sequence[Candidate]) -> list[Opinion]:
        if self._most is not None and self.asked >= self._most:
            raise KeyboardInterrupt
        return super().score(candidates)


def write(path: Path, rows: Sequence[Sequence[str]] = ROWS) -> Path:
    text = "".join("\t".join(row) + "\n" for row in rows)
    packed = gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode()
    path.write_bytes(packed)
    return path


def configure(*files: Path, settings: Sequence[str] = (), **options: Any) -> BuildConfig:
    loaded = load_config(None, settings=["candidates.shard_rows=2", *settings])
    return make_filing_config(loaded, files, **options)


def populate(
    config: BuildConfig, folder: Path, *, critic: TableScorer | None = None
) -> tuple[RunSummary, TableScorer, LetterEncoder]:
    critic, encoder = critic or CountingCritic(), LetterEncoder()
    workers = Workers(Inputs(config), critic=critic, encoder=encoder)
    return run_flow(config, folder, workers=workers), critic, encoder


def edges_of(folder: Path) -> list[Edge]:
    return list(read_shards(read_manifest(folder).stage_folder("edges"), Edge))


def rejected(folder: Path, stage: str) -> list[Rejection]:
    return list(read_shards(read_manifest(folder).stage_folder(stage), Rejection, "rejected"))


@pytest.mark.parametrize("name", ["aser.tsv", "aser.tsv.gz", "packed-without-its-name.gz"])
def test_a_file_is_judged_merged_stored_and_exported_with_its_hash(
    name: str, tmp_path: Path
) -> None:
    file, run = write(tmp_path / name), tmp_path / "run"
    if name.startswith("packed"):
        file = file.rename(tmp_path / "packed.tsv")
    summary, _, _ = populate(configure(file), run)
    assert (summary.read, summary.parsed, summary.accepted, summary.edges) == (6, 6, 5, 3)
    assert summary.left_out == {"below_threshold": 1, "exact": 1, "semantic": 1}
    edges = edges_of(run)
    assert [(edge.relation, edge.head, edge.tail) for edge in edges] == [
        ("UsedFor", "knife", "cutting bread"),
        ("xReact", "PersonX misses the bus", "annoyed"),
        ("xWant", CAKE, "to eat the cake"),
    ]
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    assert {edge.source for edge in edges} == {f"{file.name}@sha256:{sha256[:20]}"}
    assert {(edge.teacher, edge.tokens, edge.run) for edge in edges} == {("", 0, summary.run_id)}
    assert edges[2].cluster_size == 3
    assert (edges[0].probability, edges[0].threshold, edges[0].kind) == (0.8, 0.5, "concept")
    [dropped] = rejected(run, "verdicts")
    assert (dropped.reason, dropped.head, dropped.text) == ("below_threshold", CAKE, SEA[2])
    out = tmp_path / "out.jsonl"
    assert export_run(run, format="jsonl", out=out) == 3
    assert {json.loads(line)["source"] for line in out.read_text().splitlines()} == {
        edges[0].source
    }


def test_the_graph_and_the_report_tell_where_the_triples_are_from(tmp_path: Path) -> None:
    file, run = write(tmp_path / "aser.tsv"), tmp_path / "run"
    populate(configure(file), run)
    with open_graph(run) as graph:
        stored = graph.why(CAKE, "xWant", "to eat the cake")
        refused = graph.why(*SEA[:3])
    assert stored.status is Status.STORED
    assert stored.generation is not None
    assert stored.generation.source.startswith("aser.tsv@sha256:")
    assert (refused.status, refused.reason) == (Status.REJECTED, "below_threshold")
    report = read_json(refresh_report(run).with_suffix(".json"))
    assert report["counts"] == {"read": 6, "parsed": 6, "accepted": 5, "merged": 2, "stored": 3}
    assert report["rejected"] == {"critic: below_threshold": 1}
    assert [sample["sentence"] for sample in report["refused"]] == [
        f"{CAKE}. Afterwards, PersonX wants to set fire to the sea."
    ]
    assert "triples of files" in (run / "report.html").read_text()


def test_people_can_review_what_was_filed(tmp_path: Path) -> None:
    file, run = write(tmp_path / "aser.tsv"), tmp_path / "run"
    summary, _, _ = populate(configure(file), run)
    Review(run, by="ann").undo(why="not ours", run=summary.run_id)
    assert edges_of(run) == []
    assert {one.reason for one in rejected(run, "edges")} == {"undone"}


def test_a_second_time_scores_and_writes_nothing(tmp_path: Path) -> None:
    file, run = write(tmp_path / "aser.tsv"), tmp_path / "run"
    populate(configure(file), run)
    before = snapshot(run)
    summary, critic, encoder = populate(configure(file), run)
    assert (summary.made, critic.asked, encoder.encoded) == ((), 0, 0)
    assert snapshot(run) == before


def test_a_new_threshold_asks_no_model(tmp_path: Path) -> None:
    file, run = write(tmp_path / "aser.tsv"), tmp_path / "run"
    populate(configure(file), run)
    summary, critic, _ = populate(configure(file, settings=["critic.threshold=0.05"]), run)
    assert (critic.asked, summary.accepted) == (0, 6)
    assert "triples" not in summary.made


def test_what_was_scored_before_a_kill_is_not_scored_again(tmp_path: Path) -> None:
    file, run = write(tmp_path / "aser.tsv"), tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        populate(configure(file), run, critic=CountingCritic(most=4))
    _, critic, _ = populate(configure(file), run)
    assert critic.asked == len(ROWS) - 4
    populate(configure(file), tmp_path / "whole")
    assert edges_of(run) == edges_of(tmp_path / "whole")


KILLED = f"""{DIE_AT_A_REPLACE}
from kgbuild.core.config import BuildConfig
from tests.flow.test_filing import populate

populate(BuildConfig.model_validate_json(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
"""


@pytest.mark.slow
def test_killed_at_many_moments_it_ends_like_an_unbroken_one(tmp_path: Path) -> None:
    """Killed with SIGKILL at every third file that it would finish, then run to its end."""
    config = configure(write(tmp_path / "aser.tsv", ROWS * 2), skip_unknown=True)
    (tmp_path / "config.json").write_text(config.model_dump_json())
    populate(config, tmp_path / "whole")
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", KILLED, str(tmp_path / "config.json"), str(tmp_path / "run")]
    killed = 0
    for moment in range(0, 18, 3):
        done = subprocess.run(
            [*command, str(moment)], cwd=root, env={**os.environ, "PYTHONPATH": str(root)},
            capture_output=True, check=False,
        )  # fmt: skip
        killed += done.returncode == -signal.SIGKILL
        assert done.returncode in (0, -signal.SIGKILL), done.stderr.decode()
    assert killed >= 3
    populate(config, tmp_path / "run")
    exports = []
    for name in ("run", "whole"):
        export_run(tmp_path / name, format="jsonl", out=tmp_path / f"{name}.jsonl")
        exports.append((tmp_path / f"{name}.jsonl").read_bytes())
    assert exports[0] == exports[1]
    assert exports[0].count(b"\n") == 3


def test_unknown_relations_are_refused_or_left_out_and_written(tmp_path: Path) -> None:
    rows = [("owl", "IsAn", "bird", "1"), *ROWS]
    file = write(tmp_path / "a.tsv", rows)
    with pytest.raises(RelationError, match=r"a\.tsv:1: .*'IsAn'.*did you mean IsA\?.*--skip"):
        populate(configure(file), tmp_path / "run")
    summary, _, _ = populate(configure(file, skip_unknown=True), tmp_path / "run")
    assert (summary.read, summary.parsed, summary.left_out["unknown_relation"]) == (7, 6, 1)
    [dropped] = rejected(tmp_path / "run", "triples")
    assert (dropped.stage, dropped.head, dropped.relation, dropped.text) == (
        "candidates", "owl", "IsAn", "bird",
    )  # fmt: skip
    assert dropped.detail == f"{file}:1"


def test_broken_rows_are_refused_or_left_out_and_written(tmp_path: Path) -> None:
    file = tmp_path / "a.tsv"
    file.write_text("owl\tIsA\tbird\nowl\tIsA\nowl\tIsA\t\n" + f"{'o' * 1001}\tIsA\tbird\n")
    with pytest.raises(LabelError, match=r"a\.tsv:2 has 2 cells"):
        populate(configure(file), tmp_path / "run")
    summary, _, _ = populate(configure(file, skip_broken=True), tmp_path / "run")
    assert (summary.parsed, summary.left_out) == (1, {"broken_row": 3})
    assert [one.detail.partition(";")[0] for one in rejected(tmp_path / "run", "triples")] == [
        f"{file}:2 has 2 cells where 3 belong (head, relation, tail)",
        f"{file}:3 has no tail",
        f"{file}:4: head has 1,001 characters",
    ]


def test_light_rows_are_left_out_when_asked(tmp_path: Path) -> None:
    file = write(tmp_path / "a.tsv")
    summary, _, _ = populate(configure(file, min_weight=2.0), tmp_path / "run")
    assert (summary.parsed, summary.left_out["low_weight"]) == (3, 3)
    first = rejected(tmp_path / "run", "triples")[0]
    assert (first.text, first.detail) == ("to eat that cake", f"{file}:2: 1 is less than 2")


def test_several_files_of_several_formats_are_one_run(tmp_path: Path) -> None:
    one = write(tmp_path / "aser.tsv", ROWS[4:5])
    two = tmp_path / "assertions.csv"
    two.write_text("/a/[x]\t/r/IsA\t/c/en/owl\t/c/en/bird\t{}\n")
    three = tmp_path / "train100k.txt"
    # Its first relation is an unknown one, so the first line alone does not tell the order.
    three.write_text("ReceivesAction\tbread\tcut\t2.0\nHasProperty\tbread\tsoft\t3.4\n")
    summary, _, _ = populate(configure(one, two, three, skip_unknown=True), tmp_path / "run")
    assert summary.left_out == {"unknown_relation": 1}
    assert [(edge.relation, edge.tail, edge.source.partition("@")[0]) for edge in
            edges_of(tmp_path / "run")] == [
        ("HasProperty", "soft", "train100k.txt"),
        ("IsA", "bird", "assertions.csv"),
        ("UsedFor", "cutting bread", "aser.tsv"),
    ]  # fmt: skip


def test_what_an_earlier_graph_holds_is_not_filed_again(tmp_path: Path) -> None:
    populate(configure(write(tmp_path / "old.tsv", ROWS[4:])), tmp_path / "old")
    config = configure(write(tmp_path / "new.tsv"), against=[tmp_path / "old"])
    summary, _, _ = populate(config, tmp_path / "new")
    assert summary.left_out["in_graph"] == 2
    assert {edge.head for edge in edges_of(tmp_path / "new")} == {CAKE}


def test_a_run_of_another_origin_a_graph_file_and_a_sheet_with_answers_are_refused(
    make_config: Callable[..., BuildConfig], tmp_path: Path
) -> None:
    build(make_config(heads=1), tmp_path / "taught")
    source = configure(write(tmp_path / "rows.tsv"))
    with pytest.raises(RunError, match=r"a teacher wrote.*--into.*--against"):
        populate(source, tmp_path / "taught")
    graph = read_manifest(tmp_path / "taught").stage_folder("graph")
    with pytest.raises(RunError, match=r"is a file.*--against"):
        populate(source, graph)
    populate(source, tmp_path / "filed")
    kept = (tmp_path / "filed" / MANIFEST_NAME).read_bytes()
    with pytest.raises(RunError, match=r"came from files.*--run"):
        build(make_config(heads=1), tmp_path / "filed")
    assert (tmp_path / "filed" / MANIFEST_NAME).read_bytes() == kept
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("head,relation,tail,accept\nowl,IsA,bird,\nowl,IsA,stone,no\n")
    with pytest.raises(LabelError, match=r"sheet\.csv:3 has a person's answer.*kgbuild import"):
        populate(configure(sheet), tmp_path / "run")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "cn10k"}, "did you mean cn100k"),
        ({"min_weight": float("nan")}, "--min-weight nan"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(KgbuildError, match=message):
        configure(write(tmp_path / "a.tsv"), **options)


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="does not exist"):
        configure(tmp_path / "missing.tsv")
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(LabelError, match="no regular file"):
            configure(place)


NEGATIVES = (
    ("fish", "NotCapableOf", "walk"),
    ("knife", "NotUsedFor", "cutting bread"),
    ("fish", "CapableOf", "swim"),
    ("stone", "NotCapableOf", "sing"),
)


def check_negatives(folder: Path, file: Path, *settings: str) -> tuple[RunSummary, Doubles]:
    config = configure(file, settings=settings)
    doubles = Doubles(config)
    doubles.teacher._judgements = {"cutting bread": 0.9, "walk": 0.6}
    return run_flow(config, folder, workers=doubles.workers), doubles


def test_a_negative_that_its_teacher_contradicts_is_rejected_with_the_question(
    tmp_path: Path,
) -> None:
    file, run = write(tmp_path / "a.tsv", NEGATIVES), tmp_path / "run"
    summary, doubles = check_negatives(run, file, "teacher.self_check=0.7")
    assert summary.left_out == {"self_check": 1}
    assert [line.splitlines()[0] for line in doubles.teacher.judged] == [
        "Question: Can a fish walk?",
        "Question: Is a knife used for cutting bread?",
        "Question: Can a stone sing?",
    ]
    [dropped] = rejected(run, "verdicts")
    assert (dropped.stage, dropped.reason, dropped.text) == (
        "teacher", "self_check", "cutting bread",
    )  # fmt: skip
    assert dropped.detail == (
        "the teacher says yes (0.9000, from 0.7000 on) to 'Is a knife used for cutting bread?'"
    )
    assert {edge.tail for edge in edges_of(run)} == {"walk", "swim", "sing"}
    with open_graph(run) as graph:
        why = graph.why("knife", "NotUsedFor", "cutting bread")
    assert (why.status, why.stage, why.reason) == (Status.REJECTED, "teacher", "self_check")
    assert "Is a knife used for cutting bread?" in why.summary
    # Another cut asks nobody again.
    summary, doubles = check_negatives(run, file, "teacher.self_check=0.6")
    assert (summary.left_out, doubles.teacher.judged) == ({"self_check": 2}, [])
    summary, doubles = check_negatives(run, file)
    assert (summary.left_out, doubles.teacher.judged) == ({}, [])
