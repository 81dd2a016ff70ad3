"""An instruction model as a yes/no judge of sentences, without training.

Its soft verdicts on many candidates are the silver labels that teach the small critic.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from kgbuild.decoding import AS_TEXT, PLACE, Question

# The sentence stands last, so that nearly all of the prompt is read once and not once a sentence.
JUDGE_PROMPT = (
    "Is this statement good common sense? PersonX and PersonY are people. Answer yes if a typical "
    "adult would accept it: it is true or likely, it fits the thing or event it names, and it is "
    "grammatical. Answer no if it is false, far-fetched, makes no sense, only repeats itself or "
    "says nothing. Answer with one word, yes or no.\n"
    f"Statement: {PLACE}"
)
_CHUNK = 128


def judge_sentences(
    model: Any,
    tokenizer: Any,
    sentences: Sequence[str],
    *,
    prompt: str = JUDGE_PROMPT,
    is_chat: bool = True,
    batch_size: int = 32,
) -> Iterator[float]:
    """Give for every sentence, in order, the model's odds of yes as P(yes) / (P(yes) + P(no)).

    What stands before the sentence is read once; the rest is read in batches of like length,
    formed inside fixed chunks, so that answers come as they are ready. On a CPU without AVX-512
    load the model as float32: bfloat16 there multiplies matrices at a sixth of the speed.

    Args:
        model: A causal language model, as `load_language_model` gives it.
        tokenizer: Its tokenizer.
        sentences: Verbalised triples.
        prompt: The question, with `{sentence}` where the sentence goes.
        is_chat: Ask in the model's chat template. Otherwise the prompt is text that the model goes
            on from, such as a list of answered questions, which any language model understands.
        batch_size: Sentences read together.

    Raises:
        ModelError: If the tokenizer has no chat template to ask in, or the prompt no place for a
            sentence.
    """
    question = Question.of(tokenizer, prompt, is_chat=is_chat)
    words = [list(question.yes), list(question.no)]
    with torch.inference_mode():
        before = torch.tensor([question.before], device=model.device)
        start = model(input_ids=before, use_cache=True, logits_to_keep=1)
        for first in range(0, len(sentences), _CHUNK):
            chunk = [
                [*tokenizer(sentence, **AS_TEXT)["input_ids"], *question.after]
                for sentence in sentences[first : first + _CHUNK]
            ]
            odds = [0.0] * len(chunk)
            order = sorted(range(len(chunk)), key=lambda index: len(chunk[index]))
            for place in range(0, len(order), batch_size):
                batch = order[place : place + batch_size]
                answers = _judge_batch(
                    model, start.past_key_values, [chunk[index] for index in batch], words
                )
                for index, answer in zip(batch, answers, strict=True):
                    odds[index] = answer
            yield from odds


def _judge_batch(
    model: Any, cache: Any, rests: list[list[int]], words: list[list[int]]
) -> list[float]:
    longest = max(map(len, rests))
    # Padding stands on the right, where a causal model cannot see it.
    ids = torch.tensor(
        [rest + [rest[-1]] * (longest - len(rest)) for rest in rests], device=model.device
    )
    own = copy.deepcopy(cache)
    own.batch_repeat_interleave(len(rests))
    lasts = sorted({len(rest) - 1 for rest in rests})
    out = model(
        input_ids=ids,
        past_key_values=own,
        use_cache=True,
        logits_to_keep=torch.tensor(lasts, device=ids.device),
    )
    rows = torch.arange(len(rests), device=ids.device)
    columns = torch.tensor([lasts.index(len(rest) - 1) for rest in rests], device=ids.device)
    logits = out.logits[rows, columns].float()  # (sentences, vocabulary)
    yes, no = (logits[:, word].logsumexp(-1) for word in words)
    odds: list[float] = torch.sigmoid(yes - no).tolist()
    return odds
