"""The figures of a critic, as `critic train` and `critic evaluate` print and keep them."""

from __future__ import annotations

from pydantic import Field

from kgbuild.core.records import Record
from kgbuild.critic.labels import Agreement
from kgbuild.critic.promise import Guarantee
from kgbuild.critic.thresholds import Thresholds


class Estimate(Record):
    """A figure with its 90 % bootstrap interval over heads; None where it is not defined."""

    value: float | None
    low: float | None = None
    high: float | None = None


def show_figure(figure: Estimate | float | None) -> str:
    """Give a figure in digits, with its interval where it has one; nothing for none.

    >>> show_figure(Estimate(value=0.5, low=0.25, high=0.75))
    '0.500 (0.250 to 0.750)'
    """
    if figure is None:
        return ""
    if isinstance(figure, float):
        return f"{figure:.3f}"
    if figure.value is None:
        return "undefined"
    if figure.low is None or figure.high is None:
        return f"{figure.value:.3f}"
    return f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"


class RelationFigures(Record):
    """The figures of one relation."""

    relation: str
    labels: int
    plausible: int
    kept: int
    kept_plausible: int
    threshold: float
    origin: str = Field(description="own or global threshold, unseen if it had no labels")
    auc: float | None
    calibration_error: float | None = None
    reliability: tuple[tuple[float, float, int], ...] = Field(
        default=(), description="As for all relations, of this one"
    )


class Figures(Record):
    """What was measured on one set of labels, in one way of showing them."""

    labels: int
    heads: int
    plausible: int
    auc: Estimate
    mean_relation_auc: Estimate = Field(description="Mean over relations with both classes")
    precision: Estimate = Field(description="Of the kept ones, those that are plausible")
    yielded: Estimate = Field(description="Of the plausible ones, those that are kept")
    kept_share: float
    calibration_error: float = Field(description="ECE, ten bins of equal width")
    brier: float
    relations: tuple[RelationFigures, ...]
    reliability: tuple[tuple[float, float, int], ...] = Field(
        description="A bin's mean probability, share of plausible ones and labels"
    )


class HardFigures(Record):
    """The same on the test labels that AFLite leaves: neither relation nor wording gives them away.

    What learned from all labels, the critic and the baselines alike, learned the artefacts too and
    is misled by them here, so these figures are low; what counts is how far the critic is above
    the baselines.
    """

    plain: Figures
    evidence: Figures | None
    relation_only_auc: float | None
    tail_only_auc: float | None
    likelihood_auc: float | None


class CriticReport(Record):
    """A critic's figures on test labels, which chose nothing."""

    critic: str
    trained_on: int = Field(default=0, description="Labels that fitted the weights")
    calibrated_on: int = Field(default=0, description="Labels that chose the thresholds")
    silver: int = Field(default=0, description="Judge's verdicts used")
    silver_dropped: int = Field(default=0, description="Verdicts on dev or test heads, left out")
    unsure: int = Field(default=0, description="Triples without a sure latest label, left out")
    agreement: Agreement | None = None
    target_precision: float
    thresholds: Thresholds
    guarantee: Guarantee | None = Field(
        default=None, description="What the thresholds promise, if they do"
    )
    plain: Figures = Field(description="Triples shown without the teacher's evidence")
    evidence: Figures | None = Field(description="The same with evidence, where rows have it")
    held_out: Figures | None = Field(
        default=None, description="Figures on the labels that chose the thresholds"
    )
    hard: HardFigures | None = Field(
        default=None, description="Figures on the hard test labels, where they have been found"
    )
    relation_only_auc: float | None = Field(description="Baseline: the relation's rate elsewhere")
    tail_only_auc: float | None = Field(
        default=None, description="Baseline: a linear classifier that sees the tail alone"
    )
    likelihood_auc: float | None = Field(description="Baseline: the teacher's mean log-probability")
    training_loss: tuple[float, ...] = Field(default=(), description="Mean loss of each pass")
    seconds: float | None = Field(default=None, description="Measured by the caller")
