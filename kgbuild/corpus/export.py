"""Edges become corpus rows in one fixed order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from kgbuild.core.config import CorpusConfig
from kgbuild.core.errors import StoreError
from kgbuild.core.records import CorpusRow, Edge
from kgbuild.corpus.ordering import sort_rows
from kgbuild.corpus.split import assign_split


def export_rows(edges: Iterable[Edge], *, config: CorpusConfig) -> Iterator[CorpusRow]:
    """Give one row an edge, sorted by head, relation and tail, each head in one split.

    The order depends on the text alone, so two stores with the same edges export the same
    corpus whatever order they give them in.

    Raises:
        ConfigError: If the split shares leave nothing to train on.
        StoreError: If an edge carries a number that no format can keep.
    """
    assign_split("", dev=config.dev, test=config.test)  # refuse bad shares before any work
    return sort_rows(_row(edge, config) for edge in edges)


def _row(edge: Edge, config: CorpusConfig) -> CorpusRow:
    for name in ("probability", "log_probability", "mean_log_probability"):
        if not math.isfinite(getattr(edge, name)):
            raise StoreError(
                f"The edge {edge.head!r} {edge.relation} {edge.tail!r} has {name}="
                f"{getattr(edge, name)}, which is not a finite number; rebuild the store from "
                "its run"
            )
    return CorpusRow(
        triple_id=edge.triple_id,
        head=edge.head,
        relation=edge.relation,
        tail=edge.tail,
        kind=edge.kind,
        polarity=edge.polarity,
        sentence=edge.sentence,
        probability=edge.probability,
        log_probability=edge.log_probability,
        mean_log_probability=edge.mean_log_probability,
        teacher=edge.teacher,
        source=edge.source,
        run=edge.run,
        split=assign_split(edge.head, dev=config.dev, test=config.test),
        promise=edge.promise,
    )
