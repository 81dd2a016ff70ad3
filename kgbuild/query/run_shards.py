"""Rows of a run's shards by the value of a column, without reading the rest into memory."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
from pydantic import ValidationError

from kgbuild.core.config import BuildConfig
from kgbuild.core.errors import FileError
from kgbuild.core.manifest import Manifest
from kgbuild.core.records import Record

R = TypeVar("R", bound=Record)


class RunShards:
    """What the stages of one run left behind."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.manifest.folder

    @cached_property
    def config(self) -> BuildConfig:
        """The config that the run was built with.

        Raises:
            RunError: If it is not one of this version.
        """
        return self.manifest.read_config()

    def has_stage(self, stage: str) -> bool:
        """Whether the run has finished a stage."""
        return stage in self.manifest.stages

    def find(
        self, stage: str, record: type[R], stem: str = "part", /, **wanted: Collection[str]
    ) -> list[R]:
        """Give the rows of a stage whose columns hold one of the wanted values, in shard order.

        Args:
            stage: The stage; an unfinished one has no rows.
            record: What its shards hold.
            stem: First part of the shards' names.
            wanted: Column names with the values to look for; all columns must match.

        Raises:
            FileError: If a shard is missing or is not of this version.
        """
        if not self.has_stage(stage):
            return []
        folder = self.manifest.stage_folder(stage)
        paths = [str(path) for path in sorted(folder.glob(f"{stem}-*.parquet"))]
        if not paths:
            return []
        # Only `why` comes here; pyarrow.dataset brings pandas along.
        import pyarrow.dataset as ds

        condition = None
        for column, values in wanted.items():
            found = ds.field(column).isin(list(values))
            condition = found if condition is None else condition & found
        try:
            shards = ds.dataset(paths, format="parquet")
            rows = shards.to_table(filter=condition).to_pylist()
            return [record.model_validate(row) for row in rows]
        except (OSError, pa.ArrowInvalid, ValidationError) as error:
            raise FileError(
                f"The {stage} shards in {folder} cannot be read as {record.__name__} records "
                f"({str(error).splitlines()[0]}); run the same build again into a new folder"
            ) from error
