"""What the command line promises to whoever scripts against it."""

from __future__ import annotations

import errno
import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from kgbuild.cli.main import main

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run a command as its entry point would, in this process: torch is imported once."""

    def call(*words: str) -> Done:
        monkeypatch.chdir(ROOT)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setattr(sys, "argv", ["kgbuild", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        code = ended.value.code
        return Done(code if isinstance(code, int) else 0, said.out, said.err)

    return call


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"head\nPersonX sings\n\xff\n", "not UTF-8"),
        (b"", "seeds"),
        (b"nothing\tof\tuse\na\tb\tc\n", "head"),
        (b"head\n" + b"x" * 10_000 + b"\n", "10,000 characters"),
        (b"head\nPersonX\x07 sings\n", "control"),
        (b"head\trelations\nPersonX sings\txWnat\n", "did you mean xWant"),
    ],
)
def test_bad_seeds_are_one_paragraph_and_exit_code_2(
    run: Run, tmp_path: Path, content: bytes, message: str
) -> None:
    seeds = tmp_path / "seeds.tsv"
    seeds.write_bytes(content)
    done = run(
        "build", str(ROOT / "data/configs/demo.yaml"), "--seeds", str(seeds),
        "--run", str(tmp_path / "run"),
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.strip().count("\n") == 0
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("build", "missing.yaml"), "missing.yaml"),
        (("build", "data/configs/demo.yaml", "--set", "critic.treshold=1"), "threshold"),
        (("query", "tails", "x", "xWant", "--run", "nowhere"), "nowhere"),
        (("query", "tails", "x", "xWant", "--run", "~nobody-here/run"), "~nobody-here"),
        (("query", "tails", "x", "xWant", "--run", "x" * 300), "File name too long"),
        (("models", "path", "~nobody-here/model"), "~nobody-here"),
        (("build", "data/configs/demo.yaml", "--seeds", "x" * 300), "File name too long"),
        (("relations", "--pack", "atomic2002.en"), "did you mean atomic2020.en"),
        (("models", "path", "smolm2"), "did you mean smollm2"),
        (("critic", "calibrate", "--precision", "1.5", "--out", "x"), "precision 1.5"),
        (("critic", "calibrate", "--confidence", "0", "--out", "x"), "confidence 0.0"),
        (("critic", "calibrate", "--labels", "nowhere.jsonl", "--out", "x"), "nowhere.jsonl"),
        (("critic", "calibrate", "--out", "docs"), "is no critic"),
        (("export", "--run", "nowhere", "--format", "xml", "--out", "x"), "--format 'xml'"),
    ],
)
def test_what_the_user_can_mend_is_exit_code_2(
    run: Run, words: tuple[str, ...], message: str
) -> None:
    done = run(*words)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("files", "model", "message"),
    [
        ({"config.json": b"{}", "pytorch_model.bin": b"\x80\x04."}, "", "pickle"),
        ({"config.json": b"{}"}, "", "safetensors"),
        ({"cut.gguf": b"GGUF\x03\x00\x00\x00"}, "cut.gguf", "cut.gguf"),
        ({}, "nowhere", "nowhere"),
    ],
)
def test_a_model_that_cannot_be_read_is_exit_code_2(
    run: Run, tmp_path: Path, files: dict[str, bytes], model: str, message: str
) -> None:
    (tmp_path / "model").mkdir()
    for name, content in files.items():
        (tmp_path / "model" / name).write_bytes(content)
    (tmp_path / "seeds.txt").write_text("PersonX sings\n")
    done = run(
        "build", str(ROOT / "data/configs/demo.yaml"), "--seeds", str(tmp_path / "seeds.txt"),
        "--run", str(tmp_path / "run"), "--set", f"teacher.model={tmp_path / 'model' / model}",
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_malformed_yaml_and_a_run_of_another_version_are_exit_code_2(
    run: Run, tmp_path: Path
) -> None:
    config = tmp_path / "broken.yaml"
    config.write_text("name: x\ncritic: [1, 2\n")
    done = run("build", str(config), "--run", str(tmp_path / "new"))
    assert done.returncode == 2, done.stderr
    assert "broken.yaml:" in done.stderr
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / "manifest.json").write_text('{"schema_version": 999, "version": "99.0"}')
    for words in (("report",), ("query", "tails", "x", "xWant")):
        done = run(*words, "--run", str(folder))
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
        assert "version" in done.stderr


def test_a_full_disk_is_exit_code_2_and_leaves_what_was_written(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = iter([True] * 3)

    def flush(descriptor: int) -> None:
        if not next(room, False):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("kgbuild.core.files.os.fsync", flush)
    out = tmp_path / "schemas"
    done = run("schemas", "--out", str(out))
    assert done.returncode == 2
    assert "the disk is full" in done.stderr
    assert "run the same command again" in done.stderr
    assert "Traceback" not in done.stderr
    written = list(out.iterdir())
    assert len(written) == 3
    assert all(path.suffix == ".json" for path in written)


def test_a_folder_with_other_things_is_never_replaced_by_a_critic(run: Run, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    thesis = tmp_path / "papers" / "thesis.docx"
    thesis.write_text("mine")
    for out in (thesis.parent, thesis):
        done = run("critic", "train", "--out", str(out))
        assert done.returncode == 2, done.stderr
        assert "is no critic" in done.stderr
        assert "Traceback" not in done.stderr
    assert thesis.read_text() == "mine"


@pytest.mark.parametrize("content", [b"Maria sings.\n\xff\n", b"Maria\x00 sings.\n"])
def test_running_text_from_a_pipe_is_checked_as_a_file_is(
    run: Run, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))
    done = run("seeds", "extract", "-")
    assert done.returncode == 2, done.stderr
    assert "standard input:" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interrupted_command_says_that_it_goes_on_and_exits_with_130(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt  # as Python does on Ctrl-C, whichever thread a test worker runs in

    monkeypatch.setattr("kgbuild.core.relations.load_relations", interrupt)
    done = run("relations")
    assert done.returncode == 130
    assert "the same command goes on" in done.stderr


def test_a_closed_pipe_is_no_traceback() -> None:
    code = "from kgbuild.cli.main import main; main()"
    shell = f"{sys.executable} -c '{code}' relations --json | head -c 1"
    done = subprocess.run(
        ["bash", "-c", shell], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [("relations", "--json"), ("relations",), ("--version",)])
def test_a_full_disk_behind_stdout_is_exit_code_2(command: tuple[str, ...]) -> None:
    code = "from kgbuild.cli.main import main; main()"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code, *command],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False, cwd=ROOT,
        )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert done.stderr.strip().count("\n") == 0
    assert "the disk is full" in done.stderr


def test_a_bad_file_is_refused_before_a_critic_is_trained_for_it(run: Run, tmp_path: Path) -> None:
    triples = tmp_path / "triples.tsv"
    triples.write_text("head\trelation\ttail\numbrella\tUsedFor\train\numbrella\tUsedFr\train\n")
    done = run("critic", "score", str(triples))
    assert done.returncode == 2
    assert "triples.tsv:3: relation 'UsedFr'" in done.stderr
    assert "did you mean UsedFor?" in done.stderr
    assert "Training" not in done.stderr
    assert done.stdout == ""


def test_a_folder_that_is_no_critic_is_one_paragraph(run: Run, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text('{"accepted": [], "funnel": {}, "teacher": "smollm2"}')
    done = run("critic", "evaluate", "--critic", str(tmp_path))
    assert "holds no critic.json" in done.stderr
    (tmp_path / "critic.json").write_text('{"format": 2, "colour": 1}')
    done = run("critic", "evaluate", "--critic", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.strip().count("\n") == 0
    assert "pydantic" not in done.stderr


def test_a_table_in_a_pipe_is_not_folded_to_a_terminals_width(run: Run) -> None:
    lines = run("relations").stdout.splitlines()
    line = next(line for line in lines if "NotCapableOf" in line)
    assert "what the thing cannot do, although one might ask or expect it" in line


def test_a_missing_file_of_the_user_is_not_blamed_on_the_installation(
    run: Run, tmp_path: Path
) -> None:
    done = run(
        "build", "data/configs/demo.yaml", "--run", str(tmp_path / "run"),
        "--seeds", str(tmp_path / "nowhere.tsv"),
    )  # fmt: skip
    assert done.returncode == 2
    assert f"{tmp_path / 'nowhere.tsv'} does not exist; check the path" in done.stderr
    assert "reinstall" not in done.stderr


@pytest.mark.parametrize("name", ["../elsewhere", "/tmp/elsewhere", "", "..", "a/b"])
def test_a_name_that_leaves_the_runs_folder_is_refused(run: Run, name: str) -> None:
    done = run("build", "data/configs/demo.yaml", "--set", f"name='{name}'")
    assert done.returncode == 2
    assert f"name = {name!r}" in done.stderr


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("nosuch.key=3", "nosuch is not a setting; known are name, seed"),
        ("critic.threshold=70", "critic.threshold = 70: it should be less than or equal to 1"),
        ("prompts.relations=xWant", "it is a list; write it as prompts.relations=[one, two]"),
        ("critic=3", "critic = 3: it is a section; set one of its keys, as in critic.folder"),
    ],
)
def test_a_setting_that_is_no_setting_is_answered_with_those_that_are(
    run: Run, setting: str, message: str
) -> None:
    done = run("build", "data/configs/demo.yaml", "--set", setting)
    assert done.returncode == 2
    assert message in done.stderr


def test_what_needs_no_model_loads_no_torch() -> None:
    code = """
import sys
from kgbuild.cli.main import main
for words in (
    ["build", "data/configs/demo.yaml", "--set", "critic.treshold=1"],
    ["plan", "missing.yaml"],
    ["export", "--run", "nowhere", "--format", "tsv", "--out", "x"],
    ["report", "--run", "nowhere"],
    ["critic", "evaluate", "--critic", "nowhere"],
    ["query", "tails", "x", "--run", "nowhere"],
):
    sys.argv = ["kgbuild", *words]
    try:
        main()
    except SystemExit as ended:
        assert ended.code == 2, words
    assert "torch" not in sys.modules, words
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr


def test_an_interrupt_is_exit_code_130() -> None:
    command = [sys.executable, "-c", "from kgbuild.cli.main import main; main()"]
    with subprocess.Popen(
        [*command, "seeds", "extract", "-"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        # The header has gone out, so the command now waits for text.
        assert child.stdout.readline() == "head\tkind\n"
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "Traceback" not in said
    assert "interrupted" in said
