from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from kgbuild.core.config import CriticConfig
from kgbuild.core.progress import QUIET
from kgbuild.core.records import Label, LabelledTriple, Split
from kgbuild.core.relations import RelationSet
from kgbuild.critic.adversarial import make_negatives
from kgbuild.critic.bodies import load_body
from kgbuild.critic.candidate import Candidate
from kgbuild.critic.learning import Lessons, choose_sure, learn
from kgbuild.critic.losses import LossName, measure_loss
from kgbuild.critic.network import CriticNetwork, score_rows
from kgbuild.critic.phrases import Vectors
from kgbuild.critic.rows import Reader
from kgbuild.critic.scaler import Scaler
from kgbuild.critic.split import assign_part
from tests.critic.conftest import BAD, GOOD, TEXTS, make_label, make_labels
from tests.tiny_models import make_encoder

KINDS: tuple[LossName, ...] = ("cross_entropy", "generalised", "symmetric")


@pytest.mark.parametrize("kind", KINDS)
def test_a_loss_is_least_at_a_sure_target_and_grows_with_the_mistake(kind: LossName) -> None:
    logits = torch.linspace(-6, 6, 25)
    for target in (0.0, 1.0):
        losses = [
            float(measure_loss(one.view(1), torch.tensor([target]), kind=kind)) for one in logits
        ]
        assert losses == sorted(losses, reverse=bool(target))
        assert losses[0] != losses[-1]


def test_a_wrong_label_pulls_less_under_the_losses_that_forgive() -> None:
    """The gradient of a label that the network finds absurd, against one that it doubts."""

    def pull(kind: LossName, logit: float) -> float:
        value = torch.tensor([logit], requires_grad=True)
        measure_loss(value, torch.tensor([0.0]), kind=kind).backward()
        assert value.grad is not None
        return float(value.grad)

    ratio = {kind: pull(kind, 5.0) / pull(kind, 0.0) for kind in KINDS}
    assert ratio["cross_entropy"] > 1.9
    assert ratio["generalised"] < 0.3
    assert ratio["symmetric"] < 0.7


def test_the_generalised_loss_lies_between_its_limits() -> None:
    """Worked by hand: q = 0.5 and p = 0.25 give (1 - 0.5) / 0.5 = 1."""
    logit = torch.log(torch.tensor([0.25 / 0.75]))
    assert float(measure_loss(logit, torch.tensor([1.0]), kind="generalised")) == pytest.approx(1)
    # 0.5 * -ln 0.25 + 4 * 0.75
    found = float(measure_loss(logit, torch.tensor([1.0]), kind="symmetric"))
    assert found == pytest.approx(0.5 * np.log(4) + 3)


class Words:
    """Vectors by the words of a phrase, so that what shares words is near."""

    WORDS = ("bread", "cake", "stone", "bake", "eat", "throw")

    def encode(self, phrases: Sequence[str]) -> Vectors:
        rows = [[float(word in one) for word in self.WORDS] for one in phrases]
        vectors = np.asarray(rows, dtype=np.float32).reshape(-1, len(self.WORDS)) + 1e-6
        scaled: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return scaled


def make(rows: Sequence[LabelledTriple], relations: RelationSet, *, near: bool) -> list[Candidate]:
    return make_negatives(
        rows,
        relations,
        share=1.0,
        encoder=Words() if near else None,
        generator=np.random.default_rng(0),
    )


def test_people_are_exchanged_and_time_is_turned_and_negation_added(
    relations: RelationSet,
) -> None:
    rows = [
        make_label("PersonX hits PersonY", "PersonY cries for PersonX", Label.LIKELY),
        make_label("PersonX bakes", "to buy flour", Label.ALWAYS, relation="xNeed"),
        make_label("PersonX sings", "PersonX rests", Label.LIKELY, relation="isBefore"),
        make_label("fish", "swim", Label.ALWAYS, relation="CapableOf"),
        make_label("fish", "walk", Label.INVALID, relation="CapableOf"),
    ]
    assert set(make(rows, relations, near=False)) == {
        Candidate("PersonX hits PersonY", "xReact", "PersonX cries for PersonY"),
        Candidate("PersonX bakes", "xEffect", "to buy flour"),
        Candidate("PersonX sings", "isAfter", "PersonX rests"),
        Candidate("fish", "NotCapableOf", "swim"),
    }


def test_a_tail_is_swapped_for_one_that_is_near_but_not_the_same(relations: RelationSet) -> None:
    rows = [
        make_label(f"PersonX {number}", tail, Label.LIKELY)
        for number, tail in enumerate(("bake bread", "eat bread", "throw stone", "bake bread."))
    ]
    made = {(one.head, one.tail) for one in make(rows, relations, near=True)}
    # Cosine of "bake bread" and "eat bread" is 0.5; of "throw stone" and either, 0.
    assert made <= {(f"PersonX {n}", t) for n in (0, 3) for t in ("eat bread",)} | {
        ("PersonX 1", "bake bread"),
        ("PersonX 1", "bake bread."),
    }
    assert len(made) == 3


def test_what_a_reader_has_judged_is_never_contradicted(relations: RelationSet) -> None:
    rows = [
        make_label("PersonX sings", "PersonX rests", Label.LIKELY, relation="isBefore"),
        make_label("PersonX sings", "PersonX rests", Label.LIKELY, relation="isAfter"),
    ]
    assert make(rows, relations, near=False) == []


def test_a_share_of_the_accepted_ones_is_changed(relations: RelationSet) -> None:
    rows = [
        make_label(f"animal {n}", "swim", Label.ALWAYS, relation="CapableOf") for n in range(40)
    ]
    generator = np.random.default_rng(0)
    made = make_negatives(rows, relations, share=0.25, encoder=None, generator=generator)
    assert len(made) == 10


def test_pseudo_labels_must_be_sure() -> None:
    places, targets = choose_sure(np.asarray([3.0, 1.0, -1.0, -3.0]), confidence=0.9)
    assert places.tolist() == [0, 3]
    assert targets == pytest.approx([0.9526, 0.0474], abs=1e-4)


def test_a_critic_learns_of_triples_that_nobody_judged(
    relations: RelationSet, config: CriticConfig, tmp_path: Path
) -> None:
    """Labels know neither word; unlabelled tails bring each beside a known one."""
    words = (*TEXTS, "glad seven")
    path = make_encoder(tmp_path, texts=words)
    settings = config.model_copy(update={"epochs": 12, "pseudo_confidence": 0.8})
    heads = [f"PersonX visits friend {n}" for n in range(60, 200)]
    heads = [head for head in heads if assign_part(head) is Split.TRAIN]
    pool = [Candidate(h, "xReact", f"{GOOD[n % 3]} glad") for n, h in enumerate(heads)]
    pool += [Candidate(h, "xReact", f"{BAD[n % 3]} seven") for n, h in enumerate(heads)]

    def gap(rounds: int) -> float:
        torch.manual_seed(0)
        body, tokenizer = load_body(path, settings)
        network = CriticNetwork(body, relations=1)
        reader = Reader(
            tokenizer,
            relations,
            places={"xReact": 1},
            scaler=Scaler(),
            max_tokens=64,
            body=body,
        )
        learn(
            network,
            reader,
            Lessons(silver=[], labels=make_labels(60), unlabelled=pool),
            encoder=None,
            config=settings.model_copy(update={"pseudo_rounds": rounds}),
            progress=QUIET,
        )
        asked = [Candidate("PersonX visits friend 1", "xReact", tail) for tail in ("glad", "seven")]
        glad, seven = score_rows(network, reader.read(asked))
        return float(glad - seven)

    assert gap(3) > gap(0) + 0.5
