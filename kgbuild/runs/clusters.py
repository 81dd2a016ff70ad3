"""How many triples each stored one stands for, as columns: some bytes a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
import pyarrow.parquet as pq

# An id has 20 hexadecimal digits (core.ids).
_ID = "S20"


class ClusterSizes:
    """The sizes of the clusters of a merges stage, by the id of their representative.

    Args:
        merges: Folder of the stage.
    """

    def __init__(self, merges: Path) -> None:
        owners, heads = [], []
        for path in sorted(merges.glob("part-*.parquet")):
            with pq.ParquetFile(path) as shard:
                for batch in shard.iter_batches(columns=["triple_id", "cluster_id", "reason"]):
                    is_first = pc.equal(batch["reason"], "representative")
                    heads.append(_to_ids(batch["triple_id"].filter(is_first).to_pylist()))
                    owners.append(_to_ids(batch["cluster_id"].to_pylist()))
        nothing = _to_ids([])
        self._ids = np.sort(np.concatenate([nothing, *heads]))
        self._sizes = np.zeros(len(self._ids), dtype=np.int64)
        # One merge a row, not an id: a triple that came twice counts twice.
        for chunk in owners:
            places = self._find(chunk)
            np.add.at(self._sizes, places[places >= 0], 1)
        self._is_taken = np.zeros(len(self._ids), dtype=bool)

    def __contains__(self, identity: str) -> bool:
        """Whether a triple represents a cluster."""
        return bool(self._find(_to_ids([identity]))[0] >= 0)

    def take(self, identities: Sequence[str]) -> list[int]:
        """Give the size of the cluster that each triple represents, once; otherwise nought."""
        sizes = []
        for place in self._find(_to_ids(identities)):
            is_given = place >= 0 and not self._is_taken[place]
            sizes.append(int(self._sizes[place]) if is_given else 0)
            if is_given:
                self._is_taken[place] = True
        return sizes

    def _find(self, ids: npt.NDArray[np.bytes_]) -> npt.NDArray[np.int64]:
        if not len(self._ids):
            return np.full(len(ids), -1)
        places = np.searchsorted(self._ids, ids)
        places[places == len(self._ids)] = 0
        return np.where(self._ids[places] == ids, places, -1)


def _to_ids(identities: Sequence[str]) -> npt.NDArray[np.bytes_]:
    return np.asarray(identities, dtype=_ID)
