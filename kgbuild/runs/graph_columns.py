"""The edges of a run as columns, for those who ask about some of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_COLUMNS = (
    "triple_id",
    "head",
    "relation",
    "tail",
    "teacher",
    "run",
    "log_probability",
    "mean_log_probability",
    "prior_log_probability",
    "tokens",
)


class GraphColumns:
    """The edges of a run, by id, as columns: a row becomes Python objects when it is asked for."""

    def __init__(self, folder: Path) -> None:
        paths = sorted(folder.glob("part-*.parquet"))
        tables = [pq.read_table(path, columns=list(_COLUMNS)) for path in paths]
        self._table = pa.concat_tables(tables).combine_chunks()
        ids = self._table["triple_id"].to_pylist()
        self._places = {identity: place for place, identity in enumerate(ids)}

    @property
    def edges(self) -> int:
        """The number of edges."""
        return len(self._places)

    def __contains__(self, identity: object) -> bool:
        return identity in self._places

    def row(self, identity: str) -> dict[str, Any] | None:
        """Give the columns of one edge."""
        place = self._places.get(identity)
        if place is None:
            return None
        found: dict[str, Any] = self._table.slice(place, 1).to_pylist()[0]
        return found

    def texts(self, identity: str) -> dict[str, str]:
        """Give head, relation and tail of one edge, or nothing."""
        row = self.row(identity)
        return {name: row[name] for name in ("head", "relation", "tail")} if row else {}

    def values(self, column: str) -> list[str]:
        """Give the distinct values of a column."""
        found: list[str] = sorted(self._table[column].unique().to_pylist())
        return found

    def count(self, column: str, value: str) -> int:
        """Count the edges with a value."""
        return int(pc.sum(pc.equal(self._table[column], value)).as_py() or 0)
