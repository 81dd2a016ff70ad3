from hypothesis import given
from hypothesis import strategies as st

from kgbuild.core.ids import canonical, content_key, phrase_id, triple_id


@given(st.text())
def test_the_canonical_form_is_its_own_canonical_form(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)


def test_spellings_of_one_phrase_share_an_id() -> None:
    spellings = ["PersonX bakes a cake", " personx  bakes a cake. ", "Person X bakes a cake"]
    assert len({phrase_id(spelling) for spelling in spellings}) == 1


def test_composed_and_decomposed_letters_are_one() -> None:
    assert phrase_id("café") == phrase_id("cafe\u0301")


def test_head_and_tail_are_not_exchangeable() -> None:
    assert triple_id("a", "Causes", "b") != triple_id("b", "Causes", "a")


def test_the_parts_of_an_id_cannot_run_into_each_other() -> None:
    assert triple_id("ab", "c", "d") != triple_id("a", "bc", "d")


def test_the_order_of_keys_does_not_change_a_content_key() -> None:
    assert content_key({"a": [1, {"x": 2, "y": 3}]}) == content_key({"a": [1, {"y": 3, "x": 2}]})
