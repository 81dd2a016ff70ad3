from pathlib import Path

import pytest

from kgbuild.core.errors import FileError, RelationError
from kgbuild.core.relation_lint import LintFinding, lint_pack
from kgbuild.core.relations import find_pack, load_pack

PACK = """\
pack: own
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
LAST_LINE = 12


def lint(tmp_path: Path, text: str) -> list[LintFinding]:
    path = tmp_path / "own.en.yaml"
    path.write_text(text)
    return lint_pack(path)


def test_a_sound_pack_has_no_findings(tmp_path: Path) -> None:
    assert lint(tmp_path, PACK) == []


@pytest.mark.parametrize("name", ["atomic2020.en", "generics.en"])
def test_the_shipped_packs_keep_every_rule(name: str) -> None:
    assert lint_pack(find_pack(name)) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "rule", "words"),
    [
        ("    gloss:", "    glos:", 6, "unknown-key", "did you mean gloss?"),
        ("version: 1", "version: 1\ncolour: red", 4, "unknown-key", "use one of pack, language"),
        ("    gloss: what it likes\n", "", 5, "missing-field", "Likes has no gloss"),
        ("head_kind: concept", "head_kind: consept", 7, "unknown-value", "did you mean concept?"),
        ("gloss: what it likes", "gloss: no", 6, "not-text", 'write "no", with its quotes'),
        ("gloss: what it likes", "gloss: 2020-01-01", 6, "not-text", "2020-01-01"),
        ("version: 1", "version: one", 3, "wrong-value", "version is one; write a whole number"),
        ("version: 1", "version: [1]", 3, "wrong-value", "; write a whole number"),
        ("gloss: what it likes", "gloss: [a]", 6, "wrong-value", "; write text"),
        ("family: ph", "ban_head_words: maybe\n    family: ph", 9, "wrong-value", "true or false"),
        ("family: ph", "length: short\n    family: ph", 9, "wrong-value", "write keys with"),
        ("family: ph", "length: {min_words: 0}\n    family: ph", 9, "wrong-value", "it must be"),
        ("family: ph", "clauses: a\n    family: ph", 9, "wrong-value", "behind a dash"),
        ("{A head} likes {tail}", "{A head} likes {tial}", 10, "placeholder", "mean tail?"),
        ("{A head} likes {tail}", "{haed} likes {tail}", 10, "placeholder", "mean head?"),
        ("name: Likes", "name: Likes it", 5, "name", "not letters and digits"),
        ("{A head} likes {tail}", "{A haed} likes {tail}", 10, "placeholder", "mean A head?"),
        ("{A head} likes {tail}", "{A head} likes it", 10, "placeholder", "names no {tail}"),
        ("Who likes {tail}?\"", "Who likes {tail}?\"\n    whether: \"{does} it like {tail}?\"", 13,
         "placeholder", "whether names no {head}"),
        ("prompt: \"{A head}", "prompt: \"It", 11, "placeholder", "names no {head}"),
        ("prompt: \"{A head}", "prompt: \"{A head} {tail}", 11, "placeholder", "of prompt"),
        ("prompt: \"{A head}", "prompt: \"{A head} {", 11, "placeholder", "a brace alone"),
        ("{A head} likes\"", "{A head} likes \"", 11, "prompt-end", "remove the space"),
        ("family: physical", "polarity: negative\n    family: social", 9, "negates", "has no"),
        ("family: physical", "negates: Likes\n    family: social", 9, "negates", "not negative"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_found_on_its_line(
    tmp_path: Path, old: str, new: str, line: int, rule: str, words: str
) -> None:
    assert old in PACK
    findings = lint(tmp_path, PACK.replace(old, new, 1))
    assert (line, rule) in [(finding.line, finding.rule) for finding in findings]
    assert any(words in finding.message for finding in findings)


@pytest.mark.parametrize(
    ("clause", "rule", "words"),
    [
        ("- not: [no, never]", "not-text", "Likes.clauses[0].not[0] is no"),
        ("- [yes, maybe]", "not-text", "Likes.clauses[0][0] is yes"),
        ("- count: {phrases: [on], max: 1}", "not-text", "Likes.clauses[0].count.phrases[0] is on"),
        ("- nto: [never]", "unknown-key", "did you mean not?"),
        ("- count: {phrases: [a], maximum: 1}", "unknown-key", "did you mean max?"),
        ("- count: {phrases: [a], min: 2, max: 1}", "wrong-value", "min 2 is over max 1"),
        ("- count: never", "unknown-key", "count"),
        ("- {not: [a], any: [b]}", "wrong-value", "a clause is a list of phrases"),
        ("- 5", "wrong-value", "Likes.clauses[0] is 5"),
        ("- not: [' ']", "wrong-value", "empty phrase"),
        ("- [red wine, tea]\n      - not: wine", "contradiction", "'red wine' is asked for"),
        ("- [red wine made at home in a big barrel]", "contradiction", "more words than max_words"),
    ],
)
def test_a_broken_clause_is_found_on_its_line(
    tmp_path: Path, clause: str, rule: str, words: str
) -> None:
    findings = lint(tmp_path, f"{PACK}    clauses:\n      {clause}\n")
    assert {finding.line for finding in findings} == {LAST_LINE + 2}
    assert rule in [finding.rule for finding in findings]
    assert any(words in finding.message for finding in findings)


def test_a_ban_may_stand_inside_another_word_of_a_wanted_phrase(tmp_path: Path) -> None:
    assert lint(tmp_path, f"{PACK}    clauses:\n      - [winery]\n      - not: [wine]\n") == []


def test_a_banned_tail_prefix_is_a_contradiction(tmp_path: Path) -> None:
    text = f"{PACK}    tail_prefix: to\n    clauses:\n      - not: [To]\n"
    (finding,) = lint(tmp_path, text)
    assert (finding.line, finding.rule) == (LAST_LINE + 1, "contradiction")


def test_reversed_lengths_are_found_beside_other_faults(tmp_path: Path) -> None:
    text = f"{PACK}    length: {{min_words: 5, max_words: 2}}\n".replace("gloss", "glos")
    rules = [finding.rule for finding in lint(tmp_path, text)]
    assert rules == ["missing-field", "unknown-key", "length"]


def test_a_name_that_stands_twice_is_found_at_its_second_place(tmp_path: Path) -> None:
    second = PACK[PACK.index("  - name") :]
    (finding,) = lint(tmp_path, PACK + second)
    assert (finding.line, finding.rule) == (LAST_LINE + 1, "duplicate-name")


def test_a_relation_denies_one_of_its_own_pack(tmp_path: Path) -> None:
    dislikes = PACK[PACK.index("  - name") :].replace("name: Likes", "name: Dislikes")
    text = f"{PACK}{dislikes}    polarity: negative\n    negates: Likse\n"
    (finding,) = lint(tmp_path, text)
    assert finding.suggestion == "did you mean Likes?"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("pack: own\nrelations: [\n", 3),
        ("pack: own\n\tversion: 1\n", 2),
        ("pack: &a [x]\nlanguage: *a\n", 2),
        ("pack: !!python/object/apply:os.system [echo]\n", 1),
        ("pack: own\nversion: !odd 1\n", 2),
        ("pack: own\nlanguage: en\npack: twice\n", 3),
        ("pack: own\n? [a, b]\n: c\n", 2),
        ("pack: own\nlanguage: \x07\n", 2),
        ("pack: one\n---\npack: two\n", 2),
        ("[" * 5000, 1),
        ("", 1),
        ("- pack\n", 1),
    ],
)
def test_a_hostile_or_malformed_file_is_refused_with_its_line(
    tmp_path: Path, text: str, line: int
) -> None:
    assert line in [finding.line for finding in lint(tmp_path, text)]
    with pytest.raises(RelationError, match=r"own\.en\.yaml:\d+: "):
        load_pack(tmp_path / "own.en.yaml")


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="more than"):
        lint(tmp_path, PACK + "#" * 300_000)


@pytest.mark.parametrize("text", ["", "- Likes\n", "likes\n", "# nothing\n"])
def test_a_file_that_is_no_pack_is_told_what_a_pack_is(tmp_path: Path, text: str) -> None:
    (finding,) = lint(tmp_path, text)
    assert finding.line == 1
    assert finding.suggestion == "a pack is the keys pack, language, version and relations"
