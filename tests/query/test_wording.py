from __future__ import annotations

import pytest

from kgbuild.core.errors import RelationError
from kgbuild.query.wording import check_phrase, check_relation, nearest_phrases

KNOWN = ["PersonX bakes a cake", "PersonX bakes bread", "PersonX misses the bus", "spoon"]


@pytest.mark.parametrize(
    ("typed", "nearest"),
    [
        ("PersonX baks a cake", "PersonX bakes a cake"),
        ("bakes bread", "PersonX bakes bread"),
        ("sopon", "spoon"),
    ],
)
def test_a_slip_finds_the_phrase_that_was_meant(typed: str, nearest: str) -> None:
    assert nearest_phrases(typed, KNOWN)[0] == nearest


def test_nothing_is_named_when_nothing_is_near() -> None:
    assert nearest_phrases("quantum", KNOWN) == []


def test_a_phrase_comes_back_in_canonical_form() -> None:
    assert check_phrase(" personx  bakes a cake. ", role="head") == "PersonX bakes a cake"


def test_a_relation_far_from_all_is_refused_with_the_way_out() -> None:
    with pytest.raises(RelationError, match=r"graph\. `kgbuild relations` lists"):
        check_relation("banana", ["xReact"])
