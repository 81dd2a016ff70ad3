"""What people decided about a run: labels, tombstones and triples of their own.

`RUN/review/` holds one batch for each import or undo that changed something. A batch is a file in
each of the folders `labels`, `tombstones`, `triples` and `rejected`, all with the batch's number,
and a marker `NNNNN.json` that is written last: a batch without a marker never happened. Batches
are only ever added, so what was decided, by whom and why stays readable.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO, TypeVar

from pydantic import Field, ValidationError

from kgbuild.core.errors import ConfigError, LabelError
from kgbuild.core.files import hash_file, read_json, replacing, write_json
from kgbuild.core.ids import content_key
from kgbuild.core.records import LabelledTriple, Record, Rejection, Tombstone, Triple

R = TypeVar("R", bound=Record)

REVIEW = "review"
_WIDTH = 5


class ImportedTriple(Record):
    """A triple that people brought, with the probability that it is to have in the graph."""

    triple: Triple
    probability: float = Field(ge=0, le=1)


class Batch(Record):
    """The marker of one batch."""

    number: int = Field(ge=1)
    batch: str = Field(description="Key of the batch; triples that it brought bear it as their run")
    command: str = Field(description="import or undo")
    source: str = Field(default="", description="The imported file")
    sha256: str = Field(default="", description="Hash of the imported file")
    by: str
    at: str = Field(description="UTC time, ISO 8601")
    why: str = ""
    counts: dict[str, int] = Field(default={}, description="Rows written, by folder")


_KINDS: dict[str, type[Record]] = {
    "labels": LabelledTriple,
    "tombstones": Tombstone,
    "triples": ImportedTriple,
    "rejected": Rejection,
}


class PendingBatch:
    """A batch that is being written.

    Attributes:
        batch: Its key.
        counts: Rows written so far, by folder.
        marker: Set by `commit`.
    """

    def __init__(self, files: dict[str, TextIO], facts: dict[str, int | str]) -> None:
        self._files = files
        self._facts = facts
        self.batch = str(facts["batch"])
        self.counts = dict.fromkeys(files, 0)
        self.marker: Batch | None = None

    def add(self, row: Record) -> None:
        """Add a label, a tombstone, a triple or a rejection."""
        name = next(name for name, kind in _KINDS.items() if isinstance(row, kind))
        self._files[name].write(row.model_dump_json() + "\n")
        self.counts[name] += 1

    def commit(self, *, by: str, at: str, why: str = "") -> None:
        """Let the batch count when its block ends; without this nothing is left of it."""
        self.marker = Batch.model_validate(
            {**self._facts, "by": by, "at": at, "why": why, "counts": self.counts}
        )


class ReviewLog:
    """The batches of one run.

    Args:
        folder: `RUN/review`; it need not be there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def batches(self) -> list[Batch]:
        """Give the markers, oldest first.

        Raises:
            LabelError: If one is broken.
        """
        return [self._marker(path) for path in sorted(self.folder.glob("[0-9]*.json"))]

    @staticmethod
    def _marker(path: Path) -> Batch:
        try:
            return Batch.model_validate(read_json(path))
        except ValidationError as error:
            raise LabelError(f"{path} is not the marker of a review batch; restore it") from error

    def labels(self, *, about: str = "") -> Iterator[LabelledTriple]:
        """Give every label, or those whose line holds a word such as a triple's id."""
        return self._rows("labels", LabelledTriple, about)

    def tombstones(self) -> Iterator[Tombstone]:
        """Give every tombstone, oldest first."""
        return self._rows("tombstones", Tombstone, "")

    def triples(self, *, about: str = "") -> Iterator[ImportedTriple]:
        """Give every imported triple; `about` as for `labels`."""
        return self._rows("triples", ImportedTriple, about)

    def key(self) -> str:
        """Give a key of all that changes the graph; empty if nothing does."""
        hashes = [
            hash_file(path)
            for batch in self.batches()
            for kind in ("tombstones", "triples")
            if batch.counts.get(kind) and (path := self._file(kind, batch.number))
        ]
        return content_key(hashes) if hashes else ""

    @contextmanager
    def adding(self, command: str, *, source: str = "", sha256: str = "") -> Iterator[PendingBatch]:
        """Open a new batch; nothing of it counts until `PendingBatch.commit`."""
        earlier = self.batches()
        number = earlier[-1].number + 1 if earlier else 1
        facts: dict[str, int | str] = {
            "number": number,
            "batch": f"{command}-{content_key([number, command, source, sha256])[:12]}",
            "command": command,
            "source": source,
            "sha256": sha256,
        }
        with ExitStack() as stack:
            files = {kind: stack.enter_context(self._open(kind, number, stack)) for kind in _KINDS}
            pending = PendingBatch(files, facts)
            yield pending
        # Each file has its name now; the marker makes them count.
        for kind in _KINDS:
            if pending.marker is None or not pending.counts[kind]:
                self._file(kind, number).unlink(missing_ok=True)
        if pending.marker is not None:
            marker = self.folder / f"{number:0{_WIDTH}}.json"
            write_json(marker, pending.marker.model_dump(mode="json"))

    def _open(self, kind: str, number: int, stack: ExitStack) -> TextIO:
        temporary = stack.enter_context(replacing(self._file(kind, number)))
        return temporary.open("w", encoding="utf-8", newline="\n")

    def _file(self, kind: str, number: int) -> Path:
        return self.folder / kind / f"{number:0{_WIDTH}}.jsonl"

    def _rows(self, kind: str, record: type[R], about: str) -> Iterator[R]:
        for batch in self.batches():
            if batch.counts.get(kind):
                yield from read_rows(self._file(kind, batch.number), record, about=about)


def read_rows(path: Path, record: type[R], *, about: str = "") -> Iterator[R]:
    """Read JSON Lines of one kind of record, a line at a time.

    Raises:
        LabelError: With file and line, if the file is missing or a line is something else.
    """
    number = 0
    try:
        with path.open(encoding="utf-8", newline="\n") as lines:
            for line in lines:
                number += 1
                if about in line:
                    yield record.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the line"
        raise LabelError(
            f"{path}:{number} is no {record.__name__}: {place}: {first['msg']}; restore the file, "
            "these lines are never edited"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise LabelError(f"{path}:{number + 1} cannot be read: {error}") from error


def find_places(names: Iterable[str]) -> list[Path]:
    """Give the runs, reviews and tombstone files that `store.tombstones` names.

    Raises:
        ConfigError: If one does not exist.
    """
    places = []
    for name in names:
        try:
            place = Path(name).expanduser()
        except RuntimeError:
            place = Path(name)  # ~nobody, who has no home here.
        if not place.exists():
            raise ConfigError(
                f"store.tombstones names {name}, which does not exist; name a run folder or a "
                "tombstone file, or take it out"
            )
        places.append(place)
    return places


def read_tombstones(places: Iterable[Path]) -> Iterator[Tombstone]:
    """Give the tombstones of run folders, review folders or `.jsonl` files, in this order.

    Raises:
        LabelError: If a place is none of them.
    """
    for place in places:
        if place.is_file():
            yield from read_rows(place, Tombstone)
        elif (place / REVIEW).is_dir():
            yield from ReviewLog(place / REVIEW).tombstones()
        elif (place / "tombstones").is_dir():
            yield from ReviewLog(place).tombstones()
        elif not place.is_dir():
            raise LabelError(f"{place} does not exist; name a run folder or a tombstone file")


class Tombstones:
    """Which triples are out, told from tombstones in the order in which they were written.

    A lifted tombstone counts no more. A lifted tombstone of a single triple also lets it in
    against all that was written before about its teacher or run.
    """

    def __init__(self, rows: Iterable[Tombstone]) -> None:
        self._latest: dict[tuple[str, str], tuple[int, Tombstone]] = {}
        for place, row in enumerate(rows):
            self._latest[row.selector] = (place, row)

    def __bool__(self) -> bool:
        return bool(self._latest)

    def of(self, kind: str, value: str) -> Tombstone | None:
        """Give the tombstone of exactly one triple, teacher or run, if it counts."""
        _, row = self._latest.get((kind, value), (0, None))
        return None if row is None or row.is_lifted else row

    def find(self, triple_id: str, *, teacher: str, run: str) -> Tombstone | None:
        """Give the newest tombstone that keeps a triple out, or None."""
        own = self._latest.get(("triple_id", triple_id))
        since = own[0] if own is not None and own[1].is_lifted else -1
        found = [
            entry
            for entry in (
                own,
                self._latest.get(("teacher", teacher)),
                self._latest.get(("run", run)),
            )
            if entry is not None and not entry[1].is_lifted and entry[0] > since
        ]
        return max(found, key=lambda entry: entry[0])[1] if found else None
