"""What a run will cost, before it runs."""

from __future__ import annotations

import time

from pydantic import Field

from kgbuild.core.config import BuildConfig
from kgbuild.core.records import Record
from kgbuild.prompts import Prompt
from kgbuild.runs.asking import read_heads, write_prompts
from kgbuild.runs.inputs import Inputs
from kgbuild.runs.workers import Workers
from kgbuild.teacher.generate import generate_triples
from kgbuild.teacher.protocol import Teacher


class Plan(Record):
    """How much the teacher will be asked, and how long that will take here."""

    heads: int
    relations: int
    prompts: int
    prompt_tokens: int = Field(
        description="Tokens read; a shared few-shot head counts once a batch"
    )
    completion_tokens: int = Field(description="At most: beams are counted once")
    pilot_prompts: int
    pilot_seconds: float
    minutes: float = Field(description="For the teacher, from the pilot")


def make_plan(
    config: BuildConfig, *, pilot_batches: int = 3, teacher: Teacher | None = None
) -> Plan:
    """Ask a few batches, spread over the prompts, and reckon the rest from them."""
    inputs = Inputs(config)
    heads, _ = read_heads(inputs)
    prompts = write_prompts(inputs, heads)
    teacher = teacher or Workers(inputs).teacher()
    pilot = _choose(prompts, batches=pilot_batches, size=config.teacher.batch_prompts)
    started = time.monotonic()
    for batch in pilot:
        for _ in generate_triples(
            batch, teacher, config=config.teacher, decoding=config.decoding, seed=config.seed
        ):
            pass
    seconds = time.monotonic() - started
    asked = sum(len(batch) for batch in pilot)
    # English has about four characters a token; the teacher's own tokenizer is not asked.
    shared = {prompt.prefix: len(prompt.prefix) for prompt in prompts}
    characters = sum(shared.values()) + sum(prompt.characters for prompt in prompts)
    return Plan(
        heads=len(heads),
        relations=len(inputs.relations),
        prompts=len(prompts),
        prompt_tokens=characters // 4,
        completion_tokens=len(prompts) * config.decoding.max_new_tokens,
        pilot_prompts=asked,
        pilot_seconds=round(seconds, 2),
        minutes=round(seconds / max(asked, 1) * len(prompts) / 60, 2),
    )


def _choose(prompts: list[Prompt], *, batches: int, size: int) -> list[list[Prompt]]:
    """Take whole batches at even distances, so that every kind of prompt is in the pilot."""
    stride = max(len(prompts) // max(batches, 1), size)
    return [prompts[start : start + size] for start in range(0, len(prompts), stride)][:batches]
