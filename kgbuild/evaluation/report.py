"""The door of the room: facts in, `report.json` and `report.html` out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kgbuild.core.files import write_json, write_text
from kgbuild.evaluation.charts import (
    draw_bars,
    draw_curve,
    draw_histogram,
    draw_reliabilities,
    draw_reliability,
)
from kgbuild.evaluation.facts import RunFacts

_TEMPLATE = Path(__file__).with_name("report.html.jinja")


def write_report(facts: RunFacts, folder: Path) -> Path:
    """Write both reports into a folder and give the path of the page."""
    write_json(folder / "report.json", facts.model_dump(mode="json"))
    page = folder / "report.html"
    write_text(page, render(facts))
    return page


def render(facts: RunFacts) -> str:
    """Give the page: one file, readable offline, no script in it."""
    from jinja2 import Environment, StrictUndefined

    figures = _figures(facts)
    names = [one.relation for one in facts.relations]
    charts = {
        "relations": draw_bars(
            names,
            [
                ("parsed", [one.parsed for one in facts.relations]),
                ("accepted", [one.accepted for one in facts.relations]),
                ("stored", [one.stored for one in facts.relations]),
            ],
        ),
        "reliability": draw_reliability(
            [(row[0], row[1], row[2]) for row in figures.get("reliability", [])]
        ),
        "relation_reliability": draw_reliabilities(
            [
                (str(one["relation"]), [(row[0], row[1], row[2]) for row in one["reliability"]])
                for one in _drawn(figures)
            ]
        )
        if _drawn(figures)
        else "",
        "scores": draw_histogram(facts.scores, label="probability"),
        "student": draw_curve(facts.student_loss, label="loss"),
    }
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return template.render(facts=facts, charts=charts, critic_rows=_critic_rows(facts, figures))


def _figures(facts: RunFacts) -> dict[str, Any]:
    return facts.critic.get("evidence") or facts.critic.get("plain") or {}


def _drawn(figures: dict[str, Any]) -> list[dict[str, Any]]:
    # Reports of earlier critics have none.
    return [one for one in figures.get("relations", []) if one.get("reliability")]


def _critic_rows(facts: RunFacts, figures: dict[str, Any]) -> list[tuple[str, str, str]]:
    rows = [
        (title, _number(found["value"]), f"{_number(found['low'])} to {_number(found['high'])}")
        for title, name in (
            ("AUC", "auc"),
            ("mean AUC of relations", "mean_relation_auc"),
            ("precision at the thresholds", "precision"),
            ("yield: plausible triples kept", "yielded"),
        )
        if (found := figures.get(name))
    ]
    rows += [
        (title, _number(figures.get(name)), "")
        for title, name in (
            ("expected calibration error", "calibration_error"),
            ("labels", "labels"),
        )
    ]
    rows.append(("precision that was aimed at", _number(facts.critic.get("target_precision")), ""))
    return rows


def _number(value: float | int | None) -> str:
    if value is None:
        return "undefined"
    return str(value) if isinstance(value, int) else f"{value:.3f}"
