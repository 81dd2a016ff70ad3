from pathlib import Path

import pytest

from kgbuild.core.errors import RunError
from kgbuild.core.manifest import Manifest, StageEntry, read_manifest, write_manifest


def make_manifest(folder: Path) -> Manifest:
    manifest = Manifest(run_id="r", version="0.1.0", config={"name": "x"}, folder=folder)
    return manifest.with_stage("heads", StageEntry(key="k", folder="stages/heads/k"))


def test_a_manifest_comes_back_as_it_was(tmp_path: Path) -> None:
    write_manifest(make_manifest(tmp_path))
    assert read_manifest(tmp_path) == make_manifest(tmp_path)
    assert read_manifest(tmp_path).stage_folder("heads") == tmp_path / "stages/heads/k"


def test_an_equal_manifest_is_not_written_again(tmp_path: Path) -> None:
    write_manifest(make_manifest(tmp_path))
    before = (tmp_path / "manifest.json").stat().st_mtime_ns
    write_manifest(make_manifest(tmp_path))
    assert (tmp_path / "manifest.json").stat().st_mtime_ns == before


def test_a_run_of_another_version_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"format": 99}')
    with pytest.raises(RunError, match=r"format 99.*new folder"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 1}'])
def test_a_broken_manifest_says_the_way_out(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(RunError):
        read_manifest(tmp_path)


def test_a_folder_without_manifest_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is not a run folder"):
        read_manifest(tmp_path)


def test_an_unfinished_stage_is_an_error_that_says_how_to_go_on(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="has not finished its graph stage"):
        make_manifest(tmp_path).stage_folder("graph")
