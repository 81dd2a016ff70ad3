"""The README cannot fall behind the commands, the rooms or the schemas."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import typer
from typer.testing import CliRunner

from kgbuild.cli.main import app
from kgbuild.core.schemas import export_schemas

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def list_commands() -> dict[str, list[str]]:
    """Every command with its subcommands."""
    root = typer.main.get_command(app)
    return {
        name: sorted(getattr(command, "commands", {})) for name, command in root.commands.items()
    }  # type: ignore[attr-defined]


def test_every_command_has_help() -> None:
    runner = CliRunner()
    for name, inner in list_commands().items():
        for words in ([name], *([name, one] for one in inner)):
            result = runner.invoke(app, [*words, "--help"])
            assert result.exit_code == 0, words
            assert len(result.output) > 80, words


def test_every_command_has_a_readme_line() -> None:
    lines = [line for line in README.splitlines() if line.startswith("| `kgbuild ")]
    for name, inner in list_commands().items():
        line = next((line for line in lines if re.match(rf"\| `kgbuild {name}\b", line)), None)
        assert line, f"README has no table row for kgbuild {name}"
        for one in inner:
            assert f"`{one}" in line, f"README's row of kgbuild {name} does not name {one}"


def test_the_room_table_names_every_room_and_no_other() -> None:
    rooms = {
        folder.name for folder in (ROOT / "kgbuild").iterdir() if (folder / "__init__.py").exists()
    }
    assert set(re.findall(r"^\| `kgbuild/(\w+)` \|", README, re.MULTILINE)) == rooms


def test_the_json_schemas_are_those_of_the_records() -> None:
    folder = ROOT / "schemas" / "json"
    written = {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}
    assert written == export_schemas(), "run kgbuild schemas"


def test_no_module_is_longer_than_its_idea() -> None:
    for path in (ROOT / "kgbuild").rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 300, path


def test_help_and_import_load_no_heavy_library() -> None:
    code = (
        "import sys, kgbuild, kgbuild.cli.main; "
        "print([name for name in ('torch', 'transformers', 'faiss', 'spacy', 'networkx', "
        "'ladybug', 'matplotlib', 'sentence_transformers', 'sklearn', 'starlette', "
        "'uvicorn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
