"""A judge reads a run's candidates; what it said is never lost and never said twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgbuild.core.config import CriticConfig
from kgbuild.core.errors import LabelError
from kgbuild.core.manifest import read_manifest
from kgbuild.core.progress import QUIET
from kgbuild.core.records import Triple
from kgbuild.core.relations import load_relations
from kgbuild.core.shards import read_shards
from kgbuild.critic import Candidate, load_critic, read_silver, train_critic
from kgbuild.runs.silver import judge_runs
from tests.critic.conftest import make_labels
from tests.tiny_models import make_encoder

SLOW = 1_000


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("judge"), seed=13)


def train(folder: Path, *, seed: int) -> Path:
    words = ["personx bakes a pie buy some flour find good recipe wash both hands heat oven"]
    train_critic(
        make_labels(60),
        [],
        load_relations(["atomic2020.en", "generics.en"]),
        backbone_path=make_encoder(folder, texts=words),
        config=CriticConfig(epochs=1, seed=seed),
        folder=folder / "critic",
    )
    return folder / "critic"


def read_triples(run: Path) -> list[Triple]:
    return list(read_shards(read_manifest(run).stage_folder("triples"), Triple))


def test_every_candidate_gets_the_verdict_of_its_text_alone(
    run: Path, judge: Path, tmp_path: Path
) -> None:
    out = tmp_path / "silver" / "a.jsonl"
    triples = {one.triple_id: one for one in read_triples(run)}
    assert judge_runs([run, run], judge, out, progress=QUIET) == (len(triples), len(triples))
    rows = read_silver([out])
    assert [row.triple_id for row in rows] == list(triples)
    critic = load_critic(judge)
    for row in rows:
        one = triples[row.triple_id]
        [opinion] = critic.score([Candidate(one.head, one.relation, one.tail)])
        assert row.probability == pytest.approx(opinion.probability, abs=1e-3)
        assert row.tokens == one.provenance.tokens
        assert row.judge_hash == critic.card.weights_hash
    assert len({row.probability for row in rows}) > 3


def test_a_judge_that_was_killed_goes_on_after_its_last_whole_line(
    run: Path, judge: Path, tmp_path: Path
) -> None:
    whole, broken = tmp_path / "whole.jsonl", tmp_path / "broken.jsonl"
    _, count = judge_runs([run], judge, whole, progress=QUIET)
    broken.write_bytes(whole.read_bytes()[:SLOW])
    kept = broken.read_bytes().count(b"\n")
    assert 0 < kept < count
    assert judge_runs([run], judge, broken, progress=QUIET) == (count - kept, count)
    assert broken.read_bytes() == whole.read_bytes()
    assert judge_runs([run], judge, broken, progress=QUIET) == (0, count)


def test_a_limit_counts_what_the_file_holds(run: Path, judge: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.jsonl"
    assert judge_runs([run], judge, out, limit=5, progress=QUIET) == (5, 5)
    assert judge_runs([run], judge, out, limit=8, progress=QUIET) == (3, 8)
    assert judge_runs([run], judge, out, limit=8, progress=QUIET) == (0, 8)


def test_two_judges_never_share_a_file(run: Path, judge: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.jsonl"
    judge_runs([run], judge, out, limit=2, progress=QUIET)
    other = train(tmp_path, seed=14)
    size = out.stat().st_size
    with pytest.raises(LabelError, match="name another file with --out"):
        judge_runs([run], other, out, progress=QUIET)
    assert out.stat().st_size == size


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl.gz", b"\x1f\x8b\x08 not a line end in sight"),
        ("notes.md", b"my notes"),
        ("a.jsonl", b"head\trelation\ttail"),
        ("b.jsonl", b"one\ntwo, not ended"),
    ],
)
def test_a_file_of_something_else_is_refused_and_left_as_it_is(
    run: Path, judge: Path, tmp_path: Path, name: str, content: bytes
) -> None:
    out = tmp_path / name
    out.write_bytes(content)
    with pytest.raises(LabelError):
        judge_runs([run], judge, out, progress=QUIET)
    assert out.read_bytes() == content
