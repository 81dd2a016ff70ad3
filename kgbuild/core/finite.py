"""Numbers that every reader can take back."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from kgbuild.core.errors import StoreError


def check_finite(edges: pa.Table) -> None:
    """Refuse edges with a number that most formats and readers cannot hold.

    Raises:
        StoreError: Names the first such edge and its number.
    """
    for field in edges.schema:
        if not pa.types.is_floating(field.type):
            continue
        wrong = pc.fill_null(pc.invert(pc.is_finite(edges[field.name])), False)
        if pc.any(wrong).as_py():
            edge = edges.filter(wrong).slice(0, 1).to_pylist()[0]
            raise StoreError(
                f"The edge {edge['head']!r} {edge['relation']} {edge['tail']!r} has {field.name}="
                f"{edge[field.name]}, which is not a finite number; rebuild the store from its run"
            )
