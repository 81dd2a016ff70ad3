"""JSON Schemas of the records, for people who read shards without Python."""

from __future__ import annotations

from typing import Any

from kgbuild.core import records
from kgbuild.core.base_weights import BaseWeights
from kgbuild.core.config import BuildConfig
from kgbuild.core.manifest import Manifest


def export_schemas() -> dict[str, dict[str, Any]]:
    """Give the JSON Schema of every record, the config and the manifest, by name."""
    kinds: dict[str, Any] = {
        name: kind
        for name, kind in vars(records).items()
        if isinstance(kind, type)
        and issubclass(kind, records.Record)
        and kind is not records.Record
    }
    kinds |= {"BaseWeights": BaseWeights, "BuildConfig": BuildConfig, "Manifest": Manifest}
    return {name: kinds[name].model_json_schema() for name in sorted(kinds)}
