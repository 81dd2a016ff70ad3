"""A public benchmark from the command line: checked first, then judged, then told."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from kgbuild.core.config import CriticConfig
from kgbuild.core.relations import load_relations
from kgbuild.critic import BENCHMARKS, load_critic, train_critic
from kgbuild.models import ModelFile
from kgbuild.runs import benchmarks
from tests.critic.conftest import BAD, GOOD, TEXTS, make_labels
from tests.tiny_models import make_encoder

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A critic that has learned which tails are good, and beside it its encoder."""
    place = tmp_path_factory.mktemp("critic")
    train_critic(
        make_labels(60),
        [],
        load_relations(["atomic2020.en", "generics.en"]),
        backbone_path=make_encoder(place, texts=TEXTS),
        config=CriticConfig(
            epochs=32, learning_rate=3e-3, batch_size=16, frozen_share=0, max_steps=0,
            min_relation_labels=20, target_precision=0.8,
        ),
        folder=place / "critic",
    )  # fmt: skip
    return place


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, call: Run, folder: Path) -> Run:
    # The baseline's encoder is a tiny one, too.
    tiny = ModelFile(name="tiny", path=folder, kind="encoder", sha256="0")
    monkeypatch.setattr(benchmarks, "resolve_model", lambda name: tiny)
    return partial(call, "evaluate", "critic")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """CKBP v2 as it is published, of heads that the critic never saw; one relation is unknown."""
    place = tmp_path / "ckbp_v2"
    place.mkdir()
    columns = [
        "head", "relation", "tail", "class", "label",
        *BENCHMARKS["ckbp-v2"].references.values(),
    ]  # fmt: skip
    for part, first in (("dev", 0), ("tst_open", 500)):
        lines = ["\t".join(columns)]
        for number in range(first, first + 30):
            for tail, label in ((GOOD[number % 3], "1"), (BAD[number % 3], "0")):
                group = ("adv", "cs_head")[number % 2]
                cells = [f"PersonX visits friend {number}", "xReact", f"PersonX be {tail}", group]
                lines.append("\t".join([*cells, label, label, "0", "0.5", "0.5", "0.5"]))
        lines.append("\t".join(["a", "gNoSuch", "b", "adv", "1", *"00000"]))
        (place / f"{part}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def test_all_figures_stand_in_the_json_and_a_table_says_them(
    run: Run, data: Path, folder: Path
) -> None:
    words = ("--benchmark", "ckbp-v2", "--data", str(data), "--critic", str(folder / "critic"))
    code, out, _ = run(*words, "--json")
    report = json.loads(out)
    assert code == 0
    assert (report["part"], report["fitted_on"]) == ("test_open", "dev")
    assert (report["rows"], report["right"], report["units"]) == (60, 30, 30)
    assert report["skipped"] == {"gNoSuch": 1}
    assert report["critic"] == load_critic(folder / "critic").key
    critic, relation, tail, *others = report["contestants"]
    assert critic["auc"]["value"] > 0.95
    assert critic["auc"]["low"] <= critic["auc"]["value"]
    assert critic["accuracy"]["value"] > 0.9
    assert set(critic["groups"]) == {"adv", "cs_head"}
    assert critic["refitted_error"] < 0.15
    assert relation["auc"]["value"] == 0.5
    assert tail["auc"]["value"] > 0.95
    assert [one["auc"]["value"] for one in others] == [1.0, 0.5, 0.5, 0.5, 0.5]
    assert report["texts_per_second"] > 0
    assert report["peak_mib"] > 50

    code, out, said = run(*words)
    assert code == 0
    assert "lemmatised" in said
    for words in ("PseudoReasoner, seed 100", "tail alone", "AUC by class", "gNoSuch 1", "on dev"):
        assert words in out


def test_a_limit_and_a_part_are_obeyed_and_the_part_itself_fits_by_folds(
    run: Run, data: Path, folder: Path
) -> None:
    code, out, _ = run(
        "--benchmark", "ckbp-v2", "--data", str(data / "ckbp_v2"), "--part", "dev",
        "--limit", "20", "--critic", str(folder / "critic"), "--json",
    )  # fmt: skip
    report = json.loads(out)
    assert code == 0
    assert (report["rows"], report["units"]) == (20, 10)
    assert report["fitted_on"] == "5 folds of dev over its units"


def test_bare_sentences_are_judged_in_pairs(run: Run, folder: Path, tmp_path: Path) -> None:
    lines = ["id\tsent0\tsent1\tnonsense"]
    for number in range(24):
        good, bad = (
            f"PersonX visits friend {number}. As a result, PersonX feels {words[number % 3]}."
            for words in (GOOD, BAD)
        )
        texts = [good, bad] if number % 2 else [bad, good]
        lines.append("\t".join([str(number), *texts, str(int(number % 2))]))
    (tmp_path / "test_open.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    code, out, _ = run(
        "--benchmark", "comve", "--data", str(tmp_path), "--critic", str(folder / "critic"),
        "--json",
    )  # fmt: skip
    report = json.loads(out)
    assert code == 0
    assert report["headline"] == "accuracy in pairs"
    assert report["contestants"][0]["pair_accuracy"]["value"] > 0.9


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--benchmark", "ckbp-v3"), "did you mean ckbp-v"),
        (("--benchmark", "ckbp-v2", "--part", "test"), "has no part 'test'"),
        (("--benchmark", "creak"), "has no part 'dev' of CREAK"),
    ],
)
def test_what_is_not_there_is_said_before_a_critic_is_trained(
    run: Run, data: Path, words: tuple[str, ...], message: str
) -> None:
    place = data / "ckbp_v2" if words[1] != "creak" else data / "nowhere"
    place.mkdir(exist_ok=True)
    code, out, said = run(*words, "--data", str(place))
    assert code == 2
    assert message in said
    assert "Training" not in said
    assert out == ""


def test_a_broken_line_is_said_before_a_critic_is_trained(run: Run, data: Path) -> None:
    file = data / "ckbp_v2" / "dev.tsv"
    file.write_text(file.read_text().replace("\t1\t1\t0", "\tyes\t1\t0", 1))
    code, _, said = run("--benchmark", "ckbp-v2", "--data", str(data))
    assert code == 2
    assert "dev.tsv:2: label is 'yes', which is not one of 1, 0" in said
    assert "Training" not in said
