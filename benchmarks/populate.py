"""Filing triples from elsewhere: rate and memory of the whole chain.

    python benchmarks/populate.py 1000000                 a critic that costs nothing
    python benchmarks/populate.py 4000 --critic trained   the default critic and encoder
    python benchmarks/populate.py 1000000 --kill 60       killed after a minute, then continued

The candidates are made up for the cheap critic, which accepts two of three, and labelled triples of
`data/labels/` for the trained one. Each run is a process of its own; its peak memory is that of the
process, temporary files that are mapped into it included.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import random
import resource
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kgbuild.core.config import BuildConfig
from kgbuild.core.config_file import load_config
from kgbuild.core.manifest import read_manifest
from kgbuild.critic import Candidate, Opinion, Thresholds, read_labels, settle_labels
from kgbuild.runs import run_flow
from kgbuild.runs.filing import make_filing_config
from kgbuild.runs.inputs import Inputs, find_inputs
from kgbuild.runs.workers import Workers

_TAILS = 5
_RELATIONS = ("xWant", "xNeed", "xEffect", "xReact", "xIntent")
_STARTS = ("b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t")
_ENDS = ("ale", "ine", "ora", "usk", "et", "im", "ond", "ar", "elp", "ix")


class HashCritic:
    """Gives every triple a probability that follows from its words, at once."""

    key = "hash"
    thresholds = Thresholds(default=1 / 3)

    def score(self, candidates: Sequence[Candidate]) -> list[Opinion]:
        """Judge candidates, in their order."""
        return [
            Opinion((_number(f"{one.head} {one.relation} {one.tail}") % 998 + 1) / 1000, 0.0)
            for one in candidates
        ]


class HashEncoder:
    """Gives a text one of many directions that follow from its words."""

    key = "hash"

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Give one row a text."""
        seeds = [_number(text) % 2**32 for text in texts]
        rows = [np.random.default_rng(seed).standard_normal(32) for seed in seeds]
        vectors = np.asarray(rows, dtype=np.float32).reshape(-1, 32)
        scaled: npt.NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return scaled


def main() -> None:
    """Write the candidates, file them, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", type=int)
    parser.add_argument("--critic", choices=("hash", "trained"), default="hash")
    parser.add_argument("--kill", type=float, help="seconds after which the first start is killed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file, into = Path(folder) / "candidates.tsv", Path(folder) / "run"
        lines = _made_up(options.rows) if options.critic == "hash" else _labelled(options.rows)
        with file.open("w", encoding="utf-8") as written:
            written.writelines("\t".join(line) + "\n" for line in lines)
        print(f"{options.rows:,} rows, {file.stat().st_size / 2**20:.0f} MiB", flush=True)
        config = make_filing_config(load_config(None, settings=["corpus.formats=[tsv]"]), [file])
        if options.kill:
            killed = _start(config, into, options.critic)
            killed.join(options.kill)
            killed.kill()
            killed.join()
            assert killed.exitcode == -signal.SIGKILL, "it was over before it was to be killed"
            shards = len(list(into.glob("stages/*/*/part-*.parquet")))
            print(f"killed after {options.kill:.0f} s with {shards} shards", flush=True)
        started = time.monotonic()
        child = _start(config, into, options.critic)
        child.join()
        seconds = time.monotonic() - started
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(f"{seconds:.1f} s, {used.ru_utime + used.ru_stime:.1f} s of CPU with any killed "
              f"start; {options.rows / seconds:,.0f} rows a second; peak of the process "
              f"{used.ru_maxrss / 2**20:.2f} GiB\n")  # fmt: skip
        print("| stage | seconds | rows a second | peak so far, MiB | counts |")
        print("|---|---|---|---|---|")
        for name, entry in read_manifest(into).stages.items():
            counts = ", ".join(f"{word} {count:,}" for word, count in entry.counts.items())
            rate = options.rows / max(entry.seconds, 1e-3)
            print(f"| {name} | {entry.seconds:.1f} | {rate:,.0f} | {entry.peak_mib:,.0f} "
                  f"| {counts} |")  # fmt: skip


def _start(config: BuildConfig, into: Path, critic: str) -> multiprocessing.Process:
    process = multiprocessing.get_context("spawn").Process(target=run, args=(config, into, critic))
    process.start()
    return process


def run(config: BuildConfig, into: Path, critic: str) -> None:
    """File the candidates."""
    inputs = Inputs(config)
    workers = Workers(inputs)
    if critic == "hash":
        workers = Workers(inputs, critic=HashCritic(), encoder=HashEncoder())
    run_flow(config, into, workers=workers)


def _made_up(rows: int) -> Iterator[tuple[str, ...]]:
    """Give heads with a handful of tails each; of ten tails one is said before, and one nearly."""
    chance = random.Random(3)
    words = [start + end for start in _STARTS for end in _ENDS]
    tail = ""
    for row in range(rows):
        verb, noun = words[row // _TAILS % 120], words[row // (_TAILS * 120) % 120]
        head = f"PersonX {verb}s the {noun} {row // (_TAILS * 120 * 120)}"
        draw = chance.random() if row % _TAILS else 1.0
        if draw >= 0.25:
            tail = f"to {chance.choice(words)} a {chance.choice(words)} {chance.choice(words)}"
        elif draw >= 0.125:
            tail = tail.replace(" a ", " the ")
        relation = _RELATIONS[row // _TAILS % len(_RELATIONS)]
        yield head, relation, tail, f"{chance.random():.3f}"


def _labelled(rows: int) -> Iterator[tuple[str, ...]]:
    labels = settle_labels(read_labels(find_inputs(load_config(None).critic.labels)))
    for row in random.Random(3).sample(labels, rows):
        yield row.head, row.relation, row.tail


def _number(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


if __name__ == "__main__":
    main()
