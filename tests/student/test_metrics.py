from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from kgbuild.student.metrics import bleu, exact_match, generation_metrics, rouge_l

_ROOT = Path(__file__).resolve().parents[2]


def shared_file() -> Path:
    default = _ROOT.parent / "shared" / "data"
    folder = Path(os.environ.get("KGBUILD_SHARED_DATA", default))
    return folder / "atomic2020_test5k" / "open.jsonl.gz"


def golden() -> list[dict[str, Any]]:
    path = shared_file()
    if not path.exists():
        pytest.skip(
            f"{path} is absent; set KGBUILD_SHARED_DATA to a folder with atomic2020_test5k, the "
            "open half of COMET-BART's outputs, to compare with published figures"
        )
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def check(
    predictions: list[str],
    references: list[list[str]],
    *,
    bleus: list[float],
    rouge: float,
    exact: float,
) -> None:
    assert bleu(predictions, references) == pytest.approx(bleus, abs=5.1e-5)
    assert rouge_l(predictions, references) == pytest.approx(rouge, abs=5.1e-5)
    assert exact_match(predictions, references) == pytest.approx(exact, abs=5.1e-5)


def test_comet_bart_comes_out_as_published() -> None:
    rows = golden()
    check(
        [row["comet_bart_greedy"] for row in rows],
        [row["tails"] for row in rows],
        bleus=[0.4705, 0.2915, 0.1962, 0.1397],
        rouge=0.5013,
        exact=0.2887,
    )


def test_answering_none_everywhere_comes_out_as_published() -> None:
    rows = golden()
    # Published as 0.0001 for BLEU-2: Coco adds a tiny constant where no bigram was predicted.
    check(
        ["none"] * len(rows),
        [row["tails"] for row in rows],
        bleus=[0.0550, 0, 0, 0],
        rouge=0.2466,
        exact=0.2466,
    )


def test_bleu_by_hand() -> None:
    # Unigrams: 3 of 4 clipped; bigrams: 2 of 3; the reference has the same length.
    first, second = bleu(["to bake a pie"], [["to bake a cake"]], orders=2)
    assert first == pytest.approx(3 / 4)
    assert second == pytest.approx((3 / 4 * 2 / 3) ** 0.5)


def test_rouge_by_hand() -> None:
    # LCS of 2 of 3 predicted and of 4 reference words: P 2/3, R 1/2, F with beta 1.2.
    expected = (1 + 1.44) * (2 / 3) * 0.5 / (0.5 + 1.44 * 2 / 3)
    assert rouge_l(["eat some cake"], [["eat the cake today"]]) == pytest.approx(expected)


def test_nothing_generated_is_zero_and_no_error() -> None:
    assert set(generation_metrics([], []).values()) == {0.0}
    assert generation_metrics([""], [["proud"]])["bleu_1"] == 0.0
