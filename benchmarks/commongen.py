"""Measure how well constrained decoding says what it must, on CommonGen's concept sets.

Every line of the file is a JSON list of clauses, each a list of the forms of which one is enough,
as the reference implementation keeps them (`dataset/clean/constraint/dev.constraint.json` of
github.com/GXimingLu/neurologic_decoding; nothing of it is part of this repository). Sets are
taken evenly from the file. A clause counts as met when one of its forms stands in the text as
whole words, whatever its case. SmolLM2-135M-Instruct, a short prompt without examples, or one with
four.

    python benchmarks/commongen.py FILE [--sets 100] [--tokens 32] [--beams 8] [--dtype float32]
        [--lookahead 0]
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from decoding import SHOTS, load_model

from kgbuild.decoding import AnyOf, ConstraintSet, Hypothesis, generate

ZERO_SHOT = "In the"
SETTINGS = {"no_repeat_ngram": 3, "ends": (".", "\n"), "length_penalty": 1.0}


def read_sets(path: Path, count: int) -> list[list[list[str]]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    chosen = [json.loads(lines[place * len(lines) // count]) for place in range(count)]
    return [[[form.strip() for form in clause] for clause in clauses] for clauses in chosen]


def count_met(text: str, clauses: Sequence[Sequence[str]]) -> int:
    return sum(
        any(re.search(rf"(?<!\w){re.escape(form)}(?!\w)", text, re.IGNORECASE) for form in forms)
        for forms in clauses
    )


def show(
    name: str, sets: list[list[list[str]]], found: list[list[Hypothesis]], seconds: float
) -> None:
    met = [
        count_met(answers[0].text, clauses) if answers else 0
        for answers, clauses in zip(found, sets, strict=True)
    ]
    total = sum(map(len, sets))
    whole = sum(one == len(clauses) for one, clauses in zip(met, sets, strict=True))
    best = [answers[0] for answers in found if answers]
    mean = sum(one.log_probability for one in best) / len(best)
    token = sum(one.mean_log_probability for one in best) / len(best)
    print(
        f"| {name} | {sum(met)}/{total} ({sum(met) / total:.1%}) | {whole}/{len(sets)} "
        f"| {mean:.1f} | {token:.2f} | {seconds / len(sets):.2f} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--sets", type=int, default=100)
    parser.add_argument("--beams", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--lookahead", type=int, default=0)
    options = parser.parse_args()
    model, tokenizer = load_model(options.dtype)
    sets = read_sets(options.file, options.sets)
    constraints = [
        ConstraintSet(tuple(AnyOf(tuple(forms)) for forms in clauses)) for clauses in sets
    ]
    print("| | clauses met | sets met | log p | log p a token | CPU s a sentence |")
    print("|---|---|---|---|---|---|")
    words = [", ".join(forms[0] for forms in clauses) for clauses in sets]
    for name, prompts, prefix in (
        ("zero-shot", [ZERO_SHOT] * len(sets), ""),
        ("four examples", [f"Words: {line}. Sentence:" for line in words], SHOTS),
    ):
        for rule, given in (
            ("no clauses", [ConstraintSet()] * len(sets)),
            ("clauses", constraints),
        ):
            start = time.process_time()
            found = generate(
                model,
                tokenizer,
                prompts,
                constraints=given,
                prefix=prefix,
                beams=options.beams,
                max_new_tokens=options.tokens,
                lookahead=options.lookahead if rule == "clauses" else 0,
                **SETTINGS,
            )
            show(f"{name}, {rule}", sets, found, time.process_time() - start)
            for answers in found[:2]:
                print(f"  {answers[0].text}", file=sys.stderr)


if __name__ == "__main__":
    main()
