"""The labelling guideline, by version; every label says which one it followed."""

from __future__ import annotations

from kgbuild.core.errors import LabelError
from kgbuild.core.files import read_text
from kgbuild.core.resources import resource_path


def read_guideline(version: int = 1, *, language: str = "en") -> str:
    """Give a shipped guideline as Markdown.

    Raises:
        LabelError: If there is none of that version and language.
    """
    folder = resource_path("data/guidelines")
    path = folder / f"{version}.{language}.md"
    if not path.is_file():
        known = ", ".join(sorted(file.name.removesuffix(".md") for file in folder.glob("*.md")))
        raise LabelError(
            f"There is no guideline {version}.{language}; shipped are {known}. A new version is a "
            f"new file in {folder}"
        )
    return read_text(path)
