"""What a run is worth: figures over its records, charts, and a report that is read offline.

Reads: records of every stage, a reference file for novelty. Writes: `report.json` and
`report.html`. Refuses: a reference file without head, relation and tail. All texts are escaped:
what a model wrote is shown, never run.
"""

from kgbuild.evaluation.diversity import (
    distinct_n,
    duplicate_rate,
    measure_novelty,
    near_duplicate_rate,
    self_bleu,
)
from kgbuild.evaluation.facts import (
    PromiseFacts,
    PromiseRow,
    RelationCount,
    RunFacts,
    Sample,
    StageCost,
)
from kgbuild.evaluation.report import write_report

__all__ = [
    "PromiseFacts",
    "PromiseRow",
    "RelationCount",
    "RunFacts",
    "Sample",
    "StageCost",
    "distinct_n",
    "duplicate_rate",
    "near_duplicate_rate",
    "measure_novelty",
    "self_bleu",
    "write_report",
]
