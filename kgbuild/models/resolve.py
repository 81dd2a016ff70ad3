"""From a name or a path to a model that is safe to load, or a reason why not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from kgbuild.core.errors import FileError, ModelError, did_you_mean
from kgbuild.core.files import read_json, user_path
from kgbuild.core.records import Record
from kgbuild.models.catalogue import CatalogueEntry, load_catalogue
from kgbuild.models.fetch import fetched_path, weight_path
from kgbuild.models.weights import check_weights, hash_weights, recall_hash

_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")


class ModelFile(Record):
    """A model on this disk, checked: where it is, what it is, what its weights hash to."""

    name: str
    path: Path
    kind: Literal["gguf", "folder", "encoder"]
    sha256: str
    licence: str = "unknown"


def resolve_model(name_or_path: str | Path) -> ModelFile:
    """Give the checked model that a name of the catalogue or a path stands for.

    A path is taken when it exists; everything else is a name. Nothing is downloaded.

    Raises:
        ModelError: If the name is unknown or not fetched yet, or the path holds no weights,
            pickle weights, or a file that is cut off.
    """
    text = str(name_or_path)
    entry = load_catalogue().get(text)
    if entry is not None and not Path(text).exists():
        return _resolve_entry(entry)
    path = user_path(text)
    if path.is_dir():
        return _resolve_folder(path)
    if path.is_file():
        return _resolve_file(path)
    if isinstance(name_or_path, Path) or os.sep in text or path.suffix:
        raise ModelError(
            f"{text} does not exist. kgbuild reads models from this disk and no hub: download the "
            f"model's folder first and give its path, or use one of {', '.join(load_catalogue())}."
        )
    raise ModelError(
        f"{text} is neither a path nor in the catalogue of models"
        f"{did_you_mean(text, load_catalogue()) or '.'} `kgbuild models list` shows the names; a "
        "folder with config.json and *.safetensors or a .gguf file of your own is given as a path."
    )


def _resolve_entry(entry: CatalogueEntry) -> ModelFile:
    path = fetched_path(entry.name)
    if path is None:
        raise ModelError(
            f"{entry.name} ({entry.title}, {entry.size_bytes / 1e6:,.0f} MB) is not on this "
            f"machine yet; run `kgbuild models get {entry.name}`"
        )
    weights = weight_path(entry, path)
    check_weights(weights)
    return ModelFile(
        name=entry.name,
        path=path,
        kind=entry.kind,
        sha256=recall_hash(weights),
        licence=entry.licence,
    )


def _resolve_file(path: Path) -> ModelFile:
    if path.suffix.lower() in _PICKLES:
        raise _refuse_pickle(path)
    if path.suffix != ".gguf":
        raise ModelError(
            f"{path} is neither a .gguf file nor a folder; give the folder that holds config.json "
            "and *.safetensors, or a GGUF file."
        )
    check_weights(path)
    return ModelFile(name=path.stem, path=path, kind="gguf", sha256=recall_hash(path))


def _resolve_folder(path: Path) -> ModelFile:
    weights = sorted(path.glob("*.safetensors"))
    if not weights:
        pickles = [file for file in sorted(path.iterdir()) if file.suffix.lower() in _PICKLES]
        if pickles:
            raise _refuse_pickle(pickles[0])
        ggufs = sorted(path.glob("*.gguf"))
        hint = f"; give the file itself: {ggufs[0]}" if ggufs else ""
        raise ModelError(
            f"{path} holds no weights{hint}. A model folder has config.json and one or more "
            "*.safetensors files; check the path, or download the model again."
        )
    if not (path / "config.json").is_file():
        raise ModelError(
            f"{path} holds {weights[0].name} but no config.json, so its shape is unknown; copy "
            "the model's config.json and tokenizer files into it."
        )
    _check_index(path)
    for file in weights:
        check_weights(file)
    is_encoder = (path / "modules.json").is_file()
    return ModelFile(
        name=path.resolve().name,
        path=path,
        kind="encoder" if is_encoder else "folder",
        sha256=hash_weights(weights),
    )


def _check_index(path: Path) -> None:
    index = path / "model.safetensors.index.json"
    if not index.is_file():
        return
    try:
        listed = sorted(set(read_json(index)["weight_map"].values()))
    except (FileError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{index} does not list the weight files; download the model again"
        ) from error
    missing = [name for name in listed if not (path / str(name)).is_file()]
    if missing:
        raise ModelError(
            f"{path} lacks {', '.join(map(str, missing[:3]))}, which {index.name} lists; download "
            "the missing files"
        )


def _refuse_pickle(path: Path) -> ModelError:
    return ModelError(
        f"{path} holds pickled weights, which can run any program when they are loaded; kgbuild "
        "reads only safetensors and GGUF. Take the model's *.safetensors or .gguf release, or "
        "convert it once in a place you trust with `model.save_pretrained(folder)`."
    )
