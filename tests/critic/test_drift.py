"""A promise is withdrawn where candidates differ, and seldom where they do not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from kgbuild.core.errors import CriticError
from kgbuild.critic.drift import LEVEL, find_drift
from kgbuild.critic.profile import MOST_HEADS, Profile, Sighting
from kgbuild.critic.promise import Guarantee, Promise

_RELATIONS = ("xNeed", "xReact", "xWant")
_WIDTH = 16
_RUNS = 200


def promise(scope: str = "each") -> Guarantee:
    names = ("",) if scope == "graph" else _RELATIONS
    given = [Promise(relation=name, heads=60, labels=180, threshold=0.7) for name in names]
    return Guarantee(
        precision=0.9,
        confidence=0.95,
        scope=scope,
        heads=60,
        labels=540,
        promises=tuple(given),
        relations=_RELATIONS,
    )


def draw(
    heads: int,
    generator: np.random.Generator,
    *,
    raised: float = 0.0,
    turned: float = 0.0,
    only: str = "",
) -> Profile:
    """Draw a profile; a head's candidates share most of their score and of their meaning."""
    own = generator.normal(size=(heads, _WIDTH))
    easy = generator.normal(size=heads)
    count = len(_RELATIONS)
    relations = np.tile(np.arange(count), heads)
    moved = np.asarray([not only or name == only for name in _RELATIONS])[relations]
    logits = np.repeat(easy, count) + 0.5 * generator.normal(size=heads * count) + raised * moved
    vectors = np.repeat(own, count, axis=0) + 0.5 * generator.normal(size=(heads * count, _WIDTH))
    vectors[:, 0] += turned * moved
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    chosen = np.zeros((heads, count), dtype=np.uint8)
    chosen[np.arange(heads), generator.integers(count, size=heads)] = 1
    return Profile(
        scores=(1 / (1 + np.exp(-logits))).astype(np.float32),
        relations=relations.astype(np.int32),
        is_whole=chosen.ravel(),
        evidence=np.ones(heads * count, dtype=np.uint8),
        vectors=vectors.astype(np.float16),
    )


@pytest.mark.parametrize("scope", ["each", "graph"])
def test_where_nothing_differs_the_promise_is_withdrawn_at_the_stated_level(scope: str) -> None:
    generator = np.random.default_rng(5)
    alarms = 0
    for _ in range(_RUNS):
        # Small samples, whose effects are large by chance alone.
        found = find_drift(promise(scope), draw(30, generator), draw(20, generator))
        alarms += bool(found.withdrawn)
    assert alarms <= binom.ppf(0.9999, _RUNS, LEVEL)


@pytest.mark.parametrize("change", [{"raised": -1.5}, {"turned": 3.0}])
def test_other_scores_or_meanings_withdraw_it_also_in_a_small_run(change: dict[str, float]) -> None:
    generator = np.random.default_rng(6)
    for _ in range(10):
        found = find_drift(promise(), draw(60, generator), draw(40, generator, **change))
        assert found.withdrawn == _RELATIONS
        assert found.kept == ()


def test_only_the_relation_that_drifted_loses_its_promise() -> None:
    generator = np.random.default_rng(7)
    run = draw(80, generator, raised=-2.0, only="xReact")
    found = find_drift(promise(), draw(80, generator), run)
    assert found.withdrawn == ("xReact",)
    assert found.kept == ("xNeed", "xWant")
    assert "xReact (scores" in found.advice
    assert "60 heads of xReact" in found.advice


def test_one_drifted_part_withdraws_a_promise_for_the_whole_graph() -> None:
    generator = np.random.default_rng(8)
    held, run = draw(100, generator), draw(100, generator, raised=-2.0)
    assert find_drift(promise("graph"), held, run).withdrawn == _RELATIONS
    # The same candidates in other shares of the relations.
    mixed = replace(held, is_whole=(held.relations == 0).astype(np.uint8))
    found = find_drift(promise("graph"), held, mixed)
    assert [one.what for one in found.findings if one.is_drifted] == ["relations"]


def test_a_certain_and_tiny_difference_is_none() -> None:
    generator = np.random.default_rng(9)
    held = draw(4_000, generator)
    run = draw(4_000, generator, raised=0.15)
    held, run = (replace(one, vectors=one.vectors[:0, :0]) for one in (held, run))
    found = find_drift(promise(), held, run)
    assert min(one.p_value for one in found.findings) < 0.001
    assert found.withdrawn == ()


def test_too_few_heads_are_said_to_tell_nothing() -> None:
    generator = np.random.default_rng(10)
    found = find_drift(promise(), draw(60, generator), draw(4, generator, raised=-9.0))
    assert found.untested == found.kept == _RELATIONS
    assert found.findings == ()


def test_candidates_without_evidence_or_in_other_words_are_others() -> None:
    generator = np.random.default_rng(11)
    held = draw(60, generator)
    bare = replace(held, evidence=np.zeros_like(held.evidence))
    assert find_drift(promise(), held, bare).withdrawn == _RELATIONS
    found = find_drift(promise(), held, held, altered={"xWant": "wording", "isAfter": "wording"})
    assert found.withdrawn == ("xWant",)
    assert "wording" in found.advice


def test_a_promise_that_was_refused_everywhere_has_nothing_to_withdraw() -> None:
    refused = promise().model_copy(
        update={"promises": (Promise(relation="xWant", heads=3, labels=3, why="too few"),)}
    )
    generator = np.random.default_rng(12)
    found = find_drift(refused, draw(60, generator), draw(60, generator, raised=-5.0))
    assert (found.findings, found.withdrawn, found.kept) == ((), (), ())


def sight(head: int, tail: str, *, relation: str = "xWant") -> Sighting:
    return Sighting(
        triple_id=f"{head}-{relation}-{tail}",
        head=f"PersonX meets friend {head}",
        relation=relation,
        tail=tail,
        probability=0.5,
        has_evidence=True,
    )


def test_one_candidate_of_each_relation_and_head_is_drawn_whatever_their_order() -> None:
    seen = [
        sight(head, tail, relation=relation)
        for head in range(20)
        for relation in ("xWant", "xNeed", "other")
        for tail in "abc"
    ]
    encode = lambda texts: np.ones((len(texts), 3), dtype=np.float32)  # noqa: E731
    one = Profile.of(seen, relations=_RELATIONS, encode=encode)
    other = Profile.of(seen[::-1], relations=_RELATIONS, encode=encode)
    assert one.relations.tolist() == [0] * 20 + [2] * 20
    assert one.is_whole.sum() == 20
    assert one.vectors.shape == (40, 3)
    for name in ("scores", "relations", "is_whole", "vectors"):
        assert np.array_equal(getattr(one, name), getattr(other, name))


def test_of_many_heads_the_same_ones_are_kept_in_any_order() -> None:
    seen = [sight(head, "a") for head in range(3 * MOST_HEADS)]
    one = Profile.of(seen, relations=_RELATIONS, encode=None)
    other = Profile.of(seen[::-1], relations=_RELATIONS, encode=None)
    assert len(one.scores) == MOST_HEADS
    assert np.array_equal(one.is_whole, other.is_whole)


def test_a_profile_is_read_as_it_was_written_and_a_changed_one_is_refused(tmp_path: Path) -> None:
    profile = draw(10, np.random.default_rng(13))
    sha256 = profile.save(tmp_path / "profile.safetensors")
    again = Profile.load(tmp_path / "profile.safetensors", sha256=sha256)
    assert np.array_equal(again.vectors, profile.vectors)
    with pytest.raises(CriticError, match="calibrate again"):
        Profile.load(tmp_path / "profile.safetensors", sha256="0" * 64)
    with pytest.raises(CriticError, match="calibrate again"):
        Profile.load(tmp_path / "nowhere.safetensors", sha256=sha256)
