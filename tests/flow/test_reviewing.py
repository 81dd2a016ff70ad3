"""What people decide about a run: into its graph, out of it, and never back by a rebuild."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kgbuild.core.config import BuildConfig
from kgbuild.core.errors import ConfigError, LabelError, RunError, StoreError
from kgbuild.core.ids import triple_id
from kgbuild.core.manifest import read_manifest
from kgbuild.core.records import Edge, Rejection
from kgbuild.core.review import ReviewLog
from kgbuild.core.shards import read_shards
from kgbuild.critic import read_labels
from kgbuild.query import Status, open_graph
from kgbuild.runs import run_flow
from kgbuild.runs.exporting import export_run
from kgbuild.runs.reviewing import Review, ReviewSummary
from kgbuild.store import open_store
from tests.flow.conftest import DIE_AT_A_REPLACE, Doubles
from tests.flow.test_flow import build, snapshot

MakeConfig = Callable[..., BuildConfig]
PIE, FENCE = "PersonX bakes a pie", "PersonX paints a fence"
FLOUR_ID = triple_id(PIE, "xNeed", "to buy some flour")
FLOUR, RECIPE, OVEN = "to buy some flour", "to find a good recipe", "to heat the oven up"


@pytest.fixture
def config(make_config: MakeConfig) -> BuildConfig:
    return make_config(heads=2)


@pytest.fixture
def run(config: BuildConfig, tmp_path: Path) -> Path:
    build(config, tmp_path / "run")
    return tmp_path / "run"


def edges_of(run: Path) -> dict[tuple[str, str, str], Edge]:
    """The edges of the run's graph itself, which must be those of its shards and its corpus."""
    manifest = read_manifest(run)
    with open_store(
        manifest.stage_folder("graph"), config=manifest.read_config().store, is_read_only=True
    ) as graph:
        found = list(graph.edges())
    assert found == list(read_shards(manifest.stage_folder("edges"), Edge))
    assert manifest.stages["corpus"].counts["rows"] == len(found)
    return {(edge.head, edge.relation, edge.tail): edge for edge in found}


def sheet(run: Path, path: Path, answers: dict[tuple[str, str, str], dict[str, str]]) -> Path:
    """Export the run for review and fill in some cells, as a person would."""
    export_run(run, format="review", out=path)
    with path.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    for row in rows:
        row.update(answers.pop((row["head"], row["relation"], row["tail"]), {}))
    assert not answers
    with path.open("w", encoding="utf-8-sig", newline="") as written:
        table = csv.DictWriter(written, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return path


def take(run: Path, path: Path, *, by: str = "ann") -> ReviewSummary:
    return Review(run, by=by).import_file(path)


def test_an_answer_becomes_a_label_and_no_takes_the_triple_out(run: Path, tmp_path: Path) -> None:
    before = edges_of(run)
    path = sheet(
        run,
        tmp_path / "review.csv",
        {
            (PIE, "xNeed", FLOUR): {"accept": "no", "comment": "pies may be bought"},
            (PIE, "xWant", OVEN): {"accept": "always"},
            (PIE, "xWant", RECIPE): {"accept": "?"},
        },
    )
    done = take(run, path)
    assert (done.labels, done.tombstones, done.triples) == (3, 1, 0)
    assert edges_of(run).keys() == before.keys() - {(PIE, "xNeed", FLOUR)}
    # What the critic's training reads, as it is.
    labels = {row.tail: row for row in read_labels([run / "review" / "labels"])}
    assert {tail: row.label for tail, row in labels.items()} == {
        FLOUR: "invalid",
        OVEN: "always",
        RECIPE: "unsure",
    }
    said = labels[FLOUR]
    assert (said.labeller, said.guideline, said.comment) == ("ann", 1, "pies may be bought")
    assert said.labelled_at > "2026-01-01T"
    edge = before[PIE, "xNeed", FLOUR]
    assert (said.sentence, said.tokens, said.teacher) == (edge.sentence, edge.tokens, "scripted")


def test_the_same_file_again_changes_nothing(run: Path, tmp_path: Path) -> None:
    path = sheet(
        run,
        tmp_path / "review.csv",
        {
            (PIE, "xNeed", FLOUR): {"accept": "no"},
            (PIE, "xWant", FLOUR): {"tail": "to buy flour at last", "accept": "yes"},
        },
    )
    take(run, path)
    before = snapshot(run)
    done = take(run, path)
    assert (done.batch, done.edges_before) == ("", done.edges)
    assert snapshot(run) == before
    # Another reader's same answers are answers of their own.
    assert take(run, path, by="bob").labels == 2


def test_a_rejected_triple_stays_rejected_in_later_builds(
    config: BuildConfig, make_config: MakeConfig, run: Path, tmp_path: Path
) -> None:
    path = sheet(run, tmp_path / "review.csv", {(PIE, "xNeed", FLOUR): {"accept": "no"}})
    take(run, path)
    kept = edges_of(run)
    doubles = Doubles(config)
    summary = run_flow(config, run, workers=doubles.workers)
    assert doubles.teacher.asked == []
    # The build finds what the import made, and only writes the report anew.
    assert summary.made == ("report",)
    assert edges_of(run) == kept
    # Everything made anew, from the teacher on.
    other = make_config("critic.threshold=0.1", "seed=8", heads=2)
    run_flow(other, run, workers=Doubles(other).workers)
    assert (PIE, "xNeed", FLOUR) not in edges_of(run)
    dropped = list(read_shards(read_manifest(run).stage_folder("edges"), Rejection, "rejected"))
    assert [(one.stage, one.reason, one.text) for one in dropped] == [("review", "rejected", FLOUR)]


def test_another_run_can_be_pointed_at_the_same_tombstones(
    make_config: MakeConfig, run: Path, tmp_path: Path
) -> None:
    path = sheet(run, tmp_path / "review.csv", {(PIE, "xNeed", FLOUR): {"accept": "no"}})
    take(run, path)
    config = make_config(f"store.tombstones=['{run}']", heads=2)
    build(config, tmp_path / "other")
    assert edges_of(tmp_path / "other").keys() == edges_of(run).keys()
    with open_graph(tmp_path / "other") as graph:
        assert graph.why(PIE, "xNeed", FLOUR).status is Status.REJECTED
    # Its own review decides last.
    answer = tmp_path / "answer.jsonl"
    triple = {"head": PIE, "relation": "xNeed", "tail": FLOUR, "accept": True}
    answer.write_text(json.dumps(triple) + "\n")
    take(tmp_path / "other", answer)
    assert (PIE, "xNeed", FLOUR) in edges_of(tmp_path / "other")
    missing = make_config("store.tombstones=[nowhere]", heads=2)
    with pytest.raises(ConfigError, match=r"store\.tombstones names nowhere"):
        build(missing, tmp_path / "third")


def test_a_changed_text_replaces_the_triple(run: Path, tmp_path: Path) -> None:
    path = sheet(
        run,
        tmp_path / "review.csv",
        {(PIE, "xNeed", FLOUR): {"tail": "=to buy flour", "comment": "some is too much"}},
    )
    done = take(run, path)
    assert (done.labels, done.tombstones, done.triples) == (2, 1, 1)
    edges = edges_of(run)
    assert (PIE, "xNeed", FLOUR) not in edges
    edge = edges[PIE, "xNeed", "=to buy flour"]
    assert (edge.source, edge.probability, edge.run) == ("import", 1.0, done.batch)
    labels = {row.tail: str(row.label) for row in ReviewLog(run / "review").labels()}
    assert labels == {FLOUR: "invalid", "=to buy flour": "likely"}


def test_atomic_lines_are_added_once_and_survive_a_rebuild(
    config: BuildConfig, run: Path, tmp_path: Path
) -> None:
    path = tmp_path / "atomic.tsv"
    path.write_text(
        f"{PIE}\txReact\tproud\n{PIE}\txNeed\t{FLOUR}\n{PIE}\txReact\tnone\n"
        f"{PIE}\txReact\tPROUD.\nsalt\tAtLocation\tkitchen\n"
    )
    done = take(run, path)
    assert (done.triples, done.unchanged, done.left_out) == (2, 2, {"none_tail": 1})
    edge = edges_of(run)[PIE, "xReact", "proud"]
    assert (edge.source, edge.kind, edge.polarity) == ("import", "event", "positive")
    assert edges_of(run)["salt", "AtLocation", "kitchen"].kind == "concept"
    kept = edges_of(run)
    assert take(run, path).batch == ""
    run_flow(config, run, workers=Doubles(config).workers)
    assert edges_of(run) == kept
    out = tmp_path / "graph.jsonl"
    export_run(run, format="jsonl", out=out)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert {row["source"] for row in rows} == {"teacher", "import"}
    # Its own export says nothing new.
    assert take(run, out).batch == ""


def test_conceptnet_lines_of_one_run_come_into_another(
    make_config: MakeConfig, run: Path, tmp_path: Path
) -> None:
    build(make_config(heads=1), tmp_path / "small")
    export_run(run, format="conceptnet", out=tmp_path / "assertions.csv")
    done = take(tmp_path / "small", tmp_path / "assertions.csv")
    assert edges_of(tmp_path / "small").keys() == edges_of(run).keys()
    assert done.triples == done.edges - done.edges_before
    edge = edges_of(tmp_path / "small")[FENCE, "xWant", OVEN]
    assert (edge.probability, edge.teacher) == (0.8, "scripted")


@pytest.mark.parametrize("kind", ["teacher", "run", "triple"])
def test_undo_takes_out_and_restore_lets_in_again(
    config: BuildConfig, run: Path, kind: str
) -> None:
    whole = edges_of(run)
    chosen = {
        "teacher": "scripted",
        "run": read_manifest(run).run_id,
        "triple": triple_id(PIE, "xNeed", FLOUR),
    }[kind]
    review = Review(run, by="ann")
    done = review.undo(why="wrong prompt", **{kind: chosen})
    assert done.tombstones == 1
    left = edges_of(run)
    assert left.keys() == (whole.keys() - {(PIE, "xNeed", FLOUR)} if kind == "triple" else set())
    run_flow(config, run, workers=Doubles(config).workers)
    assert edges_of(run) == left
    before = snapshot(run)
    assert review.undo(why="wrong prompt", **{kind: chosen}).batch == ""
    assert snapshot(run) == before
    assert review.undo(why="it was right", is_restored=True, **{kind: chosen}).tombstones == 1
    assert edges_of(run) == whole
    assert review.undo(why="it was right", is_restored=True, **{kind: chosen}).batch == ""


def test_an_import_is_undone_by_its_key(run: Path, tmp_path: Path) -> None:
    whole = edges_of(run)
    path = tmp_path / "atomic.tsv"
    path.write_text(f"{PIE}\txReact\tproud\n")
    done = take(run, path)
    Review(run, by="ann").undo(why="a wrong file", run=done.batch)
    assert edges_of(run) == whole
    again = take(run, path)
    assert (again.batch, again.still_out, again.edges) == ("", 0, len(whole))


def test_a_triple_taken_out_is_not_brought_back_by_an_old_export(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "graph.tsv"
    export_run(run, format="tsv", out=out)
    Review(run, by="ann").undo(why="wrong", triple=triple_id(PIE, "xNeed", FLOUR))
    done = take(run, out)
    assert (done.batch, done.still_out) == ("", 1)
    assert (PIE, "xNeed", FLOUR) not in edges_of(run)


def test_why_tells_who_decided_what_and_when(run: Path, tmp_path: Path) -> None:
    path = sheet(
        run,
        tmp_path / "review.csv",
        {
            (PIE, "xNeed", FLOUR): {"accept": "no", "comment": "pies may be bought"},
            (PIE, "xWant", FLOUR): {"tail": "to buy flour"},
            (PIE, "xWant", RECIPE): {"accept": "yes", "comment": "good one"},
        },
    )
    done = take(run, path)
    with open_graph(run) as graph:
        rejected = graph.why(PIE, "xNeed", FLOUR)
        replaced = graph.why(PIE, "xWant", FLOUR)
        brought = graph.why(PIE, "xWant", "to buy flour")
        accepted = graph.why(PIE, "xWant", RECIPE)
    assert (rejected.status, rejected.stage, rejected.reason) == (
        Status.REJECTED,
        "review",
        "rejected",
    )
    assert "by ann on 2" in rejected.summary
    assert "pies may be bought" in rejected.summary
    assert {note.what for note in rejected.review} == {"label invalid", "rejected"}
    # The teacher's part is still told.
    assert rejected.generation is not None
    assert rejected.generation.teacher == "scripted"
    assert (replaced.status, replaced.reason) == (Status.REJECTED, "edited")
    assert "'to buy flour'" in replaced.detail
    assert brought.status is Status.STORED
    assert "imported from review.csv by ann" in brought.summary
    assert accepted.status is Status.STORED
    assert [note.why for note in accepted.review] == ["good one"]
    review = Review(run, by="bob")
    review.undo(why="no licence", run=done.batch)
    review.undo(why="too small a model", teacher="scripted")
    with open_graph(run) as graph:
        gone = graph.why(PIE, "xWant", "to buy flour")
        all_gone = graph.why(PIE, "xWant", RECIPE)
    assert (gone.status, gone.reason) == (Status.REJECTED, "undone")
    assert "no licence" in gone.summary
    assert "everything of teacher scripted, by bob" in all_gone.summary
    assert "too small a model" in all_gone.summary


CONTRADICTIONS = {
    "two answers": (
        [
            {"head": "owl", "relation": "IsA", "tail": "bird", "accept": "yes"},
            {"head": "Owl", "relation": "IsA", "tail": "bird.", "accept": "no"},
        ],
        r"a\.jsonl:2 answers invalid where .*a\.jsonl:1 answers likely",
    ),
    "changed and rejected": (
        [{"head": "owl", "relation": "IsA", "tail": "x", "accept": "no", "triple_id": "0" * 20}],
        r"a\.jsonl:1 changes the triple and rejects it",
    ),
    "a copied line": (
        [
            {"head": PIE, "relation": "xNeed", "tail": FLOUR, "triple_id": FLOUR_ID},
            {"head": PIE, "relation": "xNeed", "tail": "a bowl", "triple_id": FLOUR_ID},
        ],
        r"a\.jsonl:2 changes the triple that .*a\.jsonl:1 keeps",
    ),
    "a copied line before": (
        [
            {"head": PIE, "relation": "xNeed", "tail": "a bowl", "triple_id": FLOUR_ID},
            {"head": PIE, "relation": "xNeed", "tail": FLOUR, "triple_id": FLOUR_ID},
        ],
        r"a\.jsonl:1 changes the triple that .*a\.jsonl:2 keeps",
    ),
    "a comment alone": (
        [{"head": "owl", "relation": "IsA", "tail": "bird", "comment": "hm"}],
        r"a\.jsonl:1 has a comment and no answer",
    ),
    "bad at the end": (
        [
            {"head": "owl", "relation": "IsA", "tail": "bird"},
            {"head": "owl", "relation": "IsAn", "tail": "bird"},
        ],
        "did you mean IsA",
    ),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_file_that_is_refused_changes_nothing(run: Path, tmp_path: Path, name: str) -> None:
    rows, message = CONTRADICTIONS[name]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    before = snapshot(run)
    with pytest.raises(Exception, match=message):
        take(run, path)
    assert snapshot(run) == before


def test_undo_says_what_it_does_not_know(run: Path) -> None:
    review = Review(run, by="ann")
    before = snapshot(run)
    with pytest.raises(StoreError, match="did you mean scripted"):
        review.undo(why="x", teacher="scriptd")
    with pytest.raises(StoreError, match="--triple 'nothing': no edge"):
        review.undo(why="x", triple="nothing")
    with pytest.raises(StoreError, match="no edge"):
        review.undo(why="x", run="other", is_restored=True)
    with pytest.raises(LabelError, match="--why is empty"):
        review.undo(why=" ", teacher="scripted")
    for chosen in ({}, {"teacher": "scripted", "run": "r"}):
        with pytest.raises(LabelError, match="exactly one"):
            review.undo(why="x", **chosen)
    with pytest.raises(LabelError, match="--by is empty"):
        Review(run, by=" ")
    assert snapshot(run) == before


def test_two_at_once_are_told_apart(run: Path) -> None:
    first, second = Review(run, by="ann"), Review(run, by="bob")
    with first._run.locked(), pytest.raises(RunError, match="another process"):
        second.undo(why="x", teacher="scripted")


KILLED = f"""{DIE_AT_A_REPLACE}
from kgbuild.runs.reviewing import Review

Review(Path(sys.argv[1]), by="ann").import_file(Path(sys.argv[2]))
"""


def test_an_import_killed_at_any_write_is_finished_by_the_same_command(
    run: Path, tmp_path: Path
) -> None:
    """A real kill -9 before each rename in turn; what was decided is there whole or not at all."""
    path = sheet(
        run,
        tmp_path / "review.csv",
        {
            (PIE, "xNeed", FLOUR): {"accept": "no"},
            (PIE, "xWant", FLOUR): {"tail": "to buy flour"},
        },
    )
    expected = edges_of(run).keys() - {(PIE, "xNeed", FLOUR), (PIE, "xWant", FLOUR)}
    expected |= {(PIE, "xWant", "to buy flour")}
    kills = 0
    for allowed in range(0, 40, 3):
        killed = subprocess.run(
            [sys.executable, "-c", KILLED, str(run), str(path), str(allowed)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=False,
        )
        if killed.returncode == 0:
            break
        assert killed.returncode == -signal.SIGKILL
        kills += 1
        # Readers always find a whole graph: the old one or the new one.
        assert edges_of(run).keys() in (
            expected,
            expected - {(PIE, "xWant", "to buy flour")}
            | {(PIE, "xNeed", FLOUR), (PIE, "xWant", FLOUR)},
        )
    assert kills > 2
    take(run, path)
    assert edges_of(run).keys() == expected
    assert len(ReviewLog(run / "review").batches()) == 1
