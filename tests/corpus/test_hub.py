from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from kgbuild.core.config import CorpusConfig
from kgbuild.core.errors import FileError
from kgbuild.core.records import Edge
from kgbuild.corpus import CardFacts, TeacherTerms, export_rows, write_corpus

CARD = CardFacts(
    name="Garden <script>alert(1)</script> graph",
    description="Trees | and\n# people",
    licence="apache-2.0",
    run="run-1",
    teachers=(
        TeacherTerms(
            name="smollm2", sha256="ab" * 32, licence="apache-2.0", terms="Keep the notice."
        ),
    ),
    target_precision=0.9,
    measured_precision=0.92,
)


def test_datasets_opens_the_folder_offline(
    edges: list[Edge], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "garden"
    rows = list(export_rows(edges, config=CorpusConfig()))
    write_corpus(rows, format="hf", out=out, card=CARD)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    datasets = pytest.importorskip("datasets", reason="pip install -e '.[dev]' brings datasets")
    opened = datasets.load_dataset(str(out), cache_dir=str(tmp_path / "cache"))
    assert sorted(opened) == ["dev", "test", "train"]
    for split, part in opened.items():
        expected = [row.model_dump(mode="json") for row in rows if row.split == split]
        assert part.to_list() == expected


def test_datasets_opens_a_folder_without_held_out_heads(edges: list[Edge], tmp_path: Path) -> None:
    rows = export_rows(edges, config=CorpusConfig(dev=0, test=0))
    write_corpus(rows, format="hf", out=tmp_path / "a", card=CARD)
    datasets = pytest.importorskip("datasets", reason="pip install -e '.[dev]' brings datasets")
    opened = datasets.load_dataset(str(tmp_path / "a"), cache_dir=str(tmp_path / "cache"))
    assert {split: len(part) for split, part in opened.items()} == {"train": len(edges)}


def test_the_card_counts_relations_and_names_terms(edges: list[Edge], tmp_path: Path) -> None:
    rows = list(export_rows(edges, config=CorpusConfig()))
    write_corpus(rows, format="hf", out=tmp_path / "a", card=CARD)
    card = (tmp_path / "a" / "README.md").read_text(encoding="utf-8")
    _, front, body = card.split("---\n", 2)
    assert yaml.safe_load(front)["license"] == "apache-2.0"
    assert yaml.safe_load(front)["size_categories"] == ["n<1K"]
    train = sum(row.relation == "xWant" and row.split == "train" for row in rows)
    assert f"| xWant | {train} |" in body
    assert "Keep the notice." in body
    assert f"| teacher | smollm2 | {len(rows)} |" in body
    assert "0.900" in body
    assert "0.920" in body


def test_facts_cannot_break_out_of_the_card(edges: list[Edge], tmp_path: Path) -> None:
    rows = export_rows(edges, config=CorpusConfig())
    write_corpus(rows, format="hf", out=tmp_path / "a", card=CARD)
    body = (tmp_path / "a" / "README.md").read_text(encoding="utf-8").split("---\n", 2)[2]
    assert "<script" not in body
    assert "\n# people" not in body


def test_a_folder_with_other_files_is_never_replaced(edges: list[Edge], tmp_path: Path) -> None:
    out = tmp_path / "thesis"
    out.mkdir()
    (out / "chapter1.md").write_text("years of work", encoding="utf-8")
    with pytest.raises(FileError, match=r"chapter1\.md"):
        write_corpus(export_rows(edges, config=CorpusConfig()), format="hf", out=out)
    assert [path.name for path in out.iterdir()] == ["chapter1.md"]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x", encoding="utf-8")
    with pytest.raises(FileError, match="is a file"):
        write_corpus([], format="hf", out=tmp_path / "a")
