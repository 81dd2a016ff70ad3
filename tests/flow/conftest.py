"""A run without models: a scripted teacher, a table for a critic, letters for an encoder."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from kgbuild.core.config import BuildConfig
from kgbuild.core.config_file import load_config
from kgbuild.critic import TableScorer
from kgbuild.runs import run_flow
from kgbuild.runs.inputs import Inputs
from kgbuild.runs.workers import Workers
from kgbuild.teacher.scripted import ScriptedTeacher

ANSWERS = ("buy some flour", "find a good recipe", "wash both hands", "heat the oven up")


class LetterEncoder:
    """Vectors of letter pairs, and a count of the texts that were encoded."""

    key = "letters"

    def __init__(self) -> None:
        self.encoded = 0

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self.encoded += len(texts)
        vectors = np.zeros((len(texts), 512), dtype=np.float32)
        for row, text in enumerate(texts):
            for one, two in pairwise(text):
                vectors[row, (ord(one) * 31 + ord(two)) % 512] += 1.0
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        scaled: npt.NDArray[np.float32] = vectors / np.maximum(norms, 1e-9)
        return scaled


class Doubles:
    """The doubles of one build, and what they were asked."""

    def __init__(self, config: BuildConfig) -> None:
        self.teacher = ScriptedTeacher(default=ANSWERS)
        self.critic = TableScorer(
            {("PersonX bakes a pie", "xNeed", "to wash both hands"): 0.2}, default=0.8
        )
        self.encoder = LetterEncoder()
        self.workers = Workers(
            Inputs(config), teacher=self.teacher, critic=self.critic, encoder=self.encoder
        )


def build(config: BuildConfig, folder: Path) -> Doubles:
    doubles = Doubles(config)
    run_flow(config, folder, workers=doubles.workers)
    return doubles


HEADS = (
    "PersonX bakes a pie",
    "PersonX paints a fence",
    "PersonX plants a tree",
    "PersonX reads a map",
)


@pytest.fixture(scope="session")
def make_config(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., BuildConfig]:
    folder = tmp_path_factory.mktemp("seeds")

    def make(*settings: str, heads: int = 3) -> BuildConfig:
        # Equal names for equal seeds, so that the same settings are the same config.
        seeds = folder / f"{heads}.tsv"
        seeds.write_text("head\n" + "".join(f"{name}\n" for name in HEADS[:heads]))
        return load_config(
            None,
            settings=[
                f"seeds.files=['{seeds}']",
                "prompts.relations=[xNeed, xWant]",
                "student.is_enabled=false",
                "teacher.shard_prompts=2",
                "teacher.kept=4",
                *settings,
            ],
        )

    return make


@pytest.fixture(scope="session")
def built(
    make_config: Callable[..., BuildConfig], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Doubles]:
    """One finished run of three heads, to be read only, and the doubles that made it."""
    folder = tmp_path_factory.mktemp("built") / "run"
    return folder, build(make_config(), folder)


@pytest.fixture
def run(built: tuple[Path, Doubles], tmp_path: Path) -> Path:
    """A copy of the finished run, to go on from."""
    return shutil.copytree(built[0], tmp_path / "run")


# The beginning of a script that is killed at the write whose number is its third argument.
DIE_AT_A_REPLACE = """
import os, signal, sys
from pathlib import Path

left = int(sys.argv[3])
replace = Path.replace

def replace_or_die(self, target):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(self, target)

Path.replace = replace_or_die
"""
