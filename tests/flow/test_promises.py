"""A promise on its way through a run, and what happens to it where candidates are others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kgbuild.core.config import BuildConfig, StoreConfig
from kgbuild.core.files import write_json
from kgbuild.core.manifest import read_manifest
from kgbuild.core.progress import Quiet
from kgbuild.core.records import CorpusRow, Edge, Label, Verdict
from kgbuild.core.shards import read_shards
from kgbuild.critic import Drift, Guarantee, Profile, Promise, TableScorer, evaluate_critic
from kgbuild.runs import run_flow
from kgbuild.runs.inputs import Inputs
from kgbuild.runs.promises import gather_promise, read_drift
from kgbuild.runs.workers import Workers
from kgbuild.store import open_store
from tests.critic.conftest import make_label
from tests.flow.conftest import Doubles

MakeConfig = Callable[..., BuildConfig]
TEXT = "0.80@0.95 each"
RELATIONS = ("xNeed", "xWant")


class Listener(Quiet):
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, message: str) -> None:
        self.said.append(message)


def promise_on(scores: dict[str, float]) -> tuple[Guarantee, Profile]:
    """A promise for two relations, made on fifty heads each whose scores were all alike."""
    promises = [Promise(relation=name, heads=50, labels=50, threshold=0.5) for name in RELATIONS]
    guarantee = Guarantee(
        precision=0.8,
        confidence=0.95,
        scope="each",
        heads=50,
        labels=100,
        promises=tuple(promises),
        relations=RELATIONS,
    )
    profile = Profile(
        scores=np.repeat([scores[name] for name in RELATIONS], 50).astype(np.float32),
        relations=np.repeat([0, 1], 50).astype(np.int32),
        is_whole=np.ones(100, dtype=np.uint8),
        evidence=np.ones(100, dtype=np.uint8),
        vectors=np.zeros((0, 0), dtype=np.float16),
    )
    return guarantee, profile


def build(
    config: BuildConfig, folder: Path, scores: dict[str, float]
) -> tuple[Drift, list[str], tuple[str, ...]]:
    doubles = Doubles(config)
    critic = TableScorer({}, default=0.8, guarantee=promise_on(scores))
    workers = Workers(
        Inputs(config), teacher=doubles.teacher, critic=critic, encoder=doubles.encoder
    )
    listener = Listener()
    made = run_flow(config, folder, workers=workers, progress=listener).made
    drift = read_drift(read_manifest(folder))
    assert drift is not None
    return drift, listener.said, made


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory, make_config: MakeConfig) -> BuildConfig:
    """A build of twenty heads, enough to tell two samples apart."""
    seeds = tmp_path_factory.mktemp("many") / "seeds.tsv"
    seeds.write_text("head\n" + "".join(f"PersonX paints wall {n}\n" for n in range(20)))
    return make_config(f"seeds.files=['{seeds}']")


def promises_of(folder: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for edge in read_shards(read_manifest(folder).stage_folder("edges"), Edge):
        found.setdefault(edge.relation, set()).add(edge.promise)
    return found


def test_where_candidates_are_alike_every_edge_and_row_bears_the_promise(
    config: BuildConfig, tmp_path: Path
) -> None:
    drift, said, _ = build(config, tmp_path / "run", {"xNeed": 0.8, "xWant": 0.8})
    assert (drift.kept, drift.withdrawn) == (RELATIONS, ())
    assert not [line for line in said if "withdrawn" in line]
    assert promises_of(tmp_path / "run") == {name: {TEXT} for name in RELATIONS}
    manifest = read_manifest(tmp_path / "run")
    assert manifest.stages["drift"].counts == {"promised": 2, "withdrawn": 0}
    rows = read_shards(manifest.stage_folder("corpus"), CorpusRow)
    assert {row.promise for row in rows} == {TEXT}
    graph = manifest.stage_folder("graph")
    with open_store(graph, config=StoreConfig(), is_read_only=True) as store:
        assert {edge.promise for edge in store.edges()} == {TEXT}
    _, _, made = build(config, tmp_path / "run", {"xNeed": 0.8, "xWant": 0.8})
    assert made == ()


def test_where_one_relation_drifted_its_edges_bear_none_and_it_is_said_what_to_label(
    config: BuildConfig, tmp_path: Path
) -> None:
    drift, said, _ = build(config, tmp_path / "run", {"xNeed": 0.8, "xWant": 0.3})
    assert (drift.kept, drift.withdrawn) == (("xNeed",), ("xWant",))
    assert promises_of(tmp_path / "run") == {"xNeed": {TEXT}, "xWant": {""}}
    assert drift.advice in said
    assert "xWant (scores 1.00, 20 heads)" in drift.advice
    assert "50 heads of xWant" in drift.advice
    assert read_manifest(tmp_path / "run").stages["drift"].counts["withdrawn"] == 1


def test_a_threshold_of_ones_own_promises_nothing(make_config: MakeConfig, tmp_path: Path) -> None:
    config = make_config("critic.threshold=0.6")
    build(config, tmp_path / "run", {"xNeed": 0.8, "xWant": 0.8})
    folder = read_manifest(tmp_path / "run").stage_folder("verdicts")
    assert {verdict.promise for verdict in read_shards(folder, Verdict)} == {""}


def test_a_run_whose_critic_promises_nothing_has_no_such_stage(built: tuple[Path, Doubles]) -> None:
    manifest = read_manifest(built[0])
    assert "drift" not in manifest.stages
    assert read_drift(manifest) is None
    assert promises_of(built[0]) == {name: {""} for name in RELATIONS}


def test_the_report_says_what_was_promised_measured_and_withdrawn(
    config: BuildConfig, tmp_path: Path
) -> None:
    build(config, tmp_path / "run", {"xNeed": 0.8, "xWant": 0.3})
    manifest = read_manifest(tmp_path / "run")
    assert gather_promise(manifest) is None  # A table has no report of its own.
    rows = [
        make_label(f"PersonX paints house {n}", "to rest", Label.LIKELY, relation=relation)
        for n in range(80)
        for relation in RELATIONS
    ]
    guarantee, profile = promise_on({"xNeed": 0.8, "xWant": 0.3})
    critic = TableScorer({}, default=0.8, guarantee=(guarantee, profile))
    report = evaluate_critic(critic, rows).model_copy(update={"guarantee": guarantee})
    write_json(manifest.stage_folder("critic") / "report.json", report.model_dump(mode="json"))
    facts = gather_promise(manifest)
    assert facts is not None
    assert [(row.relation, row.standing) for row in facts.rows] == [
        ("xNeed", "promised"),
        ("xWant", "withdrawn"),
    ]
    assert {(row.kept, row.right) for row in facts.rows} == {(report.plain.labels // 2,) * 2}
    assert "label candidates of this run" in facts.advice
