from __future__ import annotations

import pytest

from kgbuild.core.config import CorpusConfig
from kgbuild.core.records import Edge
from kgbuild.corpus import export_rows
from kgbuild.corpus.conceptnet import concept_uri, conceptnet_line, parse_conceptnet

# Lines of ConceptNet 5.7, shortened to the keys that matter here.
KNIFE = (
    "/a/[/r/UsedFor/,/c/en/knife/n/,/c/en/cutting_food/]\t/r/UsedFor\t/c/en/knife/n\t"
    '/c/en/cutting_food\t{"dataset": "/d/conceptnet/4/en", "license": "cc:by/4.0", "weight": 2.0}'
)
LEGS = (
    "/a/[/r/HasA/,/c/en/cat/,/c/en/four_legs/]\t/r/HasA\t/c/en/cat\t/c/en/four_legs\t"
    '{"surfaceEnd": "four legs", "surfaceStart": "A cat", "surfaceText": "[[A cat]] has [[..]]"}'
)
GERMAN = "/a/[...]\t/r/IsA\t/c/de/hund\t/c/de/tier\t{}"


def test_what_was_written_is_read_back(hostile_edges: list[Edge]) -> None:
    for row in export_rows(hostile_edges, config=CorpusConfig()):
        line = conceptnet_line(row, licence="cc:by/4.0")
        assert len(line.splitlines()) == 1
        read = parse_conceptnet(line.rstrip("\n"))
        assert read is not None
        expected = row.model_dump(mode="json", exclude={"sentence"})
        assert read == expected


def test_conceptnets_own_lines_are_read() -> None:
    assert parse_conceptnet(KNIFE) == {
        "head": "knife",
        "relation": "UsedFor",
        "tail": "cutting food",
    }
    # "A cat" is more than the words of /c/en/cat, so the URI's own are taken.
    legs = parse_conceptnet(LEGS)
    assert legs is not None
    assert (legs["head"], legs["tail"]) == ("cat", "four legs")
    assert parse_conceptnet(GERMAN) is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a\tb", "2 columns"),
        (KNIFE.replace("\t/r/", "\tr/"), "no relation URI"),
        (KNIFE.replace("\t/c/en/cutting_food", "\tcutting"), "no concept URI"),
        (KNIFE.rsplit("\t", 1)[0] + "\t[]", "not a JSON object"),
        (KNIFE.rsplit("\t", 1)[0] + "\t{", "Expecting"),
        (KNIFE.rsplit("\t", 1)[0] + "\t" + "[" * 100_000, "nested|Expecting"),
        (KNIFE.rsplit("\t", 1)[0] + '\t{"kgbuild": 1}', "kgbuild"),
    ],
)
def test_a_line_that_is_no_assertion_says_why(line: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_conceptnet(line)


def test_a_phrase_without_words_has_a_uri_all_the_same() -> None:
    assert concept_uri("🎂🎂").startswith("/c/en/")
    assert concept_uri("🎂🎂") != concept_uri("🎉")
    assert "/" not in concept_uri("a/b").removeprefix("/c/en/")
