from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kgbuild.core.records import CorpusRow
from kgbuild.core.relations import Relation
from kgbuild.decoding import load_base
from kgbuild.student.batches import collate, order_batches
from kgbuild.student.form import encode_rows
from kgbuild.student.loss import mean_loss, tail_loss


def test_the_loss_is_that_of_the_tail_tokens_alone_whatever_the_padding(
    rows: list[CorpusRow], relations: Sequence[Relation], base: Path
) -> None:
    model, tokenizer = load_base(base)
    model.eval()
    examples = encode_rows(rows, {relation.name: relation for relation in relations}, tokenizer)
    by_hand, tokens = 0.0, 0
    for example in examples:
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([example.ids])).logits[0].log_softmax(-1)
        for place in range(example.tail_start, len(example.ids)):
            by_hand -= float(logits[place - 1, example.ids[place]])
            tokens += 1
    with torch.no_grad():
        loss, counted = tail_loss(model, collate(examples, pad=3))
    assert counted == tokens
    assert float(loss) == pytest.approx(by_hand, rel=1e-4)
    assert mean_loss(model, examples, pad=0, batch_size=2) == pytest.approx(
        by_hand / tokens, rel=1e-4
    )


def test_the_tail_counts_and_the_prompt_with_its_prefix_does_not(
    rows: list[CorpusRow], relations: Sequence[Relation], base: Path
) -> None:
    _, tokenizer = load_base(base)
    examples = encode_rows(rows, {relation.name: relation for relation in relations}, tokenizer)
    counted = [tokenizer.decode(example.ids[example.tail_start :]) for example in examples]
    # "to" of xWant belongs to the prompt, as it does for the teacher.
    assert counted[:2] == [" proud\n", " eat a slice\n"]


@given(st.lists(st.integers(1, 30), min_size=1, max_size=60), st.integers(1, 9), st.integers(0, 5))
def test_every_row_is_in_one_batch_an_epoch(
    lengths: list[int], batch_size: int, epoch: int
) -> None:
    batches = order_batches(lengths, batch_size=batch_size, seed=1, epoch=epoch)
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    assert max(map(len, batches)) <= batch_size
    assert batches == order_batches(lengths, batch_size=batch_size, seed=1, epoch=epoch)
