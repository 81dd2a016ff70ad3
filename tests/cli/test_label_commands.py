"""label and labels as a person types them: keys from a pipe and from a terminal."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kgbuild.cli.main import main
from kgbuild.critic import read_labels

Run = Callable[..., tuple[int, str, str]]
TAILS = ("proud", "tired", "to eat the cake", "furious", "a mountain")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*words: str, keys: str | bytes = b"") -> tuple[int, str, str]:
        typed = keys.encode() if isinstance(keys, str) else keys
        monkeypatch.setattr(sys, "argv", ["kgbuild", *words])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed)))
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

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


def test_single_keys_on_a_terminal_that_can_only_print(candidates: Path) -> None:
    pexpect = pytest.importorskip("pexpect", reason="pip install pexpect")
    root = str(Path(__file__).resolve().parents[2])
    child = pexpect.spawn(
        sys.executable,
        ["-c", "from kgbuild.cli.main import main; main()", "label", str(candidates),
         "--labeller", "ann"],
        env={**os.environ, "TERM": "dumb", "PYTHONPATH": root},
        encoding="utf-8",
        timeout=120,
    )  # fmt: skip
    child.expect(r"1 \(5 left\)")
    child.send("a")
    child.expect(r"2 \(4 left\)")
    assert "always" in child.before
    child.send("z")
    child.expect("taken back")
    child.expect(r"1 \(5 left\)")
    child.send("i")
    child.expect(r"2 \(4 left\)")
    child.send("q")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert [row.label.value for row in read_labels([Path("labels/ann.jsonl")])] == ["invalid"]
