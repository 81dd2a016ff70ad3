from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from kgbuild.core.errors import FileError, KgbuildError
from kgbuild.core.manifest import read_manifest
from kgbuild.core.records import Edge
from kgbuild.query import Graph
from kgbuild.query.run_shards import RunShards
from kgbuild.store.memory import MemoryStore


@pytest.fixture
def store(made_edges: list[Edge]) -> MemoryStore:
    store = MemoryStore(relations={edge.relation for edge in made_edges})
    store.load_edges(made_edges)
    return store


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KGBUILD_CACHE", str(tmp_path / "cache"))


def test_a_search_finds_the_nearest_meaning_first(
    store: MemoryStore, encoder: Any, tmp_path: Path
) -> None:
    hits = Graph(store, encoder=encoder, folder=tmp_path).search("baking cakes", limit=3)
    assert hits[0].text == "PersonX bakes a cake"
    assert hits[0].similarity > hits[1].similarity >= hits[2].similarity
    assert len(hits) == 3


def test_a_kind_leaves_only_its_heads(store: MemoryStore, encoder: Any, tmp_path: Path) -> None:
    graph = Graph(store, encoder=encoder, folder=tmp_path)
    assert [hit.text for hit in graph.search("cake", kind="concept")] == ["cake"]
    with pytest.raises(KgbuildError, match="did you mean concept"):
        graph.search("cake", kind="concepts")


def test_an_index_is_built_once(store: MemoryStore, encoder: Any, tmp_path: Path) -> None:
    Graph(store, encoder=encoder, folder=tmp_path).search("cake")
    phrases = store.counts().nodes
    assert encoder.encoded == phrases + 1
    Graph(store, encoder=encoder, folder=tmp_path).search("cake")
    assert encoder.encoded == phrases + 2


def test_a_grown_graph_is_indexed_anew(
    store: MemoryStore, made_edges: list[Edge], encoder: Any, tmp_path: Path
) -> None:
    Graph(store, encoder=encoder, folder=tmp_path).search("cake")
    store.remove([made_edges[-1].triple_id])
    hits = Graph(store, encoder=encoder, folder=tmp_path).search("kitchen")
    assert "kitchen" not in [hit.text for hit in hits]


def test_a_run_keeps_its_index_in_its_folder(
    store: MemoryStore, encoder: Any, made_run: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    shutil.copy(made_run / "manifest.json", folder)
    run = RunShards(read_manifest(folder))
    Graph(store, run=run, encoder=encoder).search("cake")
    assert [path.name for path in (folder / "search").glob("*/vectors.npy")] == ["vectors.npy"]


def test_a_broken_index_says_what_to_delete(
    store: MemoryStore, encoder: Any, tmp_path: Path
) -> None:
    Graph(store, encoder=encoder, folder=tmp_path).search("cake")
    [vectors] = tmp_path.glob("search/*/vectors.npy")
    vectors.write_bytes(vectors.read_bytes()[:-7])
    with pytest.raises(FileError, match="delete that folder"):
        Graph(store, encoder=encoder, folder=tmp_path).search("cake")


@pytest.mark.model
def test_making_a_cake_finds_who_bakes_one(store: MemoryStore, tmp_path: Path) -> None:
    """The real sentence encoder, found by the catalogue."""
    hits = Graph(store, folder=tmp_path).search("making a cake", kind="event")
    assert [hit.text for hit in hits] == ["PersonX bakes a cake", "PersonX misses the bus"]
    assert hits[0].similarity > 0.6
