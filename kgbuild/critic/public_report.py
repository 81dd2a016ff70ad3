"""The figures of a critic on a public benchmark, beside what it has to beat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from kgbuild.core.records import Record
from kgbuild.critic.report import Estimate

Role = Literal["critic", "baseline", "reference"]


class Contestant(Record):
    """One way of telling right rows from wrong ones, measured on all of them."""

    name: str
    role: Role = Field(description="A reference's scores come with the benchmark")
    auc: Estimate
    mean_relation_auc: Estimate | None = Field(
        default=None, description="Mean over relations with both classes"
    )
    pair_accuracy: Estimate | None = Field(
        default=None, description="Pairs whose right sentence has more; a tie is half a pair"
    )
    accuracy: Estimate = Field(description="At the threshold, or at 0.5 where that is fitted")
    threshold: float | None = Field(
        default=None, description="Most accurate on the fitting rows; empty where folds have theirs"
    )
    calibration_error: float | None = Field(
        default=None, description="ECE of its probabilities as they are"
    )
    refitted_error: float | None = Field(
        default=None, description="ECE after temperature and shift are fitted to the benchmark"
    )
    groups: Mapping[str, Estimate] = Field(default={}, description="AUC of each class")
    relations: Mapping[str, float | None] = Field(default={}, description="AUC of each relation")


class PublicReport(Record):
    """A critic on one part of a public benchmark.

    A critic that was trained on the fitting part, too, has a threshold and a calibration that are
    fitted to what it knows by heart.
    """

    benchmark: str
    title: str
    part: str
    headline: str = Field(description="The figure that the benchmark is about")
    caution: str = ""
    critic: str
    rows: int
    right: int
    units: int = Field(description="Heads, entities or pairs, over which intervals are drawn")
    majority: float = Field(description="Accuracy of always giving the more frequent answer")
    skipped: Mapping[str, int] = Field(
        default={}, description="Rows left out, by the relation that the critic cannot say"
    )
    fitted_on: str = Field(description="Where thresholds, calibration and baselines come from")
    fitting_rows: int = Field(description="Rows that fitted the baselines")
    judged_fitting_rows: int = Field(
        description="Those of them that the critic judged, for its threshold and calibration"
    )
    contestants: tuple[Contestant, ...]
    seconds: float | None = Field(default=None, description="Judging, measured by the caller")
    texts_per_second: float | None = None
    peak_mib: float | None = None
