"""What only a database file can promise: locks, versions, crashes, read-only opening."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import ladybug
import pytest

from kgbuild.core.errors import FileError, StoreError, StoreLockedError
from kgbuild.core.records import Edge
from kgbuild.store.ladybug_store import LadybugStore

RELATIONS = ("xReact", "xWant")
MakeEdge = Callable[..., Edge]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "graph.lbug"


@pytest.fixture
def filled(path: Path, make_edge: MakeEdge) -> Path:
    with LadybugStore(path, relations=RELATIONS) as store:
        store.load_edges(make_edge(number) for number in range(12))
    return path


def test_what_was_stored_is_there_after_reopening(filled: Path, make_edge: MakeEdge) -> None:
    with LadybugStore(filled, is_read_only=True) as store:
        assert store.counts().edges == 12
        assert store.edge(make_edge(5).triple_id) == make_edge(5)


def test_a_second_load_leaves_every_byte_of_the_file(filled: Path, make_edge: MakeEdge) -> None:
    before = filled.read_bytes()
    with LadybugStore(filled, relations=RELATIONS) as store:
        report = store.load_edges(make_edge(number) for number in range(12))
        assert (report.unchanged, report.updated, report.added_edges) == (12, 0, 0)
    assert filled.read_bytes() == before


def test_the_names_a_store_holds_need_no_pack_when_it_is_reopened(
    filled: Path, make_edge: MakeEdge
) -> None:
    with LadybugStore(filled) as store:
        assert store.load_edges([make_edge(20)]).added_edges == 1


def test_readers_share_and_a_writer_is_told_who_reads(filled: Path) -> None:
    with (
        LadybugStore(filled, is_read_only=True) as one,
        LadybugStore(filled, is_read_only=True) as other,
    ):
        assert one.counts() == other.counts()
        with pytest.raises(StoreLockedError, match=rf"process {os.getpid()} on .*reading"):
            LadybugStore(filled)
    LadybugStore(filled).close()


def test_a_reader_is_told_which_process_writes(path: Path) -> None:
    script = f"""
        from pathlib import Path
        from kgbuild.store.ladybug_store import LadybugStore
        store = LadybugStore(Path({str(path)!r}), relations=["xReact"])
        print("open", flush=True)
        input()
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "open\n"
        for is_read_only in (True, False):
            with pytest.raises(StoreLockedError, match=rf"process {writer.pid} on .*writing"):
                LadybugStore(path, is_read_only=is_read_only)
        os.kill(writer.pid, signal.SIGKILL)
    with LadybugStore(path) as store:
        assert store.counts().edges == 0, "the lock ended with its process"


def test_a_load_killed_half_way_is_mended_by_loading_again(
    path: Path, make_edge: MakeEdge, die_while_loading: Callable[..., None]
) -> None:
    edges = [make_edge(number) for number in range(60)]
    with LadybugStore(path, relations=RELATIONS) as store:
        store.load_edges(edges[:10])
    die_while_loading(path, edges, method="_write", call=8)
    with LadybugStore(path, is_read_only=True) as store:
        assert store.counts().edges == 30, "whole batches and nothing of the broken one"
    with LadybugStore(path, relations=RELATIONS, batch_edges=10) as store:
        report = store.load_edges(edges)
        assert (report.unchanged, report.added_edges) == (30, 30)
        assert list(store.edges()) == sorted(
            edges, key=lambda edge: (edge.relation, edge.head, edge.tail, edge.triple_id)
        )


def test_a_file_left_half_written_is_refused_to_readers_and_mended_by_a_writer(
    path: Path, make_edge: MakeEdge
) -> None:
    script = f"""
        import os, signal
        from pathlib import Path
        from kgbuild.store.ladybug_store import LadybugStore

        store = LadybugStore(Path({str(path)!r}))
        os.kill(os.getpid(), signal.SIGKILL)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    # The log's name while the engine brings it into the file.
    path.with_name("graph.lbug.wal").rename(path.with_name("graph.lbug.wal.checkpoint"))
    with pytest.raises(StoreError, match=r"process that wrote it was killed.* load the same edges"):
        LadybugStore(path, is_read_only=True)
    with LadybugStore(path, relations=RELATIONS) as store:
        assert store.load_edges([make_edge(0)]).added_edges == 1
    with LadybugStore(path, is_read_only=True) as store:
        assert store.counts().edges == 1


def test_a_full_disk_that_the_engine_meets_is_said_plainly(
    filled: Path, make_edge: MakeEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = ladybug.Connection.execute

    def fail(connection: ladybug.Connection, statement: str, *given: object) -> object:
        if statement.startswith("COPY"):
            raise RuntimeError("IO exception: Cannot write. Error: No space left on device")
        return usual(connection, statement, *given)

    with LadybugStore(filled) as store:
        monkeypatch.setattr(ladybug.Connection, "execute", fail)
        with pytest.raises(FileError, match="disk is full"):
            store.load_edges([make_edge(99)])
        assert store.counts().edges == 12


@pytest.mark.slow
def test_many_questions_and_loads_fit_into_little_memory(
    path: Path, make_edge: MakeEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kgbuild.store.engine._POOL_BYTES", 256 * 2**20)
    with LadybugStore(path, relations=RELATIONS) as store:
        for count in range(1, 30):
            store.load_edges(make_edge(number) for number in range(count))
            store.load_edges([make_edge(0, probability=1 / count)])
            store.neighbours(make_edge(0).head_id, depth=2)
            store.tails(make_edge(0).head_id, "xReact")
        assert store.counts().edges == 29
        assert store.remove(edge.triple_id for edge in list(store.edges())) == 29


def test_a_batch_that_fails_half_way_leaves_nothing(
    filled: Path, make_edge: MakeEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LadybugStore(filled) as store:
        before = store.counts()

        def fail(*_: object) -> None:
            raise StoreError("no space left")

        monkeypatch.setattr("kgbuild.store.cypher.add_edges", fail)
        with pytest.raises(StoreError, match="no space left"):
            store.load_edges([make_edge(99)])
        assert store.counts() == before


def test_cypher_reads_and_takes_values_as_parameters(filled: Path) -> None:
    with LadybugStore(filled) as store:
        rows = store.cypher(
            "MATCH (h:Phrase)-[r:xWant]->(t) WHERE h.text = $text "
            "RETURN t.text AS tail ORDER BY tail;",
            text="PersonX does thing 1",
        )
        assert rows == [{"tail": "t 3"}, {"tail": "t 5"}]
        assert store.cypher("RETURN ';' AS semicolon") == [{"semicolon": ";"}]


@pytest.mark.parametrize(
    "text",
    [
        "CREATE (:Phrase {id: 'x'})",
        "MATCH (p) DETACH DELETE p",
        "MATCH (p:Phrase) SET p.text = 'gone'",
        "MATCH (p) RETURN p; COMMIT; CREATE (:Phrase {id: 'x'})",
        "COMMIT",
        "",
        "RETURN",
        "MATCH (p:Phrase RETURN p",
    ],
)
@pytest.mark.parametrize("is_read_only", [True, False])
def test_cypher_that_writes_or_is_wrong_is_an_error_and_changes_nothing(
    filled: Path, text: str, is_read_only: bool
) -> None:
    with LadybugStore(filled, is_read_only=is_read_only) as store:
        before = list(store.phrases())
        with pytest.raises(StoreError):
            store.cypher(text)
        assert list(store.phrases()) == before


def test_a_reader_does_not_write(filled: Path, make_edge: MakeEdge) -> None:
    with (
        LadybugStore(filled, is_read_only=True) as store,
        pytest.raises(StoreError, match="read-only"),
    ):
        store.load_edges([make_edge(99)])


def test_a_closed_store_says_so(filled: Path) -> None:
    store = LadybugStore(filled)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="is closed"):
        store.counts()


def test_a_missing_file_is_an_error_for_a_reader(path: Path) -> None:
    with pytest.raises(StoreError, match="kgbuild build"):
        LadybugStore(path, is_read_only=True)
    assert list(path.parent.iterdir()) == []


def test_a_file_of_another_kind_is_refused_and_left_alone(path: Path) -> None:
    path.write_text("head\trelation\ttail\n" * 100)
    with pytest.raises(StoreError, match="not a graph database"):
        LadybugStore(path)
    assert path.read_text().startswith("head")


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        LadybugStore(tmp_path)


def test_a_database_of_another_program_is_refused(path: Path) -> None:
    with ladybug.Database(path) as database, ladybug.Connection(database) as connection:
        connection.execute("CREATE NODE TABLE Person(name STRING PRIMARY KEY)")
    with pytest.raises(StoreError, match="kgbuild did not make"):
        LadybugStore(path)


def test_a_store_of_another_kgbuild_is_refused_with_the_way_out(filled: Path) -> None:
    with ladybug.Database(filled) as database, ladybug.Connection(database) as connection:
        connection.execute("MATCH (m:KgbuildMeta {key: 'schema_version'}) SET m.value = '0'")
    with pytest.raises(StoreError, match=r"graph schema 0 .* move the file away"):
        LadybugStore(filled, is_read_only=True)


def test_a_database_file_of_another_engine_version_is_refused(filled: Path) -> None:
    content = bytearray(filled.read_bytes())
    content[4] = 7
    filled.write_bytes(content)
    with pytest.raises(StoreError, match="another version of the ladybug"):
        LadybugStore(filled)


def test_a_reader_needs_no_right_to_write(filled: Path) -> None:
    filled.parent.chmod(0o500)
    try:
        with LadybugStore(filled, is_read_only=True) as store:
            assert store.counts().edges == 12
    finally:
        filled.parent.chmod(0o700)
