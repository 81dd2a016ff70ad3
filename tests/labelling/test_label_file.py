from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from kgbuild.core.errors import FileError, LabelError
from kgbuild.core.records import Label
from kgbuild.critic import read_labels
from kgbuild.labelling import LabelFile
from tests.labelling.conftest import make_row


def test_a_second_session_is_told_that_the_file_is_open(path: Path) -> None:
    with LabelFile(path), pytest.raises(LabelError, match="open in another labelling session"):
        LabelFile(path)
    with LabelFile(path) as file:
        file.append(make_row(1, Label.LIKELY))


def test_a_closed_file_takes_no_row(path: Path) -> None:
    file = LabelFile(path)
    file.close()
    with pytest.raises(LabelError, match="is closed"):
        file.append(make_row(1, Label.LIKELY))


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_a_last_line_that_a_kill_cut_off_is_taken_out_and_said(path: Path, cut: int) -> None:
    rows = [make_row(number, Label.LIKELY) for number in range(3)]
    with LabelFile(path) as file:
        for row in rows:
            file.append(row)
    whole = path.read_bytes()
    path.write_bytes(whole[: -cut - 1])
    with LabelFile(path) as file:
        assert "cut off" in file.mended
        assert file.standing() == rows[:2]
        file.append(rows[2])
    assert path.read_bytes() == whole
    with LabelFile(path) as file:
        assert file.mended == ""


def test_a_whole_last_line_that_lacks_only_its_end_is_kept(path: Path) -> None:
    with LabelFile(path) as file:
        file.append(make_row(1, Label.LIKELY))
    whole = path.read_bytes()
    path.write_bytes(whole.rstrip(b"\n"))
    with LabelFile(path) as file:
        assert (file.mended, len(file.standing())) == ("", 1)
    assert path.read_bytes() == whole


def test_a_process_that_is_killed_loses_no_answer_that_it_had_saved(path: Path) -> None:
    code = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from kgbuild.core.records import Label
        from kgbuild.labelling import LabelFile
        from tests.labelling.conftest import make_row

        file = LabelFile(Path(sys.argv[1]))
        for number in range(5):
            file.append(make_row(number, Label.LIKELY))
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )
    assert done.returncode == -signal.SIGKILL
    # The lock of the dead does not keep the living out.
    with LabelFile(path) as file:
        assert [row.head[-1] for row in file.standing()] == list("01234")


def test_a_row_is_not_kept_in_part_when_the_disk_is_full(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LabelFile(path) as file:
        file.append(make_row(1, Label.LIKELY))
        before = path.read_bytes()
        write = os.write

        def write_half(descriptor: int, content: bytes) -> int:
            if len(content) < 50:
                raise OSError(28, "No space left on device")
            return write(descriptor, bytes(content)[: len(content) // 2])

        monkeypatch.setattr(os, "write", write_half)
        with pytest.raises(FileError, match="the disk is full"):
            file.append(make_row(2, Label.LIKELY))
        assert path.read_bytes() == before
        assert len(file.standing()) == 1
        monkeypatch.undo()
        file.append(make_row(2, Label.LIKELY))
    assert len(read_labels([path])) == 2


def test_a_retraction_takes_back_the_latest_of_its_labeller_only(path: Path) -> None:
    first, other, again = (
        make_row(1, Label.LIKELY),
        make_row(1, Label.INVALID, by="bob"),
        make_row(1, Label.FARFETCHED, chosen_by="again"),
    )
    with LabelFile(path) as file:
        for row in (first, other, again, again.model_copy(update={"is_retraction": True})):
            file.append(row)
        assert file.standing() == [first, other]
        assert read_labels([path]) == [first, other]
        stranger = make_row(2, Label.LIKELY, is_retraction=True)
        with pytest.raises(LabelError, match="nothing to take back"):
            file.append(stranger)
    path.write_text(stranger.model_dump_json() + "\n")
    for read in (lambda: read_labels([path]), lambda: LabelFile(path)):
        with pytest.raises(LabelError, match="that is not above it"):
            read()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"label": "likely"}\n', "ann.jsonl:1 is no LabelledTriple"),
        (b"head\trelation\ttail\n", "ann.jsonl:1"),
        (b"a note of mine, not ended", "ann.jsonl:1"),
        (b"\xff\xfe\n", "cannot be read"),
    ],
)
def test_a_file_of_something_else_is_left_as_it_is(
    path: Path, content: bytes, message: str
) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(LabelError, match=message):
        LabelFile(path)
    assert path.read_bytes() == content
    # The refusal holds no lock.
    path.write_bytes(b"")
    LabelFile(path).close()


def test_places_that_cannot_hold_labels_say_so(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").mkdir()
    for name in ("a.jsonl", "b.tsv", "c.jsonl.gz"):
        with pytest.raises(LabelError, match="plain JSON Lines file"):
            LabelFile(tmp_path / name)
    (tmp_path / "plain").write_text("x")
    with pytest.raises(FileError):
        LabelFile(tmp_path / "plain" / "d.jsonl")
