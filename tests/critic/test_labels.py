from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from kgbuild.core.config_file import load_config
from kgbuild.core.errors import LabelError
from kgbuild.core.ids import content_key
from kgbuild.core.records import Label, LabelledTriple
from kgbuild.core.resources import resource_path
from kgbuild.critic.labels import measure_agreement, read_labels, read_silver, settle_labels
from kgbuild.teacher.judge import JUDGE_PROMPT
from tests.critic.conftest import make_label, make_silver


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_labels_are_read_from_folders_and_files_plain_and_gzip(tmp_path: Path) -> None:
    rows = [make_label(f"PersonX runs {n}", "tired", Label.LIKELY) for n in range(4)]
    lines = [row.model_dump_json() for row in rows]
    write(tmp_path / "a.jsonl", lines[0], "", lines[1])
    with gzip.open(tmp_path / "b.jsonl.gz", "wt", encoding="utf-8") as stream:
        stream.write(lines[2] + "\n" + lines[3])
    assert read_labels([tmp_path]) == rows


def test_a_triple_judged_twice_by_one_judge_and_prompt_counts_once(tmp_path: Path) -> None:
    rows = [make_silver("PersonX runs", "tired", value) for value in (0.9, 0.2)]
    path = write(tmp_path / "s.jsonl", *(row.model_dump_json() for row in rows))
    assert read_silver([path]) == rows[:1]


def row(**changes: object) -> str:
    fields = make_label("PersonX runs", "tired", Label.LIKELY).model_dump(mode="json")
    return json.dumps({**fields, **changes})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "not JSON"),
        ("[1]", "not a JSON object"),
        ("[" * 90_000, "not JSON"),
        ('{"head": ' + "1" * 5_000 + "}", "not JSON"),
        (row(label="likly"), "did you mean likely"),
        (row(extra=1), "extra"),
        (row(tail="edited"), "not the id"),
        (row(log_probability=float("nan")), "finite"),
        ('{"label": "likely"}', "triple_id"),
        ("a\x00b", "NUL"),
        ("x" * 100_001, "longer"),
    ],
)
def test_a_bad_row_is_named_with_file_and_line(tmp_path: Path, line: str, message: str) -> None:
    path = write(tmp_path / "l.jsonl", row(), line)
    with pytest.raises(LabelError, match=message) as caught:
        read_labels([path])
    assert "l.jsonl:2" in str(caught.value)


def test_bad_bytes_cut_gzip_and_missing_places_are_errors(tmp_path: Path) -> None:
    (tmp_path / "l.jsonl").write_bytes(b"{}\xff\n")
    with pytest.raises(LabelError, match=r"l\.jsonl:1 is not UTF-8"):
        read_labels([tmp_path / "l.jsonl"])
    whole = gzip.compress(row().encode() * 50)
    (tmp_path / "c.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(LabelError):
        read_labels([tmp_path / "c.jsonl.gz"])
    with pytest.raises(LabelError, match="does not exist"):
        read_labels([tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(LabelError, match="holds no"):
        read_labels([tmp_path / "empty"])


def test_the_latest_label_wins_by_date_then_by_order() -> None:
    first = make_label("PersonX runs", "tired", Label.LIKELY, at="2026-11-25")
    older = make_label("PersonX runs", "tired", Label.INVALID, at="2026-11-24")
    assert settle_labels([first, older]) == [first]
    again = make_label("PersonX runs", "tired", Label.FARFETCHED, at="2026-11-25")
    assert settle_labels([first, older, again]) == [again]


def test_most_readers_decide_and_even_votes_go_to_the_latest() -> None:
    def read(by: str, label: Label, at: str) -> LabelledTriple:
        return make_label("PersonX runs", "tired", label, at=at).model_copy(update={"labeller": by})

    yes = read("a", Label.LIKELY, "2026-11-24")
    no = read("b", Label.INVALID, "2026-11-25")
    also = read("c", Label.ALWAYS, "2026-11-26")
    against = read("d", Label.FARFETCHED, "2026-11-27")
    unsure = read("e", Label.UNSURE, "2026-11-28")
    assert settle_labels([yes, no]) == [no]
    assert settle_labels([yes, no, also]) == [also]
    assert settle_labels([yes, no, also, against]) == [against]
    assert settle_labels([yes, no, also, against, unsure]) == [against]
    # A reader who reads again changes his vote and has no second one.
    again = read("b", Label.LIKELY, "2026-11-28")
    assert settle_labels([no, against, yes, again]) == [again]
    assert settle_labels([no, no, yes, also]) == [also]


def test_unsure_is_never_trained_on_even_after_a_sure_label() -> None:
    sure = make_label("PersonX runs", "tired", Label.LIKELY)
    unsure = make_label("PersonX runs", "tired", Label.UNSURE)
    assert settle_labels([sure, unsure]) == []
    assert settle_labels([unsure, sure]) == [sure]


def test_kappa_compares_first_and_second_reads_worked_by_hand() -> None:
    # 4 pairs: yes-yes, no-no, yes-no, no-no. Agreement 3/4, by chance 1/2*1/4 + 1/2*3/4 = 1/2.
    reads = [("always", "likely"), ("invalid", "invalid"), ("likely", "farfetched")]
    reads.append(("farfetched", "invalid"))
    rows = [
        make_label(f"PersonX runs {n}", "tired", Label(word))
        for turn in (0, 1)
        for n, word in enumerate(pair[turn] for pair in reads)
    ]
    agreement = measure_agreement(rows)
    assert agreement.triples == 4
    assert agreement.kappa_accepted == pytest.approx(0.5)


def test_kappa_of_nothing_is_not_defined() -> None:
    assert measure_agreement([]).kappa_accepted is None


def test_the_shipped_verdicts_are_of_one_judge_and_its_question_in_the_config() -> None:
    rows = read_silver([resource_path("data/silver")])
    assert len({row.triple_id for row in rows}) == len(rows) >= 20_000
    config = load_config(resource_path("data/configs/judge.yaml"))
    # Folded, the config has a space where the judge was shown a new line.
    assert config.critic.question is not None
    assert config.critic.question.replace(" Statement:", "\nStatement:") == JUDGE_PROMPT
    assert {(row.judge_hash[:12], row.prompt_id) for row in rows} == {
        ("ec9a87788b67", content_key(JUDGE_PROMPT))
    }
    assert len({row.relation for row in rows}) > 25
