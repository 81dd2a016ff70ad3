import errno
from pathlib import Path

import pytest

from kgbuild.core.errors import FileError
from kgbuild.core.files import read_json, read_text, replacing, write_error, write_text


def test_a_failed_write_leaves_the_old_content_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "kept.txt"
    write_text(path, "old")
    with pytest.raises(RuntimeError), replacing(path) as temporary:  # noqa: PT012
        temporary.write_text("half of the new")
        raise RuntimeError("killed")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["kept.txt"]


def test_a_full_disk_is_said_as_such(tmp_path: Path) -> None:
    with (
        pytest.raises(FileError, match=r"disk is full.*free some space"),
        replacing(tmp_path / "big"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_a_write_error_of_another_kind_names_its_reason(tmp_path: Path) -> None:
    assert "Permission denied" in str(
        write_error(tmp_path, OSError(errno.EACCES, "Permission denied"))
    )


def test_bad_utf8_is_named_with_line_and_byte(tmp_path: Path) -> None:
    path = tmp_path / "seeds.tsv"
    path.write_bytes(b"head\nPersonX sings\n\xff\xfe\n")
    with pytest.raises(FileError, match=r"seeds.tsv:3 is not UTF-8 \(byte 19 is 0xff\)"):
        read_text(path)


def test_a_nul_character_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "seeds.txt"
    path.write_bytes(b"one\ntwo\x00\n")
    with pytest.raises(FileError, match=r"seeds.txt:2 holds a NUL"):
        read_text(path)


def test_a_byte_order_mark_is_not_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "seeds.txt"
    path.write_bytes(b"\xef\xbb\xbfhead\n")
    assert read_text(path) == "head\n"


@pytest.mark.parametrize("name", ["missing.txt", "."])
def test_what_is_no_file_is_a_file_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileError):
        read_text(tmp_path / name)


def test_a_file_over_the_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("x" * 100)
    with pytest.raises(FileError, match="more than 10 bytes"):
        read_text(path, limit_bytes=10)


def test_broken_json_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text('{\n"a": }')
    with pytest.raises(FileError, match=r"broken.json:2 is not JSON"):
        read_json(path)
