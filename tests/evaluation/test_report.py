import json
import re
from pathlib import Path

import pytest

from kgbuild.evaluation import (
    PromiseFacts,
    PromiseRow,
    RelationCount,
    RunFacts,
    Sample,
    StageCost,
    write_report,
)

HOSTILE = "PersonX <script>alert('x')</script> & \"more\""


def make_facts() -> RunFacts:
    estimate = {"value": 0.81, "low": 0.7, "high": 0.9}
    figures = {
        "auc": estimate,
        "precision": {"value": None, "low": None, "high": None},
        "calibration_error": 0.05,
        "labels": 300,
        "reliability": [[0.1, 0.12, 200], [0.8, 0.75, 40]],
    }
    return RunFacts(
        name=HOSTILE,
        run_id="abc",
        teacher="tiny",
        teacher_hash="0" * 64,
        counts={"asked": 10, "stored": 4},
        rejected={"critic: below_threshold": 6},
        relations=(RelationCount(relation="xWant", asked=5, parsed=10, accepted=5, stored=4),),
        scores=(1.0,) * 10,
        diversity={"distinct-1": 0.5},
        constraint_satisfaction=1.0,
        critic={"evidence": figures, "target_precision": 0.9},
        accepted=(Sample(sentence=HOSTILE, relation="xWant", probability=0.9, threshold=0.8),),
        refused=(),
        stages=(StageCost(stage="triples", seconds=3.5, peak_mib=900),),
        student_loss=(3.0, 2.5, 2.0),
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of those facts, with its JSON beside it; its charts are drawn once."""
    return write_report(make_facts(), tmp_path_factory.mktemp("report"))


def test_what_a_model_wrote_is_shown_and_never_run(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert text.count("<svg") == 4


def test_the_page_needs_no_network(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for sign in (' src="', "url(http", "<link", "@import"):
        assert sign not in text


def test_the_json_is_the_record(page: Path) -> None:
    tree = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    assert RunFacts.model_validate(tree) == make_facts()


def test_two_reports_of_the_same_facts_are_the_same_bytes(page: Path, tmp_path: Path) -> None:
    assert write_report(make_facts(), tmp_path).read_bytes() == page.read_bytes()


def test_promised_and_measured_precision_stand_side_by_side_and_a_withdrawal_is_said(
    tmp_path: Path,
) -> None:
    rows = [
        PromiseRow(
            relation=name,
            standing=standing,
            threshold=threshold,
            low=0.83,
            kept=kept,
            right=right,
            more_labels=missing,
        )
        for name, standing, threshold, kept, right, missing in (
            ("xReact", "promised", 0.72, 40, 35, None),
            ("xWant", "withdrawn", 0.8, 10, 9, None),
            ("xNeed", "refused", 1.0, 0, 0, 740),
        )
    ]
    promise = PromiseFacts(
        text="0.80@0.95 each",
        precision=0.8,
        confidence=0.95,
        rows=tuple(rows),
        advice="Label 50 heads of xWant & more",
    )
    facts = make_facts()
    bins = [[0.1, 0.12, 20], [0.8, 0.75, 4]]
    facts.critic["evidence"]["relations"] = [
        {"relation": name, "reliability": bins} for name in ("xReact", "xWant", "<b>")
    ] + [{"relation": "empty", "reliability": []}]
    text = write_report(facts.model_copy(update={"promise": promise}), tmp_path).read_text()
    cells = [re.sub("<[^>]+>", "|", line) for line in text.splitlines() if "<td>x" in line]
    assert [[cell for cell in line.split("|") if cell] for line in cells[:3]] == [
        ["xReact", "promised", "0.72", "0.8", "0.875", "40"],
        ["xWant", "withdrawn", "0.80", "0.900", "10"],
        ["xNeed", "refused", "none", "0", "740"],
    ]
    assert "Label 50 heads of xWant &amp; more" in text
    assert text.count("<svg") == 5
    assert "<b></" not in text


def test_figures_that_are_undefined_are_said_to_be(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "0.810" in text
    assert "undefined" in text
