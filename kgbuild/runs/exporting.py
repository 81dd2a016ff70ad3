"""Corpus files out of a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from kgbuild.core.errors import ConfigError, did_you_mean
from kgbuild.core.manifest import read_manifest
from kgbuild.core.records import CorpusRow
from kgbuild.core.shards import read_shards
from kgbuild.corpus import CorpusFormat, write_corpus
from kgbuild.runs.inputs import Inputs
from kgbuild.runs.storing import make_card


def export_run(folder: Path, *, format: str, out: Path) -> int:
    """Write the corpus of a run and give its number of rows.

    Raises:
        ConfigError: If the format is not one of tsv, jsonl, parquet, hf.
    """
    known = get_args(CorpusFormat)
    if format not in known:
        raise ConfigError(
            f"--format {format!r} is not one of {', '.join(known)}{did_you_mean(format, known)}"
        )
    manifest = read_manifest(folder)
    rows = read_shards(manifest.stage_folder("corpus"), CorpusRow)
    inputs = Inputs(manifest.read_config())
    card = make_card(manifest.run_id, inputs) if format == "hf" else None
    return write_corpus(rows, format=format, out=out, card=card)  # type: ignore[arg-type]
