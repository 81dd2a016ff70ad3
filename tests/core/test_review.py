from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest
from pydantic import ValidationError

from kgbuild.core.errors import ConfigError, LabelError
from kgbuild.core.records import Tombstone
from kgbuild.core.review import PendingBatch, ReviewLog, Tombstones, find_places, read_tombstones

AT = "2026-11-25T22:00:00+00:00"


def bury(*, is_lifted: bool = False, **selector: str) -> Tombstone:
    return Tombstone(reason="undone", why="wrong", by="ann", at=AT, is_lifted=is_lifted, **selector)


def add(log: ReviewLog, *rows: Tombstone) -> str:
    with log.adding("undo") as batch:
        for row in rows:
            batch.add(row)
        batch.commit(by="ann", at=AT, why="wrong")
    return batch.batch


def add_and_fail(batch: PendingBatch) -> None:
    batch.add(bury(triple_id="c"))
    batch.commit(by="ann", at=AT)
    raise AttributeError


def test_what_was_committed_is_read_back_in_order(tmp_path: Path) -> None:
    log = ReviewLog(tmp_path / "review")
    assert log.key() == ""
    rows = [bury(triple_id="a"), bury(teacher="t"), bury(triple_id="a", is_lifted=True)]
    first = add(log, *rows[:2])
    key = log.key()
    second = add(log, rows[2])
    assert list(log.tombstones()) == rows
    assert [batch.batch for batch in log.batches()] == [first, second]
    assert log.batches()[0].counts == {"labels": 0, "tombstones": 2, "triples": 0, "rejected": 0}
    assert len({"", key, log.key()}) == 3
    # A kind without rows leaves no file.
    assert sorted(path.name for path in (tmp_path / "review").rglob("*.jsonl")) == [
        "00001.jsonl",
        "00002.jsonl",
    ]


def test_a_batch_that_is_not_committed_or_fails_never_happened(tmp_path: Path) -> None:
    log = ReviewLog(tmp_path / "review")
    add(log, bury(triple_id="a"))
    key = log.key()
    with log.adding("undo") as batch:
        batch.add(bury(triple_id="b"))
    with pytest.raises(AttributeError), log.adding("undo") as batch:
        add_and_fail(batch)
    assert log.key() == key
    assert [row.triple_id for row in log.tombstones()] == ["a"]
    assert [path.name for path in (tmp_path / "review" / "tombstones").iterdir()] == ["00001.jsonl"]


def test_a_crash_at_any_rename_leaves_the_old_log_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = ReviewLog(tmp_path / "review")
    add(log, bury(triple_id="a"))
    replace = Path.replace
    crashes = 0
    for allowed in count():
        left = allowed

        def replace_or_die(self: Path, target: Path) -> Path:
            nonlocal left
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
            return replace(self, target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", replace_or_die)
            try:
                add(log, bury(triple_id="b"))
                break
            except KeyboardInterrupt:
                crashes += 1
        assert [row.triple_id for row in ReviewLog(log.folder).tombstones()] == ["a"]
    assert crashes == 5  # One for each kind of row, and the marker.
    assert [row.triple_id for row in ReviewLog(log.folder).tombstones()] == ["a", "b"]
    assert len(log.batches()) == 2


def test_a_broken_line_is_refused_by_file_and_line(tmp_path: Path) -> None:
    log = ReviewLog(tmp_path / "review")
    add(log, bury(triple_id="a"))
    path = tmp_path / "review" / "tombstones" / "00001.jsonl"
    path.write_text(path.read_text() + '{"triple_id": "b"}\n')
    with pytest.raises(LabelError, match=r"00001\.jsonl:2 is no Tombstone"):
        list(log.tombstones())
    path.unlink()
    with pytest.raises(LabelError, match=r"00001\.jsonl"):
        list(log.tombstones())
    (tmp_path / "review" / "00001.json").write_text('{"number": 1}')
    with pytest.raises(LabelError, match="not the marker"):
        log.batches()


def test_tombstones_are_read_from_runs_reviews_and_files(tmp_path: Path) -> None:
    add(ReviewLog(tmp_path / "run" / "review"), bury(triple_id="a"))
    review = tmp_path / "run" / "review"
    file = review / "tombstones" / "00001.jsonl"
    (tmp_path / "untouched").mkdir()
    places = [tmp_path / "run", review, file, tmp_path / "untouched"]
    assert [row.triple_id for row in read_tombstones(places)] == ["a", "a", "a"]
    with pytest.raises(LabelError, match="nowhere does not exist"):
        list(read_tombstones([tmp_path / "nowhere"]))
    for name in ("nowhere", "~nobody-of-this-name/run"):
        with pytest.raises(ConfigError, match=f"store.tombstones names {name}"):
            find_places([name])


def test_the_newest_tombstone_that_counts_is_found() -> None:
    tombstones = Tombstones([bury(triple_id="a"), bury(teacher="t"), bury(run="r")])
    found = tombstones.find("a", teacher="t", run="q")
    assert found is not None
    assert found.teacher == "t"
    assert tombstones.find("b", teacher="u", run="q") is None


def test_a_triple_let_in_stands_against_older_rules_and_falls_to_newer_ones() -> None:
    rules = [bury(teacher="t"), bury(triple_id="a", is_lifted=True)]
    assert Tombstones(rules).find("a", teacher="t", run="r") is None
    assert Tombstones(rules).find("b", teacher="t", run="r") is not None
    assert Tombstones([*rules, bury(run="r")]).find("a", teacher="t", run="r") is not None


def test_a_lifted_rule_takes_back_that_rule_alone() -> None:
    rules = [bury(teacher="t"), bury(run="r"), bury(run="r", is_lifted=True)]
    found = Tombstones(rules).find("a", teacher="t", run="r")
    assert found is not None
    assert found.teacher == "t"
    assert Tombstones(rules).of("run", "r") is None


@pytest.mark.parametrize("selector", [{}, {"triple_id": "a", "run": "r"}])
def test_a_tombstone_speaks_of_one_thing(selector: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="only one"):
        bury(**selector)
