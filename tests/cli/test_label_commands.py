"""label and labels as a person types them: keys from a pipe and from a terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kgbuild.core.records import Label
from kgbuild.critic import read_labels

Run = Callable[..., tuple[int, str, str]]
TAILS = ("proud", "tired", "to eat the cake", "furious", "a mountain")


@pytest.fixture
def run(call: Run) -> Run:
    return call


@pytest.fixture
def candidates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine.tsv"
    rows = [f"PersonX bakes a cake\txReact\t{tail}" for tail in TAILS]
    path.write_text("\n".join(["head\trelation\ttail", *rows]) + "\n")
    return path


def test_keys_from_a_pipe_become_labels_and_the_summary_is_alone_on_stdout(
    run: Run, candidates: Path
) -> None:
    code, out, said = run(
        "label", str(candidates), "--labeller", "ann", "--json", keys="a\nl h\nfzi?u"
    )
    assert code == 0
    assert json.loads(out)["counts"] == {
        "always": 1, "likely": 1, "farfetched": 0, "invalid": 1, "unsure": 1,
    }  # fmt: skip
    rows = read_labels([Path("labels/ann.jsonl")])
    assert [(row.label.value, row.harm) for row in rows] == [
        ("always", False), ("likely", False), ("invalid", False), ("unsure", False),
    ]  # fmt: skip
    assert {row.chosen_by for row in rows} == {"random"}
    assert all(row.seconds is not None and row.labeller == "ann" for row in rows)
    assert "drawn at random: no critic" in said
    assert "PersonX bakes a cake. As a result, PersonX feels proud." in said
    assert "xReact" not in said
    # h, then f: a harmful one that was taken back; it was said what became of it.
    assert "farfetched (harm)" in said
    assert "taken back" in said
    assert "How to judge a sentence" in said


def test_the_same_command_goes_on_and_ends_when_all_is_judged(run: Run, candidates: Path) -> None:
    words = ("label", str(candidates), "--labeller", "ann", "--labels", "own.jsonl")
    assert run(*words, keys="ll")[0] == 0
    _, _, said = run(*words, keys="llll")
    assert "2 of your answers are in the file already" in said
    rows = read_labels([Path("own.jsonl")])
    assert sorted(row.tail for row in rows) == sorted(TAILS)
    code, out, said = run(*words, "--json")
    assert (code, json.loads(out)["left"]) == (0, 0)
    assert "proud" not in said


def test_comments_limits_and_strange_keys(run: Run, candidates: Path) -> None:
    _, out, said = run(
        "label",
        str(candidates),
        "--labeller",
        "ann",
        "--limit",
        "2",
        keys="cnot  sure\x07\nxl\xffi",
    )
    first, second = read_labels([Path("labels/ann.jsonl")])
    assert (first.comment, second.comment) == ("not sure\ufffd", "")
    assert "'x' is no key here" in said
    assert "answers now" in out
    code, _, _ = run("label", str(candidates), "--labeller", "ann", keys=b"\x80\xff\x00q")
    assert code == 0
    assert len(read_labels([Path("labels/ann.jsonl")])) == 2


def test_a_sentence_cannot_steer_the_terminal(run: Run, tmp_path: Path, candidates: Path) -> None:
    assert run("label", str(candidates), "--labeller", "ann", keys="l")[0] == 0
    rows = read_labels([Path("labels/ann.jsonl")])
    evil = rows[0].model_copy(update={"sentence": "A cake.\x1b[2J\u202eevil"})
    (tmp_path / "evil.jsonl").write_text(evil.model_dump_json() + "\n")
    _, _, said = run("label", str(tmp_path / "evil.jsonl"), "--labeller", "bob", keys="q")
    assert "A cake.\ufffd[2J\ufffdevil" in said
    assert "\x1b" not in said


def test_labels_are_a_source_to_be_read_again_in_the_same_words(run: Run, candidates: Path) -> None:
    run("label", str(candidates), "--labeller", "ann", keys="llliz")
    run("label", "labels/ann.jsonl", "--labeller", "bob", keys="iii")
    ann, bob = (read_labels([Path(f"labels/{name}.jsonl")]) for name in ("ann", "bob"))
    assert {row.sentence for row in bob} == {row.sentence for row in ann}
    assert len(bob) == 3
    # Or left out: two triples are not judged yet.
    run("label", str(candidates), "--labeller", "eve", "--skip", "labels/ann.jsonl", keys="l" * 9)
    eve = read_labels([Path("labels/eve.jsonl")])
    assert {row.tail for row in eve}.isdisjoint(row.tail for row in ann)
    assert len(eve) == 2


def test_a_run_is_labelled_by_its_verdicts(run: Run, made_run: Path, candidates: Path) -> None:
    code, _, said = run("label", str(made_run), "--labeller", "ann", "--encoder", "", keys="l" * 20)
    assert code == 0
    assert "at random" not in said
    rows = read_labels([Path("labels/ann.jsonl")])
    assert len(rows) == 8
    assert {row.chosen_by for row in rows} == {"uncertain", "random"}
    # Evidence of the teacher goes on to the label.
    assert {(row.teacher, row.tokens, row.log_probability) for row in rows} == {("tiny", 2, -3.0)}
    assert rows[0].arm.startswith("beam:")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("head\trelation\ttail\n", "holds no triple"),
        ("head\trelation\ttail\nPersonX sings\txReactt\thappy\n", "did you mean xReact"),
        ("a\tb\n", "no header"),
    ],
)
def test_a_source_that_cannot_be_judged_is_exit_code_2(
    run: Run, candidates: Path, content: str, message: str
) -> None:
    candidates.write_text(content)
    code, out, said = run("label", str(candidates), "--labeller", "ann", keys="l")
    assert (code, out) == (2, "")
    assert message in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--labeller", ""), "no labeller's name"),
        (("--labeller", "ann", "--labels", "labels.tsv"), "plain JSON Lines"),
        (("--labeller", "ann", "--guideline", "9"), "There is no guideline 9.en"),
        (("--labeller", "ann", "--skip", "nowhere"), "nowhere does not exist"),
    ],
)
def test_options_that_break_a_rule_are_exit_code_2(
    run: Run, candidates: Path, words: tuple[str, ...], message: str
) -> None:
    code, out, said = run("label", str(candidates), *words, keys="l")
    assert (code, out) == (2, "")
    assert message in said
    assert run("label", "nowhere.tsv", "--labeller", "ann")[0] == 2


def test_a_folder_that_is_no_run_yet_and_holds_no_labels_says_so(
    run: Run, candidates: Path
) -> None:
    (candidates.parent / "started" / "stages").mkdir(parents=True)
    for words in (("label", "started"), ("labels", "export", "started", "--format", "argilla",
                                         "--out", "t.json")):  # fmt: skip
        code, _, said = run(*words)
        assert code == 2
        assert "neither a run folder" in said


def test_labels_of_unknown_relations_are_named_or_left_out(run: Run, candidates: Path) -> None:
    run("label", str(candidates), "--labeller", "ann", keys="ll")
    from kgbuild.core.ids import triple_id

    path = Path("labels/ann.jsonl")
    first, second = read_labels([path])
    odd = first.model_copy(
        update={"relation": "xReactt", "triple_id": triple_id(first.head, "xReactt", first.tail)}
    )
    path.write_text("".join(f"{row.model_dump_json()}\n" for row in (odd, second)))
    code, _, said = run("label", str(path), "--labeller", "bob", keys="l")
    assert code == 2
    assert "'xReactt', which is in no relation pack; did you mean xReact?" in said
    assert run("label", str(path), "--labeller", "bob", "--skip-unknown", keys="ll")[0] == 0
    assert [row.tail for row in read_labels([Path("labels/bob.jsonl")])] == [second.tail]


def spawn(pexpect: Any, candidates: Path) -> Any:
    root = str(Path(__file__).resolve().parents[2])
    words = ["label", str(candidates), "--labeller", "ann"]
    return pexpect.spawn(
        sys.executable,
        ["-c", "from kgbuild.cli.main import main; main()", *words],
        env={**os.environ, "TERM": "dumb", "PYTHONPATH": root},
        encoding="utf-8",
        timeout=120,
    )


def test_single_keys_on_a_terminal_that_can_only_print(candidates: Path) -> None:
    pexpect = pytest.importorskip("pexpect", reason="pip install pexpect")
    child = spawn(pexpect, candidates)
    child.expect(r"1 \(5 left\)")
    child.send("a")
    child.expect(r"2 \(4 left\)")
    assert "always" in child.before
    child.send("z")
    child.expect("taken back")
    child.expect(r"1 \(5 left\)")
    child.send("c")
    child.expect("then Enter")
    child.send("not so\n")
    child.expect("comment kept: not so")
    child.send("I")
    child.expect(r"2 \(4 left\)")
    # A function key whose sequence holds the letter of an answer is none.
    child.send("\x1b[a")
    child.expect("is no key")
    child.send("\x04")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    (row,) = read_labels([Path("labels/ann.jsonl")])
    assert (row.label, row.comment) == (Label.INVALID, "not so")


def test_ctrl_c_leaves_the_terminal_and_the_answers_as_they_should_be(candidates: Path) -> None:
    pexpect = pytest.importorskip("pexpect", reason="pip install pexpect")
    child = spawn(pexpect, candidates)
    child.expect(r"1 \(5 left\)")
    echo = child.getecho()
    child.send("l")
    child.expect(r"2 \(4 left\)")
    child.sendintr()
    child.expect("goes on from here")
    child.expect(pexpect.EOF)
    child.close()
    assert (child.exitstatus, echo) == (130, False)
    assert len(read_labels([Path("labels/ann.jsonl")])) == 1


def write_labels(path: Path, by: str, words: str) -> None:
    """One label a letter: a always, l likely, f farfetched, i invalid."""
    from tests.labelling.conftest import make_row

    names = {"a": Label.ALWAYS, "l": Label.LIKELY, "f": Label.FARFETCHED, "i": Label.INVALID}
    rows = [make_row(number, names[word], by=by) for number, word in enumerate(words)]
    path.write_text("".join(f"{row.model_dump_json()}\n" for row in rows))


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    monkeypatch.chdir(tmp_path)
    write_labels(tmp_path / "ann.jsonl", "ann", "ailf")
    write_labels(tmp_path / "bob.jsonl", "bob", "lifi")
    return "ann.jsonl", "bob.jsonl"


def test_agreement_is_printed_for_people_and_for_programs(run: Run, two: tuple[str, str]) -> None:
    code, out, said = run("labels", "agreement", *two)
    assert code == 0
    assert "0.50" in out
    assert "xReact" in out
    assert "1 triples are accepted by some and refused by others" in said
    code, out, _ = run("labels", "agreement", *two, "--json")
    report = json.loads(out)
    assert (code, report["pairs"][0]["kappa_accepted"]) == (0, pytest.approx(0.5))
    code, out, said = run("labels", "agreement", two[0])
    assert "nothing to compare" in said


def test_disputed_triples_are_asked_again(run: Run, two: tuple[str, str]) -> None:
    assert run("labels", "agreement", *two, "--disputed", "again.jsonl")[0] == 0
    assert run("label", "again.jsonl", "--labeller", "eve", keys="ll")[0] == 0
    (row,) = read_labels([Path("labels/eve.jsonl")])
    assert row.head == "PersonX visits friend 2"


@pytest.mark.parametrize("tool", ["label-studio", "argilla"])
def test_labels_go_to_a_tool_and_come_back_once(
    run: Run, two: tuple[str, str], tmp_path: Path, tool: str
) -> None:
    everybody = tmp_path / "all.jsonl"
    everybody.write_text("".join(Path(name).read_text() for name in two))
    code, out, said = run(
        "labels", "export", str(everybody), "--format", tool, "--out", "tasks.json"
    )
    assert (code, out) == (0, "")
    assert "4 tasks in tasks.json" in said
    assert Path("tasks.xml").exists() is (tool == "label-studio")
    words = ("labels", "import", "tasks.json", "--format", tool, "--labels", "back.jsonl")
    assert "8 labels of 4 tasks added" in run(*words)[2]
    back = read_labels([Path("back.jsonl")])
    assert sorted(back, key=str) == sorted(read_labels([everybody]), key=str)
    before = Path("back.jsonl").read_bytes()
    assert "0 labels of 4 tasks added to back.jsonl; 8 were in it" in run(*words)[2]
    assert Path("back.jsonl").read_bytes() == before


def test_a_run_and_candidates_become_tasks_without_answers(
    run: Run, made_run: Path, candidates: Path
) -> None:
    for source, count in ((made_run, 8), (candidates, 5)):
        words = ("labels", "export", str(source), "--format", "label-studio", "--out", "t.json")
        assert f"{count} tasks" in run(*words)[2]
        tasks = json.loads(Path("t.json").read_text())
        assert [task["annotations"] for task in tasks] == [[]] * count
        assert "predictions" not in tasks[0]
        run(*words, "--limit", "2")
        assert json.loads(Path("t.json").read_text()) == tasks[:2]


def test_undated_answers_are_added_once_and_changes_later(run: Run, candidates: Path) -> None:
    run("labels", "export", str(candidates), "--format", "argilla", "--out", "t.json")
    records = json.loads(Path("t.json").read_text())
    words = (
        "labels", "import", "t.json", "--format", "argilla", "--labels", "l.jsonl", "--name",
        "u1=ann",
    )  # fmt: skip
    for word, added in (("likely", 1), ("likely", 0), ("invalid", 1), ("invalid", 0)):
        records[0]["responses"] = {"label": [{"value": word, "user_id": "u1"}]}
        Path("t.json").write_text(json.dumps(records))
        assert f"{added} labels of 5 tasks" in run(*words)[2]
    rows = read_labels([Path("l.jsonl")])
    assert [(row.labeller, row.label.value) for row in rows] == [
        ("ann", "likely"), ("ann", "invalid"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("export", "ann.jsonl", "--format", "argila", "--out", "t"), "did you mean argilla"),
        (("export", "empty.jsonl", "--format", "argilla", "--out", "t"), "is empty"),
        (("import", "ann.jsonl", "--format", "argilla"), "no record of Argilla"),
        (("import", "ann.jsonl", "--format", "argilla", "--name", "ann"), "not ID=NAME"),
        (("agreement", "empty.jsonl"), "holds no label"),
        (("agreement", "nowhere.jsonl"), "does not exist"),
        (("suspect", "empty.jsonl"), "holds no label"),
        (("suspect", "ann.jsonl", "--critic", "nowhere"), "nowhere"),
    ],
)
def test_what_breaks_a_rule_is_one_paragraph_and_exit_code_2(
    run: Run, two: tuple[str, str], words: tuple[str, ...], message: str
) -> None:
    Path("empty.jsonl").write_text("")
    code, out, said = run("labels", *words)
    assert (code, out) == (2, "")
    assert message in said
    assert said.strip().count("\n") == 0
