"""The way back: what people decide goes into the run's review, and the graph follows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field

from kgbuild.core.errors import LabelError, StoreError, did_you_mean
from kgbuild.core.files import hash_file
from kgbuild.core.manifest import read_manifest
from kgbuild.core.progress import QUIET, Progress
from kgbuild.core.records import Record, Rejection, Tombstone
from kgbuild.core.review import PendingBatch
from kgbuild.corpus.incoming import read_incoming
from kgbuild.runs import storing
from kgbuild.runs.decisions import Decider
from kgbuild.runs.folder import RunFolder
from kgbuild.runs.graph_columns import GraphColumns
from kgbuild.runs.inputs import Inputs
from kgbuild.runs.reviewed import RunReview


class ReviewSummary(Record):
    """What an import or undo did."""

    run: str = Field(description="Path of the run folder")
    batch: str = Field(default="", description="Key of the batch; empty: nothing was new")
    labels: int = 0
    tombstones: int = 0
    triples: int = Field(default=0, description="Triples that people brought")
    unchanged: int = Field(default=0, description="Rows that said nothing new")
    still_out: int = Field(default=0, description="Rows whose triple was taken out before")
    left_out: dict[str, int] = Field(default={}, description="Rows left out, by reason")
    edges_before: int = 0
    edges: int = 0


class Review:
    """A finished run, open for decisions.

    Args:
        folder: The run folder.
        by: Who decides.
        progress: Who is told.
    """

    def __init__(self, folder: Path, *, by: str, progress: Progress | None = None) -> None:
        self._by = by.strip()
        if not self._by:
            raise LabelError("--by is empty; say who decides, such as --by ann")
        self._progress = progress or QUIET
        config = read_manifest(folder).read_config()
        self._inputs = Inputs(config)
        self._run = RunFolder(folder, config=config)
        self._at = datetime.now(UTC).isoformat(timespec="seconds")

    @contextmanager
    def _opened(self) -> Iterator[tuple[RunReview, GraphColumns]]:
        """Hold the run and give what was decided so far and its graph."""
        with self._run.locked():
            # A build starts with no stage; here they stay as the last build left them.
            self._run.manifest = read_manifest(self._run.path)
            graph = GraphColumns(self._run.manifest.stage_folder("edges"))
            yield RunReview(self._run.path, self._inputs), graph

    def import_file(
        self,
        file: Path,
        *,
        format: str | None = None,
        guideline: int = 1,
        skip_unknown: bool = False,
    ) -> ReviewSummary:
        """Take a file's triples and answers, all of them or none.

        Raises:
            LabelError: With file and line, if a row breaks a rule; nothing is changed then.
            RelationError: With file and line, if a relation is unknown.
        """
        with self._opened() as (review, graph):
            sha256 = hash_file(file) if file.is_file() else ""
            with review.log.adding("import", source=file.name, sha256=sha256) as batch:
                decider = Decider(
                    review,
                    graph,
                    batch,
                    relations=self._inputs.all_relations,
                    by=self._by,
                    at=self._at,
                    guideline=guideline,
                )
                rows = read_incoming(
                    file,
                    relations=self._inputs.all_relations,
                    format=format,
                    skip_unknown=skip_unknown,
                )
                for row in rows:
                    if isinstance(row, Rejection):
                        decider.leave_out(row)
                    else:
                        decider.decide(row)
                if decider.has_decided:
                    batch.commit(by=self._by, at=self._at)
            return self._finish(
                batch,
                graph,
                unchanged=decider.unchanged,
                still_out=decider.still_out,
                left_out=dict(sorted(decider.left_out.items())),
            )

    def undo(
        self,
        *,
        why: str,
        run: str = "",
        teacher: str = "",
        triple: str = "",
        is_restored: bool = False,
    ) -> ReviewSummary:
        """Take a triple, or all of a teacher or a run, out of the graph, or let it in again.

        Raises:
            LabelError: If not exactly one of them is named, or no reason is given.
            StoreError: If the graph knows nothing of that name; the message has the nearest.
        """
        chosen = [
            (kind, value)
            for kind, value in (("triple_id", triple), ("teacher", teacher), ("run", run))
            if value
        ]
        if len(chosen) != 1:
            raise LabelError("Name exactly one of --run, --teacher and --triple")
        if not why.strip():
            raise LabelError("--why is empty; say in a few words why, it is kept with the triples")
        kind, value = chosen[0]
        with self._opened() as (review, graph):
            tombstone = self._tombstone(kind, value, why.strip(), graph, is_restored=is_restored)
            held = review.tombstones.of(kind, value)
            matching = graph.count(kind, value)
            if held is None and not matching:
                self._refuse_unknown(kind, value, review, graph, is_restored=is_restored)
            is_new = held is not None if is_restored else held is None or bool(matching)
            with review.log.adding("undo", source=f"{kind} {value}") as batch:
                if is_new:
                    batch.add(tombstone)
                    batch.commit(by=self._by, at=self._at, why=why.strip())
            return self._finish(batch, graph)

    def _tombstone(
        self, kind: str, value: str, why: str, graph: GraphColumns, *, is_restored: bool
    ) -> Tombstone:
        texts = graph.texts(value) if kind == "triple_id" else {}
        return Tombstone.model_validate(
            {
                kind: value,
                **texts,
                "is_lifted": is_restored,
                "reason": "restored" if is_restored else "undone",
                "why": why,
                "by": self._by,
                "at": self._at,
            }
        )

    def _refuse_unknown(
        self, kind: str, value: str, review: RunReview, graph: GraphColumns, *, is_restored: bool
    ) -> None:
        if is_restored and any(row.selector == (kind, value) for row in review.log.tombstones()):
            return  # Restored before; nothing is left to do.
        known = graph.values(kind)
        option = {"triple_id": "--triple", "teacher": "--teacher", "run": "--run"}[kind]
        hint = did_you_mean(value, known if kind != "triple_id" else ())
        listed = f" The graph has {', '.join(known[:5])}." if kind != "triple_id" and known else ""
        raise StoreError(
            f"{option} {value[:80]!r}: no edge of {self._run.path} has this {kind}"
            f"{hint or '.'}{listed} kgbuild query tails HEAD --json shows the ids, teacher and run "
            "of edges."
        )

    def _finish(self, batch: PendingBatch, graph: GraphColumns, **counted: object) -> ReviewSummary:
        """Make the stages behind the decisions again, as a build would; also after a crash."""
        manifest = self._run.manifest
        edges = storing.join_edges(
            self._run,
            self._inputs,
            *(manifest.stage_folder(name) for name in ("triples", "verdicts", "merges")),
        )
        storing.store(self._run, self._inputs, edges, progress=self._progress)
        storing.write_corpora(self._run, self._inputs, edges)
        self._run.save()
        counts = batch.counts if batch.marker is not None else {}
        return ReviewSummary.model_validate(
            {
                "run": str(self._run.path),
                "batch": batch.batch if batch.marker is not None else "",
                **{name: counts.get(name, 0) for name in ("labels", "tombstones", "triples")},
                **counted,
                "edges_before": graph.edges,
                "edges": self._run.manifest.stages["edges"].counts["edges"],
            }
        )
