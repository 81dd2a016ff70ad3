"""The first load of a ladybug store: all of it or nothing, and the same graph as any other load."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import ladybug
import pytest

from kgbuild.core.errors import FileError, StoreError
from kgbuild.core.records import Edge
from kgbuild.store.graph_store import Phrase
from kgbuild.store.ladybug_store import LadybugStore

RELATIONS = ("xReact", "xWant")
MakeEdge = Callable[..., Edge]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "graph.lbug"


def read_whole(path: Path) -> tuple[list[Edge], list[Phrase]]:
    with LadybugStore(path, is_read_only=True) as store:
        return list(store.edges()), list(store.phrases())


@pytest.fixture
def load_at_once(tmp_path: Path) -> Callable[[list[Edge]], tuple[list[Edge], list[Phrase]]]:
    """Give what edges look like in a store that took them as a single batch."""

    def load(edges: list[Edge]) -> tuple[list[Edge], list[Phrase]]:
        with LadybugStore(tmp_path / "other.lbug", relations=RELATIONS) as store:
            store.load_edges(edges)
        return read_whole(tmp_path / "other.lbug")

    return load


# While the schema is made, after the phrases, after the last copy, before the new file's name.
@pytest.mark.parametrize("call", [3, 9, 11, 13])
def test_killed_half_way_it_leaves_an_empty_store_and_begins_anew(
    path: Path,
    make_edge: MakeEdge,
    die_while_loading: Callable[..., None],
    load_at_once: Callable[..., object],
    call: int,
) -> None:
    edges = [make_edge(number) for number in range(60)]
    die_while_loading(path, edges, method="run", call=call)
    left = path.with_name(".graph.lbug.loading")
    assert (left / "phrases.parquet").is_file()
    assert read_whole(path) == ([], [])
    with LadybugStore(path, relations=RELATIONS, batch_edges=10) as store:
        assert store.load_edges(edges).added_edges == 60
    assert not left.exists()
    before = path.read_bytes()
    with LadybugStore(path, relations=RELATIONS, batch_edges=10) as store:
        assert store.load_edges(edges).unchanged == 60
    assert path.read_bytes() == before
    assert read_whole(path) == load_at_once(edges)


def test_of_rows_with_one_id_in_several_batches_the_last_counts(
    path: Path, make_edge: MakeEdge, load_at_once: Callable[..., object]
) -> None:
    edges = [make_edge(number) for number in range(12)]
    edges += [make_edge(number, probability=0.1) for number in (3, 7)]
    with LadybugStore(path, relations=RELATIONS, batch_edges=4) as store:
        report = store.load_edges(edges)
        assert (report.added_edges, report.unchanged) == (12, 2)
        assert store.counts().edges == 12
        for number in (3, 7):
            assert store.edge(edges[number].triple_id) == make_edge(number, probability=0.1)
    assert read_whole(path) == load_at_once(edges)


def test_rows_with_one_id_in_several_files_of_a_relation_count_once(
    path: Path, make_edge: MakeEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kgbuild.store.spill._FILE_BYTES", 1)
    edges = [make_edge(number) for number in range(12)]
    edges += [make_edge(number, probability=0.1) for number in (0, 11)]
    with LadybugStore(path, relations=RELATIONS, batch_edges=4) as store:
        assert store.load_edges(edges).added_edges == 12
        found = {edge.triple_id: edge for edge in store.edges()}
    assert found == {edge.triple_id: edge for edge in edges}


def test_phrases_are_spelt_and_told_apart_as_in_a_single_batch(
    path: Path, make_edge: MakeEdge, load_at_once: Callable[..., object]
) -> None:
    edges = [make_edge(number) for number in range(12)]
    first = edges[0]
    for number, changes in (
        (9, {"tail_id": edges[9].tail_id, "tail": "T 9, spelt anew"}),
        (11, {"tail_id": first.head_id, "tail": "Person X"}),
        (4, {"head_id": first.tail_id, "head": "T 0"}),
    ):
        edges.append(make_edge(number + 50).model_copy(update=changes))
    with LadybugStore(path, relations=RELATIONS, batch_edges=3) as store:
        store.load_edges(edges)
        spelt = {phrase.id: (phrase.text, phrase.kind) for phrase in store.phrases()}
    assert spelt[first.head_id] == (first.head, "event")
    assert spelt[first.tail_id] == (first.tail, "event"), "a tail that later heads an edge"
    assert spelt[edges[9].tail_id] == ("t 9", "")
    assert read_whole(path) == load_at_once(edges)


def test_one_that_fails_leaves_an_empty_store_and_no_files(
    path: Path, make_edge: MakeEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    edges = [make_edge(number) for number in range(12)]
    with LadybugStore(path, relations=RELATIONS, batch_edges=4) as store:
        with monkeypatch.context() as broken:

            def fail(*_: object) -> None:
                raise StoreError("no such luck")

            broken.setattr("kgbuild.store.cypher.copy_edges", fail)
            with pytest.raises(StoreError, match="no such luck"):
                store.load_edges(edges)
        assert store.counts().edges == 0
        assert store.load_edges(edges).added_edges == 12
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_an_unknown_relation_in_a_late_batch_stores_nothing(
    path: Path, make_edge: MakeEdge
) -> None:
    edges = [make_edge(number) for number in range(12)]
    edges.append(edges[0].model_copy(update={"relation": "xNobody"}))
    with LadybugStore(path, relations=RELATIONS, batch_edges=4) as store:
        with pytest.raises(StoreError, match="xNobody"):
            store.load_edges(edges)
        assert store.counts().edges == 0
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_full_disk_is_said_plainly(
    path: Path, make_edge: MakeEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("kgbuild.store.spill._open", fail)
    with LadybugStore(path, relations=RELATIONS, batch_edges=4) as store:
        with pytest.raises(FileError, match="disk is full"):
            store.load_edges(make_edge(number) for number in range(12))
        assert store.counts().edges == 0


def test_a_disk_that_is_full_when_the_engine_fails_is_what_it_failed_of(
    path: Path, make_edge: MakeEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = ladybug.Connection.execute

    def fail(connection: ladybug.Connection, statement: str, *given: object) -> object:
        if statement.startswith("COPY"):
            raise RuntimeError("IO exception: Cannot read from file. numBytesRead: 0")
        return usual(connection, statement, *given)

    monkeypatch.setattr(ladybug.Connection, "execute", fail)
    with LadybugStore(path, relations=RELATIONS, batch_edges=4) as store:
        edges = [make_edge(number) for number in range(12)]
        with pytest.raises(StoreError, match="Cannot read from file"):
            store.load_edges(edges)
        full = shutil.disk_usage(path.parent)._replace(free=0)
        monkeypatch.setattr("kgbuild.store.engine.shutil.disk_usage", lambda _: full)
        with pytest.raises(FileError, match="disk is full"):
            store.load_edges(edges)
        assert store.counts().edges == 0


def test_a_folder_with_an_odd_name_is_loaded_batch_by_batch(
    tmp_path: Path, make_edge: MakeEdge
) -> None:
    path = tmp_path / "it's [a] *folder*" / "graph.lbug"
    with LadybugStore(path, relations=RELATIONS, batch_edges=4) as store:
        assert store.load_edges(make_edge(number) for number in range(12)).added_edges == 12
        assert store.counts().edges == 12
