from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from kgbuild.cli.main import app
from kgbuild.core.errors import ClauseError, ConfigError

RUN = CliRunner()


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, make_letters: Any, tmp_path: Path) -> None:
    """A random model of seventeen tokens in the place of the one that is named."""
    from tests.decoding.families import build_causal

    tokenizer = make_letters
    model = build_causal("llama", vocab=len(tokenizer), seed=2)
    monkeypatch.setattr(
        "kgbuild.decoding.load_language_model", lambda *_, **__: (model, tokenizer), raising=False
    )
    monkeypatch.setattr("kgbuild.models.resolve_model", lambda _: type("File", (), {"path": ""}))


@pytest.fixture(scope="module")
def make_letters() -> Any:
    from tests.decoding.conftest import build_tokenizer

    return build_tokenizer(
        ["a", "b", "c", " ", " a", " b", "ab", " ab", "ca", ".", "\n", "q", " q"]
    )


def test_every_prompt_is_a_line_of_json(tiny: None, tmp_path: Path) -> None:
    file = tmp_path / "prompts.txt"
    file.write_text("a b\n\nc\n")
    words = ["decode", "a", "--file", str(file), "--require", "q|ab", "--ban", "b b", "--json"]
    result = RUN.invoke(app, [*words, "--n", "2", "--count", "a=..1", "--max-new-tokens", "8"])
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["prompt"] for row in rows] == ["a", "a b", "c"]
    for row in rows:
        assert len(row["completions"]) == 2
        assert row["completions"][0]["unmet"] == []


def test_a_table_is_for_people_and_exit_code_1_for_what_is_unmet(tiny: None) -> None:
    result = RUN.invoke(app, ["decode", "a", "--require", "a b c a b", "--max-new-tokens", "2"])
    assert result.exit_code == 1
    assert "unmet clauses" in result.stdout
    assert "1 of 1 prompts" in result.stderr
    drawn = RUN.invoke(app, ["decode", "a", "--sample", "--starts-with", "q", "--ends-with", "b"])
    assert drawn.exit_code in (0, 1)
    assert "q" in drawn.stdout


def test_a_look_ahead_by_a_beam_is_asked_for(tiny: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from kgbuild.decoding import lookahead

    asked: list[tuple[str, int, int]] = []
    usual = lookahead.roll_out

    def note(*given: Any, settings: Any, **options: Any) -> Any:
        asked.append((settings.lookahead_by, settings.lookahead, settings.lookahead_beams))
        return usual(*given, settings=settings, **options)

    monkeypatch.setattr(lookahead, "roll_out", note)
    words = ["decode", "a", "--require", "q", "--max-new-tokens", "6", "--lookahead", "3"]
    result = RUN.invoke(app, [*words, "--lookahead-by", "beam", "--lookahead-beams", "2"])
    assert result.exit_code == 0, result.output
    assert set(asked) == {("beam", 3, 2)}
    assert RUN.invoke(app, [*words, "--lookahead-by", "bream"]).exit_code == 2


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        ([], ConfigError, "There is no prompt"),
        (["a", "--count", "very"], ClauseError, "write 'the|a=0..2'"),
        (["a", "--count", "very=.."], ClauseError, "write 'the|a=0..2'"),
        (["a", "--count", "very=2..1"], ClauseError, "cannot be met"),
        (["a", "--require", "ab|"], ClauseError, "is empty"),
    ],
)
def test_what_is_odd_is_said_before_a_model_is_loaded(
    words: list[str], error: type[Exception], message: str
) -> None:
    result = RUN.invoke(app, ["decode", *words])
    assert isinstance(result.exception, error)
    assert message in str(result.exception)


@pytest.mark.model
def test_the_default_model_writes_what_it_must() -> None:
    result = RUN.invoke(
        app, ["decode", "The chef", "--require", "cake|pie", "--ban", "oven", "--json"]
    )
    assert result.exit_code == 0, result.output
    (answer,) = json.loads(result.stdout)["completions"]
    assert "cake" in answer["text"] or "pie" in answer["text"]
    assert "oven" not in answer["text"]
