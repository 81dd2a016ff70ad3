from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from kgbuild.core.errors import StoreLockedError
from kgbuild.store import lock
from kgbuild.store.lock import StoreLock, describe_holder


def test_the_last_one_out_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "graph.lbug"
    one, other = StoreLock(path, is_shared=True), StoreLock(path, is_shared=True)
    names = tmp_path / "graph.lbug.lock"
    assert len(names.read_text().splitlines()) == 2
    one.release()
    other.release()
    other.release()
    assert not list(tmp_path.iterdir())


def test_a_lock_on_a_file_that_was_taken_away_meanwhile_is_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "graph.lbug"
    first = StoreLock(path, is_shared=False)
    usual = lock._open

    def open_late(*given: Any, **named: Any) -> Any:
        opened = usual(*given, **named)
        first.release()  # between our opening and our locking
        return opened

    monkeypatch.setattr(lock, "_open", open_late)
    second = StoreLock(path, is_shared=False)
    monkeypatch.undo()
    with pytest.raises(StoreLockedError, match="has it open"):
        StoreLock(path, is_shared=True)
    second.release()


def test_a_late_release_leaves_the_file_of_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "graph.lbug"
    first = StoreLock(path, is_shared=True)
    (tmp_path / "graph.lbug.lock").unlink()
    second = StoreLock(path, is_shared=False)
    first.release()
    with pytest.raises(StoreLockedError, match="has it open"):
        StoreLock(path, is_shared=True)
    second.release()


def test_names_of_dead_processes_block_nobody(tmp_path: Path) -> None:
    path = tmp_path / "graph.lbug"
    (tmp_path / "graph.lbug.lock").write_text(
        json.dumps({"pid": os.getpid(), "started": 1.0, "host": "h", "command": "x"}) + '\n{"pi'
    )
    living = StoreLock(path, is_shared=False)
    with pytest.raises(StoreLockedError, match="has it open"):
        StoreLock(path, is_shared=True)
    living.release()


def test_a_reused_process_number_is_not_taken_for_the_holder(tmp_path: Path) -> None:
    entry = {"pid": os.getpid(), "started": 1.0, "host": socket.gethostname()}
    record = json.dumps({**entry, "command": "kgbuild build", "mode": "writing"})
    assert describe_holder(record, tmp_path / "graph.lbug") == "another process"


def test_a_process_of_another_machine_is_named_as_written(tmp_path: Path) -> None:
    entry = {"pid": 12, "started": 1.0, "host": "elsewhere", "command": "kgbuild build c.yaml"}
    record = json.dumps({**entry, "mode": "writing"})
    named = describe_holder(record, tmp_path / "graph.lbug")
    assert named == "process 12 on elsewhere (kgbuild build c.yaml, writing)"


def test_without_a_record_the_process_that_has_the_file_open_is_found(tmp_path: Path) -> None:
    path = tmp_path / "graph.lbug"
    with path.open("w"):
        assert f"process {os.getpid()} on" in describe_holder("", path)
