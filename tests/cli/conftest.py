"""The command line as it is called, in this process."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import pytest

from kgbuild.cli.main import main


@pytest.fixture
def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs a command with what is typed into it; gives its exit code, stdout and stderr."""

    def run(*words: str, keys: str | bytes = b"") -> tuple[int, str, str]:
        typed = keys.encode() if isinstance(keys, str) else keys
        monkeypatch.setattr(sys, "argv", ["kgbuild", *words])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed)))
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run
