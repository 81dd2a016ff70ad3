"""What a part of the configuration is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A frozen part of the configuration with exactly the declared keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


def plain(config: Section) -> Mapping[str, Any]:
    """Give a section as plain values, for manifests and content keys."""
    return config.model_dump(mode="json")
