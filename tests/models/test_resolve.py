"""Names and paths become checked models, or a reason that says the way out."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from kgbuild.core.errors import ModelError
from kgbuild.models import resolve_model


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KGBUILD_CACHE", str(tmp_path / "cache"))


def write_safetensors(path: Path) -> None:
    header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"\0" * 8)


def make_gguf(*, kind: int = 0, values: int = 64) -> bytes:
    name = b"general.architecture"
    keys = struct.pack("<Q", len(name)) + name + struct.pack("<IQ", 8, 5) + b"llama"
    numbers = b"tokens"
    keys += struct.pack("<Q", len(numbers)) + numbers + struct.pack("<IIQ", 9, 4, 3) + b"\1" * 12
    tensor = struct.pack("<Q", 1) + b"w" + struct.pack("<IQIQ", 1, values, kind, 0)
    header = b"GGUF" + struct.pack("<IQQ", 3, 1, 2) + keys + tensor
    return header + b"\0" * (-len(header) % 32) + b"\0" * (values * 4)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "my-model"
    path.mkdir()
    (path / "config.json").write_text("{}")
    write_safetensors(path / "model.safetensors")
    return path


def test_a_folder_with_config_and_safetensors_is_a_model(folder: Path) -> None:
    found = resolve_model(folder)
    assert (found.name, found.kind, len(found.sha256)) == ("my-model", "folder", 64)
    assert resolve_model(str(folder)) == found


def test_a_folder_of_sentence_transformers_is_an_encoder(folder: Path) -> None:
    (folder / "modules.json").write_text("[]")
    assert resolve_model(folder).kind == "encoder"


def test_the_hash_is_not_read_again_until_the_file_changes(folder: Path) -> None:
    weights = folder / "model.safetensors"
    first = resolve_model(folder).sha256
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")
    assert resolve_model(folder).sha256 != first


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "m.pth", "m.ckpt", "m.pkl"])
def test_pickled_weights_are_refused_with_the_formats_that_are_read(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x80\x04.")
    for asked in (path, tmp_path):
        with pytest.raises(ModelError, match="safetensors and GGUF"):
            resolve_model(asked)


def test_a_folder_without_weights_says_what_a_model_folder_holds(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"holds no weights.*\*\.safetensors"):
        resolve_model(tmp_path)


def test_weights_without_config_are_refused(folder: Path) -> None:
    (folder / "config.json").unlink()
    with pytest.raises(ModelError, match=r"no config\.json"):
        resolve_model(folder)


def test_a_missing_shard_of_the_index_is_named(folder: Path) -> None:
    index = {"weight_map": {"w": "model.safetensors", "v": "model-2.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match=r"lacks model-2\.safetensors"):
        resolve_model(folder)


@pytest.mark.parametrize("kept", [0, 4, 30, -1])
def test_cut_off_safetensors_are_refused(folder: Path, kept: int) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:kept])
    with pytest.raises(ModelError, match="Download it again"):
        resolve_model(folder)


def test_a_whole_gguf_file_is_a_model(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(make_gguf())
    assert (resolve_model(path).kind, resolve_model(path).name) == ("gguf", "tiny")


def test_a_gguf_file_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    whole = make_gguf()
    path = tmp_path / "tiny.gguf"
    for kept in range(len(whole)):
        path.write_bytes(whole[:kept])
        with pytest.raises(ModelError, match="Download it again"):
            resolve_model(path)


def test_hostile_gguf_counts_are_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 2**60, 2**60) + b"\0" * 64)
    with pytest.raises(ModelError, match="claims"):
        resolve_model(path)
    path.write_bytes(make_gguf(kind=9999))
    with pytest.raises(ModelError, match="unknown type"):
        resolve_model(path)


def test_a_name_near_a_known_one_is_suggested() -> None:
    with pytest.raises(ModelError, match=r"did you mean smollm2\?"):
        resolve_model("smolm2")


def test_a_known_name_that_is_not_here_says_how_to_get_it() -> None:
    with pytest.raises(ModelError, match="kgbuild models get smollm2"):
        resolve_model("smollm2")


def test_a_hub_name_is_not_fetched() -> None:
    with pytest.raises(ModelError, match="no hub"):
        resolve_model("someone/some-model")
