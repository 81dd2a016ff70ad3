import re
from pathlib import Path

import pytest

from kgbuild.core.errors import RelationError
from kgbuild.core.grammar import pluralise, with_article
from kgbuild.core.records import HeadKind
from kgbuild.core.relations import (
    Relation,
    RelationSet,
    load_pack,
    load_relations,
    load_shots,
    prompt_line,
    reverse_question,
    verbalise,
)

ATOMIC = """xIntent xNeed xAttr xReact xWant xEffect oReact oWant oEffect ObjectUse AtLocation
MadeUpOf HasProperty CapableOf Desires NotDesires isAfter isBefore HasSubEvent HinderedBy Causes
xReason isFilledBy""".split()
GENERICS = """IsA UsedFor CapableOf HasProperty AtLocation MadeOf PartOf Desires Causes
NotCapableOf NotUsedFor NotDesires""".split()
PACKS = ("atomic2020.en", "generics.en")


@pytest.fixture(scope="module")
def relations() -> RelationSet:
    return load_relations(PACKS)


def test_the_packs_hold_all_their_relations() -> None:
    assert sorted(relation.name for relation in load_relations(PACKS[:1])) == sorted(ATOMIC)
    assert sorted(relation.name for relation in load_relations(PACKS[1:])) == sorted(GENERICS)


def test_every_relation_has_shots_that_keep_its_own_rules(relations: RelationSet) -> None:
    shots = {name: found for pack in PACKS for name, found in load_shots(pack).items()}
    assert set(shots) == {relation.name for relation in relations}
    for relation in relations:
        assert len(shots[relation.name]) >= 8
        for shot in shots[relation.name]:
            words = len(shot.tail.split())
            place = f"{relation.name}: {shot.tail}"
            assert relation.length.min_words <= words <= relation.length.max_words, place
            assert not relation.tail_prefix or shot.tail.startswith(relation.tail_prefix), place
            said = shot.tail.removeprefix(relation.tail_prefix or "")
            for clause in relation.clauses:
                banned = [
                    phrase
                    for phrase in clause.banned
                    if re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", said, re.IGNORECASE)
                ]
                assert not banned, place


def test_an_unknown_name_is_answered_with_the_nearest(relations: RelationSet) -> None:
    with pytest.raises(RelationError, match="xEfect.*did you mean xEffect"):
        relations.get("xEfect")


def test_an_unknown_pack_is_answered_with_the_nearest() -> None:
    with pytest.raises(RelationError, match="did you mean atomic2020.en"):
        load_relations(["atomic2002.en"])


@pytest.mark.parametrize(
    ("name", "head", "tail", "sentence"),
    [
        ("xNeed", "PersonX bakes a cake", "to buy flour",
         "PersonX bakes a cake. Before that, PersonX needed to buy flour."),
        ("NotCapableOf", "owl", "swim", "An owl cannot swim."),
        ("HasProperty", "scissors", "sharp", "Scissors are usually sharp."),
        ("AtLocation", "rice", "a kitchen", "A place where you often find rice is a kitchen."),
        ("IsA", "owl", "a bird", "An owl is a kind of bird."),
        ("isFilledBy", "PersonX eats ___", "toast", "PersonX eats something, for example toast."),
    ],
)  # fmt: skip
def test_a_triple_reads_as_a_sentence(
    relations: RelationSet, name: str, head: str, tail: str, sentence: str
) -> None:
    assert verbalise(relations.get(name), head, tail) == sentence


def test_a_prompt_line_is_the_beginning_of_what_is_asked(relations: RelationSet) -> None:
    for relation in relations:
        line = prompt_line(relation, "PersonX eats ___" if "ill" in relation.name else "owl")
        assert not line.endswith(" ")
        assert "{" not in line
        assert "{" not in reverse_question(relation, "to fly")


def test_events_and_concepts_are_told_apart(relations: RelationSet) -> None:
    events = {relation.name for relation in relations.for_kind(HeadKind.EVENT)}
    assert "xWant" in events
    assert "UsedFor" not in events


def test_articles_follow_the_noun() -> None:
    nouns = ("umbrella", "university", "hour", "rice", "school bus", "jeans", "the sun")
    assert [with_article(noun) for noun in nouns] == [
        "an umbrella", "a university", "an hour", "rice", "a school bus", "jeans", "the sun",
    ]  # fmt: skip
    assert pluralise("kitchen knife") == "kitchen knives"


PACK = """pack: own
language: en
version: 1
relations:
  - name: Likes
    gloss: what it likes
    head_kind: concept
    tail_kind: concept
    family: physical
    sentence: "{A head} likes {tail}."
    prompt: "{A head} likes"
    reverse_question: "Who likes {tail}?"
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: Likes", "name: 'Li`kes'", "not letters and digits"),
        ("{A head} likes {tail}", "{A haed} likes {tail}", "did you mean A head"),
        ("{A head} likes {tail}", "{A head} likes", "names no {tail}"),
        ("family: physical", "family: phisical", "physical"),
        ("version: 1", "version: 1\ncolour: red", "colour"),
        ("gloss: what it likes", "gloss: [", "is not YAML"),
        ("family: physical", "family: physical\n    polarity: negative", "negates"),
        ("family: physical", "family: physical\n    clauses: [{not: [no]}]", "not"),
        ("family: physical", "family: physical\n    length: {min_words: 5, max_words: 2}", "over"),
    ],
)
def test_a_pack_that_breaks_a_rule_is_refused(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = tmp_path / "own.en.yaml"
    path.write_text(PACK.replace(old, new))
    with pytest.raises(RelationError, match=re.escape(message)):
        load_pack(path)


def test_a_name_with_two_meanings_is_refused(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text(PACK)
    second.write_text(PACK.replace("what it likes", "what it is fond of"))
    with pytest.raises(RelationError, match=r"Likes is defined differently in a.yaml and b.yaml"):
        load_relations([first, second])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "head\ttail\n",
        "relation\thead\ttail\n",
        "relation\thead\ttail\nxNeed\tPersonX sings\n",
        "relation\thead\ttail\nxNeed\tPersonX sings\t \n",
    ],
)
def test_a_shot_file_without_all_columns_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "shots.tsv"
    path.write_text(text)
    with pytest.raises(RelationError, match="shots.tsv"):
        load_shots(path)


def test_a_shot_of_an_unknown_relation_is_named_with_its_line(
    tmp_path: Path, relations: RelationSet
) -> None:
    path = tmp_path / "shots.tsv"
    path.write_text("relation\thead\ttail\n\nxNed\tPersonX sings\tto breathe in\n")
    with pytest.raises(RelationError, match=r"shots.tsv:3 .*did you mean xNeed"):
        load_shots(path, relations=relations)


def test_packs_define_the_names_they_share_alike(relations: RelationSet) -> None:
    assert len(relations) == len({*ATOMIC, *GENERICS})


def test_no_tail_is_shown_twice_in_the_shots_of_a_relation() -> None:
    for pack in PACKS:
        for name, shots in load_shots(pack).items():
            for part in ("head", "tail"):
                texts = [getattr(shot, part) for shot in shots]
                assert len(set(texts)) == len(texts), name


@pytest.mark.parametrize(
    ("name", "tail", "end"),
    [
        ("xWant", "sleep", "PersonX wants to sleep."),
        ("xWant", "to sleep", "PersonX wants to sleep."),
        ("xWant", "a rest", "PersonX wants a rest."),
        ("isBefore", "PersonX sleeps", "After PersonX runs, PersonX sleeps."),
    ],
)
def test_a_tail_from_elsewhere_gets_the_to_it_lacks(
    relations: RelationSet, name: str, tail: str, end: str
) -> None:
    assert verbalise(relations.get(name), "PersonX runs", tail).endswith(end)


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ("{head}", "knife"), ("{Head}", "Knife"), ("{a head}", "a knife"), ("{A head}", "A knife"),
        ("{heads}", "knives"), ("{Heads}", "Knives"),
        ("{a head} {is} {has} {does} {wants}", "a knife is has does wants"),
    ],
)  # fmt: skip
def test_a_frame_may_show_the_head_in_each_form(
    relations: RelationSet, form: str, shown: str
) -> None:
    relation = relations.get("IsA").model_copy(update={"sentence": f"- {form} {{tail}}"})
    assert verbalise(relation, "knife", "tool") == f"- {shown} tool"


def test_a_relation_is_read_back_from_its_own_dump(relations: RelationSet) -> None:
    for relation in relations:
        assert Relation.model_validate(relation.model_dump(mode="json")) == relation
        assert Relation.model_validate_json(relation.model_dump_json(by_alias=True)) == relation
