from __future__ import annotations

import numpy as np

from kgbuild.core.config import CriticConfig
from kgbuild.critic.thresholds import NOTHING, Thresholds, choose_thresholds


def draw(count: int, seed: int) -> tuple[list[float], list[bool]]:
    """Draw perfectly calibrated probabilities and their labels."""
    generator = np.random.default_rng(seed)
    scores = generator.beta(1.0, 1.0, size=count)
    return scores.tolist(), (generator.random(count) < scores).tolist()


def test_precision_on_fresh_labels_holds_the_target_most_of_the_time() -> None:
    fresh, truth = (np.asarray(values) for values in draw(100_000, 999))
    config = CriticConfig(target_precision=0.9)
    held = 0
    for seed in range(40):
        scores, accepted = draw(400, seed)
        cut = choose_thresholds(scores, accepted, ["xWant"] * 400, config=config).get("xWant")
        held += bool(cut < NOTHING and truth[fresh >= cut].mean() >= 0.89)
    assert held >= 34


def test_a_relation_with_few_labels_takes_the_shared_threshold() -> None:
    scores, accepted = draw(600, 1)
    names = ["xWant"] * 590 + ["xNeed"] * 10
    chosen = choose_thresholds(scores, accepted, names, config=CriticConfig())
    assert chosen.origins == {"xNeed": "global", "xWant": "own"}
    assert chosen.get("xNeed") == chosen.default == chosen.get("never labelled")


def test_a_target_out_of_reach_accepts_nothing() -> None:
    scores = np.linspace(0.01, 0.99, 200).tolist()
    config = CriticConfig(when_unmet="nothing")
    chosen = choose_thresholds(scores, [False] * 200, ["xWant"] * 200, config=config)
    assert chosen.get("xWant") == chosen.default == NOTHING


def test_a_target_out_of_reach_takes_the_surest_cut_and_says_so() -> None:
    scores, accepted = draw(500, 2)
    halved = [score / 2 for score in scores]
    accepted = [one and number % 2 == 0 for number, one in enumerate(accepted)]
    chosen = choose_thresholds(halved, accepted, ["xWant"] * 500, config=CriticConfig())
    assert not chosen.is_target_met
    assert chosen.origins == {"xWant": "short"}
    assert 0.3 < chosen.get("xWant") < 0.5


def test_a_cut_that_keeps_next_to_nothing_reaches_no_target() -> None:
    # The best ten are right, and the next two hundred half of the time.
    scores = [0.99] * 10 + [0.5] * 200
    accepted = [True] * 10 + [number % 2 == 0 for number in range(200)]
    names = ["xWant"] * 210
    chosen = choose_thresholds(scores, accepted, names, config=CriticConfig(min_yield=0.25))
    assert not chosen.is_target_met
    assert chosen.get("xWant") <= 0.5
    eager = CriticConfig(min_yield=0.0, target_precision=0.8)
    assert choose_thresholds(scores, accepted, names, config=eager).get("xWant") > 0.5


def test_a_lucky_handful_is_not_believed() -> None:
    # Three of three right says little when the probabilities themselves promise 0.5.
    chosen = choose_thresholds(
        [0.5, 0.5, 0.5],
        [True] * 3,
        ["xWant"] * 3,
        config=CriticConfig(min_relation_labels=1, when_unmet="nothing"),
    )
    assert chosen.get("xWant") == NOTHING


def test_the_strictest_of_two_is_taken_relation_by_relation() -> None:
    one = Thresholds(default=0.5, by_relation={"a": 0.9})
    two = Thresholds(default=0.6, by_relation={"b": 0.3})
    both = one.strictest(two)
    assert (both.default, both.get("a"), both.get("b")) == (0.6, 0.9, 0.5)
