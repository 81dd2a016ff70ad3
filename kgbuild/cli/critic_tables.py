"""A critic's report as tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kgbuild.cli.output import print_table

if TYPE_CHECKING:
    from kgbuild.critic import CriticReport, Figures, HardFigures


def print_report(report: CriticReport) -> None:
    """Print the figures of all test labels, of the hard ones, and of each relation."""
    print_table(f"Critic {report.critic}", ("figure", "value", "90 % interval"), _rows(report))
    figures = report.evidence or report.plain
    print_table(
        "Relations",
        ("relation", "labels", "plausible", "kept", "right", "threshold", "AUC"),
        [
            (one.relation, one.labels, one.plausible, one.kept, one.kept_plausible,
             f"{one.threshold:.2f} {one.origin}", "" if one.auc is None else f"{one.auc:.3f}")
            for one in figures.relations
        ],
    )  # fmt: skip


def _rows(report: CriticReport) -> list[tuple[str, str, str]]:
    rows = [("labels that trained it", str(report.trained_on), "")]
    rows += _figures(report.evidence, "") + _figures(report.plain, ", text alone")
    rows += _baselines(report, "")
    if report.hard is not None:
        shown = report.hard.evidence or report.hard.plain
        rows += _figures(shown, ", hard part") + _baselines(report.hard, ", hard part")
    if report.agreement is not None:
        rows.append(("kappa of judging twice", _show(report.agreement.kappa_accepted), ""))
    return rows


def _figures(figures: Figures | None, how: str) -> list[tuple[str, str, str]]:
    if figures is None:
        return []
    estimates = (
        ("AUC", figures.auc),
        ("mean AUC of relations", figures.mean_relation_auc),
        ("precision at the thresholds", figures.precision),
        ("yield: plausible triples kept", figures.yielded),
    )
    return [
        *((title + how, _show(found.value), f"{_show(found.low)} to {_show(found.high)}")
          for title, found in estimates),
        ("expected calibration error" + how, _show(figures.calibration_error), ""),
        ("test labels" + how, str(figures.labels), ""),
    ]  # fmt: skip


def _baselines(report: CriticReport | HardFigures, how: str) -> list[tuple[str, str, str]]:
    return [
        ("AUC of the relation alone" + how, _show(report.relation_only_auc), ""),
        ("AUC of the tail alone" + how, _show(report.tail_only_auc), ""),
        ("AUC of the teacher's likelihood" + how, _show(report.likelihood_auc), ""),
    ]


def _show(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
