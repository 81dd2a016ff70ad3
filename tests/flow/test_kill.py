"""A real build, killed with SIGKILL at random moments, ends like an unbroken one."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
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
    chance = random.Random(11)
    killed = sum(not run("broken", seconds=chance.uniform(0.1, 0.5) * whole) for _ in range(TIMES))
    # What is done stays done, so the later of the ten tries may end before they are killed.
    assert killed >= 3
    run("broken", seconds=None)
    exports = []
    for folder in ("whole", "broken"):
        out = tmp_path / f"{folder}.jsonl"
        subprocess.run(
            kgbuild(
                "export", "--run", str(tmp_path / folder), "--format", "jsonl", "--out", str(out)
            ),
            check=True,
            capture_output=True,
        )
        exports.append(out.read_bytes())
    assert exports[0] == exports[1]
    assert exports[0].count(b"\n") >= len(HEADS)
