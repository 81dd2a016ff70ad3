"""A label file that is open for one session: held against others, added to, never rewritten."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from kgbuild.core.errors import LabelError
from kgbuild.core.files import user_path
from kgbuild.core.labels import drop_retracted
from kgbuild.core.lines_file import LinesFile
from kgbuild.core.records import LabelledTriple
from kgbuild.core.review import read_rows


class LabelFile:
    """JSON Lines of `LabelledTriple`; what `append` was given is on disk when it returns.

    Args:
        path: Made if it is not there.

    Attributes:
        path: Where it is.
        mended: What was done about a last line that a kill cut off; empty if there was none.

    Raises:
        LabelError: If another session holds the file, or it is no label file.
        FileError: If it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = user_path(path)
        self.mended = ""
        if self.path.is_dir() or self.path.suffix != ".jsonl":
            raise LabelError(
                f"{path} is a folder or does not end in .jsonl; labels are added to a plain JSON "
                "Lines file, name one such as labels/ann.jsonl"
            )
        self._lines = LinesFile(
            self.path,
            busy=f"{path} is open in another labelling session; end that one, or give this one a "
            "file of its own with --labels",
        )
        if self._lines.taken_out:
            self.mended = (
                f"The last line of {self.path} had been cut off ({self._lines.taken_out} bytes, no "
                "whole answer) and was taken out; its question is asked again"
            )
        try:
            every = list(read_rows(self.path, LabelledTriple))
            self._standing = drop_retracted(every, where=self.path)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> LabelFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def standing(self) -> list[LabelledTriple]:
        """Give the rows that stand, oldest first."""
        return list(self._standing)

    def append(self, row: LabelledTriple) -> None:
        """Add one row; a retraction takes back the latest one of its labeller and triple.

        Raises:
            FileError: If it cannot be written; then nothing of it is left.
            LabelError: If a retraction has nothing to take back, or the file is closed.
        """
        taken = self._find(row) if row.is_retraction else None
        self._write([row])
        if taken is None:
            self._standing.append(row)
        else:
            del self._standing[taken]

    def extend(self, rows: Sequence[LabelledTriple]) -> None:
        """Add many rows, none of them a retraction, and wait for the disk once.

        Raises:
            FileError: If they cannot be written; then nothing of them is left.
            LabelError: If the file is closed.
        """
        self._write(rows)
        self._standing += rows

    def _write(self, rows: Sequence[LabelledTriple]) -> None:
        if not self._lines.is_open:
            raise LabelError(f"{self.path} is closed; open the session again")
        self._lines.append(rows)

    def close(self) -> None:
        """Let go of the file."""
        self._lines.close()

    def _find(self, row: LabelledTriple) -> int:
        """Give the place of the row that a retraction takes back."""
        for place in range(len(self._standing) - 1, -1, -1):
            old = self._standing[place]
            if (old.labeller, old.triple_id) == (row.labeller, row.triple_id):
                return place
        raise LabelError(
            f"{row.labeller} has not judged {row.sentence[:80]!r} in {self.path}; there is nothing "
            "to take back"
        )
