"""The run folder: a folder for each stage and key, a marker written last, and a manifest.

`RUN/stages/<stage>/<key>/` holds shards; `done.json` in it says that they are whole. A stage whose
key is unchanged is found again, whichever build made it.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from kgbuild.core.config import BuildConfig, plain
from kgbuild.core.errors import RunError
from kgbuild.core.files import read_json, write_error, write_json
from kgbuild.core.ids import content_key
from kgbuild.core.manifest import (
    MANIFEST_NAME,
    Manifest,
    StageEntry,
    read_manifest,
    write_manifest,
)
from kgbuild.core.version import __version__

Counts = dict[str, int]
_DONE = "done.json"


class RunFolder:
    """One run on disk, open for building.

    Attributes:
        made: Names of the stages that this build had to make.
    """

    def __init__(self, path: Path, *, config: BuildConfig) -> None:
        self.path = path
        self.made: list[str] = []
        if path.is_file():
            raise RunError(
                f"{path} is a file, and a run needs a folder of its own; to leave out what a graph "
                "file holds, name it in dedup.against (--against)"
            )
        if (path / MANIFEST_NAME).exists():
            self.manifest = read_manifest(path)
            self._refuse_other_origin(config)
        else:
            self._refuse_foreign(path)
            self.manifest = Manifest(run_id="", version=__version__, config={}, folder=path)
        self.manifest = self.manifest.model_copy(update={"config": plain(config), "stages": {}})

    def _refuse_other_origin(self, config: BuildConfig) -> None:
        """Keep a teacher's graph from being displaced by one of files, and the other way round."""
        was_filed = bool(self.manifest.config.get("candidates", {}).get("files"))
        if was_filed == bool(config.candidates.files):
            return
        origin = "came from files" if was_filed else "a teacher wrote"
        raise RunError(
            f"{self.path} is a run whose triples {origin}, and these would take the place of its "
            "graph; name a new folder with --run or --into, and the old one in dedup.against "
            "(--against) to leave out what it holds. kgbuild push brings both into one graph"
        )

    @staticmethod
    def _refuse_foreign(path: Path) -> None:
        strangers = [
            entry.name
            for entry in (path.iterdir() if path.is_dir() else [])
            if entry.name not in ("stages", "review", ".lock")
            and not entry.name.startswith(".manifest")
        ]
        if strangers:
            raise RunError(
                f"{path} holds {sorted(strangers)[0]!r} and no {MANIFEST_NAME}: it is not a run "
                "folder; name an empty or new folder with --run"
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder against a second build.

        Raises:
            RunError: If another process is building there.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_error(self.path, error) from error
        lock = FileLock(self.path / ".lock")
        try:
            with lock.acquire(timeout=0):
                yield
        except Timeout as error:
            raise RunError(
                f"{self.path} is being built by another process; wait for it or build elsewhere "
                "with --run"
            ) from error

    def name_run(self, run_id: str) -> None:
        """Set the run's id, known once its prompts are."""
        self.manifest = self.manifest.model_copy(update={"run_id": run_id})

    def stage(
        self,
        name: str,
        inputs: Any,
        make: Callable[[Path], Counts],
        *,
        output: str = "",
    ) -> Path:
        """Give the output folder of a stage, making it only if it is not there.

        Args:
            name: The stage.
            inputs: All that the output depends on; its key is taken from it.
            make: Fills the folder and counts what went through. Called again after an
                interruption, it must go on from the shards that are there.
            output: A file below the folder that is the output, if it is not the folder.
        """
        key = content_key([name, inputs])
        folder = self.path / "stages" / name / key
        done = folder / _DONE
        if not done.exists():
            folder.mkdir(parents=True, exist_ok=True)
            started = time.monotonic()
            counts = make(folder)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            write_json(
                done,
                {
                    "counts": counts,
                    "seconds": round(time.monotonic() - started, 3),
                    "peak_mib": round(peak, 1),
                },
            )
            self.made.append(name)
        facts = read_json(done)
        place = (folder / output if output else folder).relative_to(self.path)
        self.manifest = self.manifest.with_stage(
            name, StageEntry(key=key, folder=os.fspath(place), **facts)
        )
        return self.path / place

    def key(self, stage: str) -> str:
        """Give the key of a stage that this build has been through."""
        return self.manifest.stages[stage].key

    def save(self) -> None:
        """Write the manifest, if it says anything new."""
        write_manifest(self.manifest)
