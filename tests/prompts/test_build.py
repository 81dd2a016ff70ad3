"""Prompts: who is asked what, which shots stand above, what is ruled out."""

from __future__ import annotations

from itertools import pairwise

import pytest

from kgbuild.core.config import PromptsConfig
from kgbuild.core.records import Head, HeadKind
from kgbuild.core.relations import RelationSet, Shot, load_relations, load_shots
from kgbuild.decoding import Not
from kgbuild.prompts import Prompt, build_prompts

HEADS = [
    Head.of("PersonX bakes a cake", HeadKind.EVENT, source="t"),
    Head.of("PersonX misses the bus", HeadKind.EVENT, source="t", relations=("xNeed",)),
    Head.of("PersonX eats ___ for breakfast", HeadKind.EVENT, source="t"),
    Head.of("hammer", HeadKind.CONCEPT, source="t"),
]


@pytest.fixture(scope="module")
def relations() -> RelationSet:
    return load_relations(["atomic2020.en"])


@pytest.fixture(scope="module")
def shots() -> dict[str, list[Shot]]:
    return load_shots("atomic2020.en")


@pytest.fixture(scope="module")
def prompts(relations: RelationSet, shots: dict[str, list[Shot]]) -> list[Prompt]:
    return list(build_prompts(HEADS, relations, shots, config=PromptsConfig(), seed=7))


def banned(prompt: Prompt) -> set[str]:
    return {clause.phrase for clause in prompt.constraints.clauses if isinstance(clause, Not)}


def find(prompts: list[Prompt], head: str, relation: str) -> Prompt:
    return next(one for one in prompts if one.head == head and one.relation == relation)


def test_concepts_events_and_blanks_get_their_own_relations(prompts: list[Prompt]) -> None:
    asked = {head.text: {p.relation for p in prompts if p.head == head.text} for head in HEADS}
    assert asked["PersonX misses the bus"] == {"xNeed"}
    assert asked["PersonX eats ___ for breakfast"] == {"isFilledBy"}
    assert "AtLocation" in asked["hammer"]
    assert "xNeed" not in asked["hammer"]
    assert "isFilledBy" not in asked["PersonX bakes a cake"]


def test_one_prefix_for_each_relation_and_rotation_and_neighbours_share_it(
    prompts: list[Prompt],
) -> None:
    keys = [(prompt.relation, prompt.rotation, prompt.prefix) for prompt in prompts]
    assert len(set(keys)) == len({key[:2] for key in keys})
    changes = sum(left != right for left, right in pairwise(keys))
    assert changes == len(set(keys)) - 1
    assert all(prompt.prefix.endswith(".\n") for prompt in prompts)


def test_the_line_ends_in_the_tail_prefix_and_the_prior_line_knows_no_head(
    prompts: list[Prompt],
) -> None:
    prompt = find(prompts, "PersonX bakes a cake", "xIntent")
    assert prompt.text == "PersonX bakes a cake because PersonX wants to"
    assert prompt.prior_text == "PersonX does something because PersonX wants to"


def test_shots_shown_are_banned_without_their_tail_prefix(prompts: list[Prompt]) -> None:
    prompt = find(prompts, "PersonX bakes a cake", "xIntent")
    assert len(prompt.banned_tails) == 6
    assert {tail.removeprefix("to ") for tail in prompt.banned_tails} <= banned(prompt)


def test_head_words_are_banned_in_all_forms_where_the_pack_says_so(prompts: list[Prompt]) -> None:
    assert {"cake", "cakes"} <= banned(find(prompts, "PersonX bakes a cake", "xNeed"))
    assert {"bake", "baking"} <= banned(find(prompts, "PersonX bakes a cake", "xWant"))
    assert "cake" not in banned(find(prompts, "PersonX bakes a cake", "xWant"))


def test_length_bounds_leave_out_the_tail_prefix(
    prompts: list[Prompt], relations: RelationSet
) -> None:
    constraints = find(prompts, "PersonX bakes a cake", "xWant").constraints
    assert constraints.max_words == relations.get("xWant").length.max_words - 1


def test_adding_heads_moves_no_head_and_a_seed_repeats(
    relations: RelationSet, shots: dict[str, list[Shot]], prompts: list[Prompt]
) -> None:
    more = [Head.of(f"PersonX sees tree {n}", HeadKind.EVENT, source="t") for n in range(9)]
    longer = list(build_prompts([*more, *HEADS], relations, shots, config=PromptsConfig(), seed=7))
    assert {one.prompt_id for one in prompts} <= {one.prompt_id for one in longer}
    assert {one.rotation for one in longer} == {0, 1}
    other = list(build_prompts(HEADS, relations, shots, config=PromptsConfig(), seed=8))
    assert {one.prefix for one in other} != {one.prefix for one in prompts}


def test_rotations_of_a_relation_share_no_shot_while_there_are_enough(
    relations: RelationSet, shots: dict[str, list[Shot]]
) -> None:
    heads = [Head.of(f"PersonX sees tree {n}", HeadKind.EVENT, source="t") for n in range(20)]
    built = build_prompts(heads, [relations.get("xNeed")], shots, config=PromptsConfig(), seed=7)
    tails = {prompt.rotation: set(prompt.banned_tails) for prompt in built}
    assert not tails[0] & tails[1]


def test_no_shots_is_a_bare_question(relations: RelationSet) -> None:
    built = list(build_prompts(HEADS[:1], relations, {}, config=PromptsConfig(shots=0), seed=1))
    assert {prompt.prefix for prompt in built} == {""}
