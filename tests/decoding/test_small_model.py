from __future__ import annotations

import re

import pytest
import torch

from kgbuild.core.config import DecodingConfig
from kgbuild.decoding import (
    AnyOf,
    ConstraintSet,
    Not,
    StartsWith,
    beam_search,
    load_language_model,
    sample,
)
from kgbuild.models import get, resolve_model

SHOTS = (
    "PersonX loses the keys. As a result, PersonX wants to look for them.\n"
    "PersonX wins a race. As a result, PersonX wants to celebrate.\n"
    "PersonX gets sick. As a result, PersonX wants to see a doctor.\n"
)
HEADS = ("PersonX adopts a puppy.", "PersonX misses the last bus.", "PersonX breaks a leg.")
SETS = (
    ConstraintSet((StartsWith(("to",)), Not("see a doctor"), Not("celebrate"))),
    ConstraintSet((AnyOf(("taxi", "cab")), Not("bus")), max_words=6),
    ConstraintSet((AnyOf(("hospital", "doctor")), AnyOf(("crutch",), inflect=True))),
)


@pytest.mark.model
def test_a_real_model_meets_its_clauses() -> None:
    get("smollm2")
    model, tokenizer = load_language_model(resolve_model("smollm2").path, dtype="float32")
    prompts = [f"{head} As a result, PersonX wants" for head in HEADS]
    settings = DecodingConfig()
    lists = beam_search(model, tokenizer, prompts, SETS, settings=settings, prefix=SHOTS)
    lists += sample(
        model,
        tokenizer,
        prompts,
        SETS,
        settings=settings,
        generator=torch.Generator().manual_seed(0),
        prefix=SHOTS,
    )
    for place, hypotheses in enumerate(lists):
        # Sixteen tokens may be too few for two wanted words; then the answer says so.
        assert hypotheses[0].is_ended or hypotheses[0].unmet
        for hypothesis in hypotheses:
            assert not hypothesis.is_ended or not hypothesis.unmet
            if place % 3 == 0:
                assert re.match(r"to\b", hypothesis.text)
                assert "celebrate" not in hypothesis.text.split()
            elif place % 3 == 1:
                assert "bus" not in hypothesis.text.split()
                assert len(hypothesis.text.split()) <= 6
    assert len({hypothesis.text for hypothesis in lists[0]}) == settings.returned
