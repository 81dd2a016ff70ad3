"""What people decided, as the stage that joins edges sees it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kgbuild.core.ids import content_key
from kgbuild.core.records import Rejection, Tombstone, Triple, Verdict
from kgbuild.core.review import REVIEW, ReviewLog, Tombstones, find_places, read_tombstones
from kgbuild.runs.inputs import Inputs


class RunReview:
    """The decisions that one run obeys: tombstones of other runs, then its own log.

    Args:
        folder: The run folder.
        inputs: Its config names the other runs.
    """

    def __init__(self, folder: Path, inputs: Inputs) -> None:
        self.log = ReviewLog(folder / REVIEW)
        self._others = find_places(inputs.config.store.tombstones)
        self.tombstones = Tombstones(self._read())
        self.key = self._make_key()

    def _read(self) -> Iterator[Tombstone]:
        # The run's own come later and win.
        yield from read_tombstones(self._others)
        yield from self.log.tombstones()

    def _make_key(self) -> str:
        others = [row.model_dump(mode="json") for row in read_tombstones(self._others)]
        own = self.log.key()
        return content_key([others, own]) if others or own else ""

    def reject(self, triple: Triple) -> Rejection | None:
        """Give the reason to leave a triple out, or None."""
        found = self.tombstones.find(
            triple.triple_id, teacher=triple.provenance.teacher, run=triple.provenance.run
        )
        if found is None:
            return None
        return Rejection(
            stage="review",
            reason=found.reason,
            detail=describe(found),
            head=triple.head,
            relation=triple.relation,
            text=triple.tail,
            triple_id=triple.triple_id,
        )

    def imported(self) -> Iterator[tuple[Triple, Verdict]]:
        """Give the triples that people brought, each with the verdict that a person stands for."""
        for row in self.log.triples():
            yield (
                row.triple,
                Verdict(
                    triple_id=row.triple.triple_id,
                    probability=row.probability,
                    threshold=0.0,
                    is_accepted=True,
                    critic="",
                ),
            )


def describe(tombstone: Tombstone) -> str:
    """Say who took something out, when and why.

    >>> describe(Tombstone(teacher="t", reason="undone", why="too old", by="ann", at="2026-01-02"))
    'everything of teacher t, by ann on 2026-01-02: too old'
    """
    kind, value = tombstone.selector
    what = "" if kind == "triple_id" else f"everything of {kind} {value}, "
    return f"{what}by {tombstone.by} on {tombstone.at}" + (
        f": {tombstone.why}" if tombstone.why else ""
    )
