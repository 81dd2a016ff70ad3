"""The door of the room: prompts in, triples and rejections out, in the order of the prompts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice

from kgbuild.core.config import DecodingConfig, TeacherConfig, plain
from kgbuild.core.ids import content_key
from kgbuild.core.records import Provenance, Rejection, Triple
from kgbuild.decoding import Hypothesis
from kgbuild.prompts import Prompt
from kgbuild.teacher.choose import Candidate, choose_best
from kgbuild.teacher.parse import parse_completion
from kgbuild.teacher.protocol import Teacher

STAGE = "teacher"
_PRIORS_A_PROMPT = 4


def shard_prompts(prompts: Iterable[Prompt], size: int) -> Iterator[tuple[Prompt, ...]]:
    """Cut prompts into shards, the unit of resume.

    Batches never reach over a shard, so the answers of a shard are the same whether it is asked
    in one go with others or alone after an interruption.
    """
    source = iter(prompts)
    while shard := tuple(islice(source, size)):
        yield shard


def generate_triples(
    prompts: Iterable[Prompt],
    teacher: Teacher,
    *,
    config: TeacherConfig,
    decoding: DecodingConfig,
    seed: int,
    run: str = "",
    round_number: int = 0,
) -> Iterator[Triple | Rejection]:
    """Give the best tails of every prompt as triples, and a rejection for each other completion.

    Everything about one prompt comes together, triples before rejections, prompts in their order.

    Args:
        prompts: What to ask; neighbours that share their prefix are asked together.
        teacher: The model, or a scripted double.
        config: Batch and shard size, tails kept, weight of the prior.
        decoding: Search or sampling.
        seed: Of sampling.
        run: Id of the run, for provenance.
        round_number: Self-imitation round, for provenance.
    """
    key = f"{decoding.method}:{content_key(plain(decoding))}"
    for shard in shard_prompts(prompts, config.shard_prompts):
        answers = _ask_shard(shard, teacher, config=config, decoding=decoding, seed=seed)
        for prompt, candidates in zip(shard, answers, strict=True):
            kept, dropped = choose_best(
                prompt, candidates, kept=config.kept, prior_weight=config.prior_weight
            )
            for rank, candidate in enumerate(kept):
                yield _make_triple(
                    prompt,
                    candidate,
                    teacher,
                    rank=rank,
                    decoding=key,
                    run=run,
                    round_number=round_number,
                )
            yield from dropped


def _ask_shard(
    shard: Sequence[Prompt],
    teacher: Teacher,
    *,
    config: TeacherConfig,
    decoding: DecodingConfig,
    seed: int,
) -> list[list[Candidate]]:
    # Prompts of one few-shot head together, short ones with short ones; the sort is stable.
    order = sorted(
        range(len(shard)), key=lambda index: (shard[index].prefix, shard[index].characters)
    )
    asked = [shard[index] for index in order]
    said = teacher.complete(
        [prompt.text for prompt in asked],
        [prompt.constraints for prompt in asked],
        prefixes=[prompt.prefix for prompt in asked],
        settings=decoding,
        seed=int(content_key([seed, asked[0].prompt_id]), 16) % 2**63,
        at_once=config.batch_prompts,
    )
    answers: list[list[Candidate]] = [[] for _ in shard]
    pairs = zip(order, asked, said, strict=True)
    for _, family in groupby(pairs, key=lambda pair: pair[1].prefix):
        indexes, prompts, hypotheses = zip(*family, strict=True)
        found = _score_priors(prompts, hypotheses, teacher, config=config)
        for index, candidates in zip(indexes, found, strict=True):
            answers[index] = candidates
    return answers


def _score_priors(
    batch: Sequence[Prompt],
    answers: Sequence[Sequence[Hypothesis]],
    teacher: Teacher,
    *,
    config: TeacherConfig,
) -> list[list[Candidate]]:
    """Parse what was said, and score every tail behind its head-free line.

    Heads of one few-shot head share that line too, so a tail that several give is scored once.
    """
    parsed = [
        [(hypothesis, parse_completion(prompt, hypothesis)) for hypothesis in hypotheses]
        for prompt, hypotheses in zip(batch, answers, strict=True)
    ]
    # A dict keeps the order, so batches are the same every time.
    asked = dict.fromkeys(
        (prompt.prior_text, _end_text(hypothesis))
        for prompt, pairs in zip(batch, parsed, strict=True)
        for hypothesis, said in pairs
        if not said.reason
    )
    scores: list[tuple[float, int]] = []
    if asked:
        texts, completions = zip(*asked, strict=True)
        size = config.batch_prompts * _PRIORS_A_PROMPT
        scores = teacher.score(texts, completions, prefix=batch[0].prefix, batch_size=size)
    priors = dict(zip(asked, scores, strict=True))
    return [
        [
            Candidate(
                hypothesis=hypothesis,
                parsed=said,
                prior=priors.get((prompt.prior_text, _end_text(hypothesis)), (0.0, 0)),
            )
            for hypothesis, said in pairs
        ]
        for prompt, pairs in zip(batch, parsed, strict=True)
    ]


def _end_text(hypothesis: Hypothesis) -> str:
    # As it stood in the line: a space before, and the full stop that ended it.
    return f" {hypothesis.text}."


def _make_triple(
    prompt: Prompt,
    candidate: Candidate,
    teacher: Teacher,
    *,
    rank: int,
    decoding: str,
    run: str,
    round_number: int,
) -> Triple:
    hypothesis = candidate.hypothesis
    provenance = Provenance(
        source=STAGE,
        teacher=teacher.name,
        teacher_hash=teacher.weights_hash,
        prompt_id=prompt.prompt_id,
        decoding=decoding,
        log_probability=hypothesis.log_probability,
        mean_log_probability=hypothesis.mean_log_probability,
        prior_log_probability=candidate.prior[0],
        tokens=len(hypothesis.token_ids),
        clauses=len(hypothesis.met) + len(hypothesis.unmet),
        clauses_met=len(hypothesis.met),
        rank=rank,
        run=run,
        round=round_number,
    )
    return Triple.of(
        prompt.head, prompt.relation, candidate.parsed.tail, kind=prompt.kind, provenance=provenance
    )
