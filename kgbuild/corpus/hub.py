"""A folder that `datasets.load_dataset` opens offline: one Parquet file a split and a card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Protocol

from kgbuild.core.files import replacing_folder
from kgbuild.core.records import CorpusRow, Split
from kgbuild.corpus.card import CardFacts, write_card

_DATA = "data"
_FILES = {split: f"{split.value}.parquet" for split in Split}


class RowWriter(AbstractContextManager["RowWriter"], Protocol):
    """An open file that takes rows."""

    def add(self, row: CorpusRow) -> None:
        """Add one row."""


def write_hub_folder(
    rows: Iterable[CorpusRow],
    out: Path,
    *,
    card: CardFacts,
    open_split: Callable[[Path], RowWriter],
) -> int:
    """Write `data/<split>.parquet` and `README.md`, the whole folder or nothing.

    A split without rows gets no file, except train: a dataset without any file opens nowhere.

    Raises:
        FileError: If `out` cannot be written or holds anything but an earlier corpus.
    """
    counts: Counter[tuple[str, Split]] = Counter()
    origins: Counter[tuple[str, str]] = Counter()
    known = {"README.md", _DATA, *(f"{_DATA}/{name}" for name in _FILES.values())}
    with replacing_folder(out, known=known) as building:
        (building / _DATA).mkdir()
        with ExitStack() as stack:
            opened = {Split.TRAIN: _open(building, Split.TRAIN, stack, open_split)}
            for row in rows:
                if row.split not in opened:
                    opened[row.split] = _open(building, row.split, stack, open_split)
                opened[row.split].add(row)
                counts[row.relation, row.split] += 1
                origins[row.source, row.teacher] += 1
        splits = {split: f"{_DATA}/{_FILES[split]}" for split in Split if split in opened}
        write_card(building / "README.md", card=card, counts=counts, splits=splits, origins=origins)
    return sum(counts.values())


def _open(
    building: Path, split: Split, stack: ExitStack, open_split: Callable[[Path], RowWriter]
) -> RowWriter:
    return stack.enter_context(open_split(building / _DATA / _FILES[split]))
