"""What the shards of a run come to, as columns: counts, samples, and edges to compare."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kgbuild.core.manifest import Manifest
from kgbuild.core.relations import RelationSet, verbalise
from kgbuild.core.shards import read_columns
from kgbuild.evaluation import Sample
from kgbuild.runs.edge_tables import EdgeTables

_BINS = 10
# Comparing tails with tails is slow, and so many edges are enough for the digits that are shown.
_COMPARED = 20_000
_PROVENANCE = tuple(
    f"provenance.{name}" for name in ("clauses", "clauses_met", "teacher", "teacher_hash")
)


class JudgedCounts:
    """Counts of the judged triples of a run."""

    def __init__(self, manifest: Manifest) -> None:
        self._triples, self._verdicts = (
            manifest.stage_folder(stage) for stage in ("triples", "verdicts")
        )
        self._seed = int(manifest.stages["verdicts"].key, 16)
        self.parsed: Counter[str] = Counter()
        self.accepted: Counter[str] = Counter()
        self.bins = np.zeros(_BINS, dtype=np.int64)
        self.met = 0
        self.teacher = self.teacher_hash = ""
        for path in self._shards():
            said = read_columns(path, ("relation", *_PROVENANCE))
            verdicts = read_columns(self._verdicts / path.name, ("probability", "is_accepted"))
            self.parsed.update(said["relation"].to_pylist())
            self.accepted.update(said["relation"].filter(verdicts["is_accepted"]).to_pylist())
            places = (verdicts["probability"].to_numpy() * _BINS).astype(int)
            self.bins += np.bincount(np.minimum(places, _BINS - 1), minlength=_BINS)
            given = said["provenance"].combine_chunks()
            asked, met = (pc.struct_field(given, name) for name in ("clauses", "clauses_met"))
            self.met += pc.sum(pc.equal(asked, met)).as_py() or 0
            if not self.teacher and len(given):
                first = given[0].as_py()
                self.teacher, self.teacher_hash = first["teacher"], first["teacher_hash"]

    def _shards(self) -> list[Path]:
        return sorted(self._triples.glob("part-*.parquet"))

    @property
    def count(self) -> int:
        """The number of judged triples."""
        return self.parsed.total()

    def sample(
        self, relations: RelationSet, *, is_accepted: bool, count: int
    ) -> tuple[Sample, ...]:
        """Draw some of those that were accepted, or of the others, the same ones every time."""
        accepted = self.accepted.total()
        total = accepted if is_accepted else self.count - accepted
        places = random.Random(self._seed).sample(range(total), min(count, total))
        found: dict[int, Sample] = {}
        seen = 0
        for path in self._shards():
            verdicts = read_columns(
                self._verdicts / path.name, ("probability", "threshold", "is_accepted")
            )
            chosen = np.flatnonzero(verdicts["is_accepted"].to_numpy() == is_accepted)
            wanted = [place for place in places if seen <= place < seen + len(chosen)]
            if wanted:
                rows = pa.array([int(chosen[place - seen]) for place in wanted])
                said = read_columns(path, ("head", "relation", "tail")).take(rows).to_pylist()
                told = verdicts.take(rows).to_pylist()
                for place, triple, verdict in zip(wanted, said, told, strict=True):
                    found[place] = Sample(
                        sentence=verbalise(
                            relations.get(triple["relation"]), triple["head"], triple["tail"]
                        ),
                        relation=triple["relation"],
                        probability=verdict["probability"],
                        threshold=verdict["threshold"],
                    )
            seen += len(chosen)
        return tuple(found[place] for place in places)


class EdgeCounts:
    """Counts of the edges of a run, and the triples of so many whole heads as can be compared."""

    def __init__(self, manifest: Manifest) -> None:
        tables = EdgeTables(manifest.stage_folder("edges"))
        self.relations: Counter[str] = Counter()
        for table in tables():
            self.relations.update(table["relation"].to_pylist())
        # Ids are hashes, so the heads whose ids come first are drawn at random.
        share = min(1.0, _COMPARED / max(self.relations.total(), 1))
        last = f"{int(share * 16**8):08x}" if share < 1 else "g"
        self.triples: list[tuple[str, str, str]] = []
        for table in tables():
            near = table.filter(pc.less(table["head_id"], last))
            self.triples += zip(
                *(near[name].to_pylist() for name in ("head", "relation", "tail")), strict=True
            )
