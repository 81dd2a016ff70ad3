"""Loading: a folder that is no language model says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgbuild.core.errors import ModelError
from kgbuild.decoding import load_language_model


@pytest.mark.parametrize("config", ["{}", '{"model_type": "no-such-model"}', "not json"])
def test_a_folder_that_transformers_cannot_read_is_a_model_error(
    tmp_path: Path, config: str
) -> None:
    (tmp_path / "config.json").write_text(config)
    (tmp_path / "model.safetensors").write_bytes(b"\0" * 8)
    with pytest.raises(ModelError, match="cannot be loaded as a causal language model"):
        load_language_model(tmp_path, dtype="float32")
