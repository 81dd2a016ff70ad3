"""The manifest of a run folder: what is there, under which keys, and for which config.

It is the last thing a stage writes: a stage named here is whole.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kgbuild.core.config import BuildConfig
from kgbuild.core.errors import FileError, RunError
from kgbuild.core.files import read_json, write_json

FORMAT = 1
MANIFEST_NAME = "manifest.json"


class StageEntry(BaseModel):
    """One finished stage of a run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(description="Content key of the stage's inputs and settings")
    folder: str = Field(description="Output folder or file, relative to the run folder")
    counts: dict[str, int] = Field(default={}, description="What went through, by name")
    seconds: float = Field(default=0.0, description="Wall time of the stage when it was made")
    peak_mib: float = Field(default=0.0, description="Peak resident memory at its end, in MiB")


class Manifest(BaseModel):
    """The state of one run folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    run_id: str = Field(description="Content key of seeds, relations, teacher and decoding")
    version: str = Field(description="Version of kgbuild that wrote the run")
    config: dict[str, Any] = Field(description="The whole config of the newest build")
    stages: dict[str, StageEntry] = Field(default={}, description="Finished stages, by name")
    folder: Path = Field(default=Path(), exclude=True, description="Where the run is")

    def stage_folder(self, stage: str) -> Path:
        """Give the output folder of a finished stage.

        Raises:
            RunError: If the run has not reached that stage.
        """
        if stage not in self.stages:
            raise RunError(
                f"{self.folder} has not finished its {stage} stage; run kgbuild build with the "
                "same config and run folder to go on"
            )
        return self.folder / self.stages[stage].folder

    def read_config(self) -> BuildConfig:
        """Give the config that the run was built with.

        Raises:
            RunError: If it is not one of this version.
        """
        try:
            return BuildConfig.model_validate(self.config)
        except ValidationError as error:
            place = ".".join(str(part) for part in error.errors()[0]["loc"])
            raise RunError(
                f"The manifest of {self.folder} holds a config of another version of kgbuild "
                f"({place}); build again with the same config and run folder"
            ) from error

    def with_stage(self, name: str, entry: StageEntry) -> Manifest:
        """Give the manifest with one more finished stage."""
        return self.model_copy(update={"stages": {**self.stages, name: entry}})


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a run folder.

    Raises:
        RunError: If there is none, it is broken, or another version of kgbuild wrote it.
    """
    path = folder / MANIFEST_NAME
    if not path.exists():
        raise RunError(
            f"{folder} is not a run folder: it has no {MANIFEST_NAME}; make one with "
            "kgbuild build CONFIG --run DIR"
        )
    try:
        tree = read_json(path)
        found = tree.get("format") if isinstance(tree, dict) else None
        if found != FORMAT:
            raise RunError(
                f"{path} has format {found!r} and this version of kgbuild reads format {FORMAT}; "
                "build into a new folder with --run, the old one is left as it is"
            )
        return Manifest.model_validate(tree).model_copy(update={"folder": folder})
    except (FileError, ValidationError) as error:
        raise RunError(
            f"{path} is broken ({str(error).splitlines()[0]}); move it away and run the same "
            "build again: finished shards are found by their keys"
        ) from error


def find_graph(place: Path) -> Path:
    """Give the graph file of a run folder; a path that is a file is taken for one itself.

    Raises:
        RunError: If the path is neither, or the run has no graph yet.
    """
    if (place / MANIFEST_NAME).is_file():
        return read_manifest(place).stage_folder("graph")
    if place.is_dir():
        raise RunError(
            f"{place} is a folder without {MANIFEST_NAME}, so it is no run; name a folder that "
            "kgbuild build has made, or a graph file"
        )
    if not place.exists():
        raise RunError(
            f"{place} does not exist; name a run folder or a graph file, or build one with "
            "kgbuild build CONFIG --run DIR"
        )
    return place


def write_manifest(manifest: Manifest) -> None:
    """Write the manifest of a run, whole or not at all; an equal one is left untouched."""
    path = manifest.folder / MANIFEST_NAME
    content = manifest.model_dump(mode="json")
    if path.exists() and read_json(path) == content:
        return
    write_json(path, content)
