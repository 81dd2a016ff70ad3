"""Weights that others build on, named and not copied."""

from __future__ import annotations

from kgbuild.core.records import Record


class BaseWeights(Record):
    """The language model that a student or a critic was trained from, by reference."""

    path: str
    sha256: str
