from __future__ import annotations

from typing import Any

import pytest

from kgbuild.seeds.extract import load_parser


@pytest.fixture(scope="session")
def nlp() -> Any:
    return load_parser()
