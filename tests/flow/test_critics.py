"""Two processes that need the same critic: one trains it, the other says that it waits."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from filelock import FileLock

from kgbuild.core.config_file import load_config
from kgbuild.core.ids import content_key
from kgbuild.core.progress import Quiet
from kgbuild.runs.critics import critic_inputs, ensure_critic
from kgbuild.runs.inputs import Inputs
from tests.tiny_models import make_language_model


class Listener(Quiet):
    """Remembers what is said, and says when something is."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.has_heard = threading.Event()

    def say(self, message: str) -> None:
        self.said.append(message)
        self.has_heard.set()


def test_a_critic_that_another_process_trains_is_waited_for_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KGBUILD_CACHE", str(tmp_path / "cache"))
    backbone = make_language_model(tmp_path / "model", texts=["PersonX runs"])
    settings = [f"critic.backbone='{backbone}'", "critic.start=null"]
    inputs = Inputs(load_config(None, settings=settings))
    folder = tmp_path / "cache" / "critics" / content_key(critic_inputs(inputs))
    folder.parent.mkdir(parents=True)
    listener = Listener()
    found: list[Path] = []
    with FileLock(folder.with_suffix(".lock")):
        waiter = threading.Thread(
            target=lambda: found.append(ensure_critic(inputs, progress=listener)), daemon=True
        )
        waiter.start()
        assert listener.has_heard.wait(timeout=60)
        folder.mkdir()
        (folder / "critic.json").write_text("{}")
    waiter.join(timeout=60)
    assert found == [folder]
    assert listener.said == ["Another process is training this critic; waiting for it"]
