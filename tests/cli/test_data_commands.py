from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kgbuild.cli.data_commands import dedup_app
from kgbuild.core.errors import RunError
from tests.conftest import ANSWERS, THRESHOLD

MERGED = next(answer for answer in ANSWERS if answer[4])
REJECTED = next(answer for answer in ANSWERS if answer[3] < THRESHOLD)


def test_a_merged_tail_is_shown_behind_the_one_that_stands_for_it(made_run: Path) -> None:
    head, relation, tail, _, representative = MERGED
    words = [head, relation, tail, "--run", str(made_run), "--json"]
    # A single command is the app itself, so its name is left out.
    result = CliRunner().invoke(dedup_app, words, catch_exceptions=False)
    members = json.loads(result.stdout)
    assert [member["tail"] for member in members] == [representative, tail]
    assert [member["reason"] for member in members] == ["representative", "semantic"]
    assert [member["similarity"] for member in members] == [1.0, 0.93]


def test_a_triple_that_was_not_accepted_has_no_cluster(made_run: Path) -> None:
    head, relation, tail, _, _ = REJECTED
    with pytest.raises(RunError, match="accepted no triple.*kgbuild why"):
        CliRunner().invoke(
            dedup_app, [head, relation, tail, "--run", str(made_run)], catch_exceptions=False
        )
