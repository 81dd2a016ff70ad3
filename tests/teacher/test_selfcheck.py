"""A negative triple is asked about in its positive form; others are passed over."""

from __future__ import annotations

import re

from kgbuild.core.records import HeadKind, Provenance, Triple
from kgbuild.core.relations import RelationSet, load_relations
from kgbuild.decoding import PLACE
from kgbuild.teacher.scripted import ScriptedTeacher
from kgbuild.teacher.selfcheck import SELF_CHECK_PROMPT, check_negatives

RELATIONS = load_relations(["generics.en"])
PROVENANCE = Provenance(
    source="teacher", teacher="t", teacher_hash="", prompt_id="", decoding="", tokens=1, clauses=0,
    clauses_met=0, log_probability=-1.0, mean_log_probability=-1.0,
)  # fmt: skip


def make(head: str, relation: str, tail: str) -> Triple:
    return Triple.of(head, relation, tail, kind=HeadKind.CONCEPT, provenance=PROVENANCE)


TRIPLES = (
    make("scissors", "NotUsedFor", "eating soup"),
    make("owl", "CapableOf", "fly"),
    make("children", "NotDesires", "to sleep early"),
    make("cat", "NotDesires", "take a bath"),
)


def test_every_negative_gets_its_own_positive_question_and_answer() -> None:
    teacher = ScriptedTeacher(judgements={"soup": 0.25, "bath": 0.75})
    checks = list(check_negatives(TRIPLES, teacher, RELATIONS))
    assert [(check.triple_id, check.question, check.yes) for check in checks] == [
        (TRIPLES[0].triple_id, "Are scissors used for eating soup?", 0.25),
        (TRIPLES[2].triple_id, "Do children usually want to sleep early?", 0.5),
        (TRIPLES[3].triple_id, "Does a cat usually want to take a bath?", 0.75),
    ]


def test_a_relation_without_a_frame_asks_about_its_sentence() -> None:
    # As a pack of one's own that has no `whether`.
    class Bare(RelationSet):
        def get(self, name: str):  # type: ignore[no-untyped-def]
            return super().get(name).model_copy(update={"whether": None})

    bare = Bare([])
    bare._relations = {relation.name: relation for relation in RELATIONS}
    [check] = check_negatives(TRIPLES[:1], ScriptedTeacher(), bare)
    assert check.question == "Is it true that scissors are used for eating soup?"


def test_the_examples_are_as_often_yes_as_no_and_the_question_stands_last() -> None:
    answers = re.findall(r"\nAnswer: (\w+)\n", SELF_CHECK_PROMPT)
    assert answers.count("yes") == answers.count("no") == 6
    assert SELF_CHECK_PROMPT.endswith(f"\n\n{PLACE}")
