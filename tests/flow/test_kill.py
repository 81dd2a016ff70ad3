"""A real build, killed with SIGKILL at random moments, ends like an unbroken one."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from kgbuild.core.resources import resource_path
from kgbuild.models import get

HEADS = ["PersonX bakes a cake", "PersonX misses the bus", "PersonX plants a tree"]
LABELS = 400
TIMES = 10


def kgbuild(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("kgbuild")), *arguments]


@pytest.mark.slow
@pytest.mark.model
def test_kills_at_random_moments_change_no_byte_of_the_export(tmp_path: Path) -> None:
    get("smollm2")
    seeds = tmp_path / "seeds.tsv"
    seeds.write_text("head\tkind\n" + "".join(f"{head}\tevent\n" for head in HEADS))
    labels = tmp_path / "labels.jsonl"
    with next(resource_path("data/labels").glob("*.jsonl")).open(encoding="utf-8") as lines:
        labels.write_text("".join(line for line, _ in zip(lines, range(LABELS), strict=False)))
    settings = (
        f"critic.labels=[{labels}]",
        "critic.epochs=1",
        "critic.threshold=0.05",
        "prompts.relations=[xReact, xWant, xIntent]",
        "teacher.shard_prompts=2",
        "student.is_enabled=false",
    )
    build = kgbuild("build", "data/configs/demo.yaml", "--seeds", str(seeds))
    for setting in settings:
        build += ["--set", setting]

    def run(folder: str, *, seconds: float | None) -> bool:
        process = subprocess.Popen(
            [*build, "--run", str(tmp_path / folder)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            _, said = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            assert process.returncode == -signal.SIGKILL
            return False
        assert process.returncode == 0, said.decode()
        return True

    began = time.monotonic()
    run("whole", seconds=None)
    whole = time.monotonic() - began
    began = time.monotonic()
    run("whole", seconds=None)
    idle = time.monotonic() - began
    # Ten moments of the run's work, in order: each start goes on from one towards the next. One
    # that ends before its kill (a cache warmed up) leaves the rest to a run in a new folder.
    chance = random.Random(11)
    moments = sorted(chance.random() for _ in range(TIMES))
    folders, killed = ["broken-0"], 0
    for gap in (later - before for before, later in pairwise([0.0, *moments])):
        while run(folders[-1], seconds=idle + gap * (whole - idle)):
            folders.append(f"broken-{len(folders)}")
        killed += 1
    assert killed == TIMES
    run(folders[-1], seconds=None)
    exports = []
    for folder in ("whole", *folders):
        out = tmp_path / f"{folder}.jsonl"
        subprocess.run(
            kgbuild(
                "export", "--run", str(tmp_path / folder), "--format", "jsonl", "--out", str(out)
            ),
            check=True,
            capture_output=True,
        )
        exports.append(out.read_bytes())
    assert set(exports) == {exports[0]}
    assert exports[0].count(b"\n") >= len(HEADS)
