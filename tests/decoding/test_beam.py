from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kgbuild.core.config import DecodingConfig
from kgbuild.core.errors import ClauseError, ModelError
from kgbuild.decoding import (
    AnyOf,
    Clause,
    ConstraintSet,
    Count,
    EndsWith,
    Hypothesis,
    Not,
    StartsWith,
    Vocabulary,
    beam_search,
    compile_clauses,
    score_completions,
)
from kgbuild.decoding.beam_item import BeamItem
from kgbuild.decoding.compiling import check_repeats
from tests.decoding.families import SEQ2SEQ, build_seq2seq

PLAIN = DecodingConfig(
    beams=4,
    max_new_tokens=6,
    no_repeat_ngram=0,
    is_diverse=False,
    ends=(".",),
    end_floor=-100.0,
    returned=3,
)
EVERY_KIND = {
    "nothing": ConstraintSet(),
    "any of": ConstraintSet((AnyOf(("ab", "b a")),)),
    "two clauses that share a phrase": ConstraintSet((AnyOf(("b", "a a")), AnyOf(("b",)))),
    "unbounded": ConstraintSet((AnyOf(("ab",), boundary="none"), Not("ba", boundary="none"))),
    "ban": ConstraintSet((Not("a"), Not("b b"))),
    "wanted and banned": ConstraintSet((AnyOf(("a b",)), Not("b a"), Not("bb"))),
    "counted": ConstraintSet((Count(("a", "ab"), min=1, max=2),)),
    "counted within words": ConstraintSet((Count(("a", "ab"), min=2, max=3, boundary="none"),)),
    "at most": ConstraintSet((Count(("a", "b"), max=1), AnyOf(("a", "b", "aa")))),
    "mixed clause": ConstraintSet((Clause(positive=("b",), negative=("a",)), AnyOf(("a",)))),
    "two negatives": ConstraintSet((Clause(negative=("a", "b")),)),
    "anchored": ConstraintSet((StartsWith(("a b", "bb")), Not("b a"))),
    "at the end": ConstraintSet((EndsWith(("b", "a a")),)),
    "at both ends": ConstraintSet((StartsWith(("a",)), EndsWith(("b a", "ab")), Not("b b"))),
    "inside the last word": ConstraintSet((EndsWith(("ba",), boundary="none"),)),
    "the beginning of a word": ConstraintSet((StartsWith(("ab", "ba"), boundary="none"),)),
    "an end and more": ConstraintSet((EndsWith(("b",)), AnyOf(("a a", "b a"))), max_words=3),
    "case": ConstraintSet((AnyOf(("Ab", "A"), case="match"), AnyOf(("ab",)))),
    "case banned": ConstraintSet((Not("A", case="match"), AnyOf(("a",)))),
    "case, unbounded": ConstraintSet((Not("aA", boundary="none", case="match"),)),
    "case counted": ConstraintSet((Count(("A", "b"), min=1, max=1, case="match"),)),
    "case of a mixed clause": ConstraintSet(
        (Clause(positive=("B", "Aa"), negative=("a",), case="match"), AnyOf(("a",)))
    ),
    "case at both ends": ConstraintSet(
        (StartsWith(("A",), case="match"), EndsWith(("a", "b"), case="match"))
    ),
    "length": ConstraintSet((AnyOf(("a",)),), min_words=2, max_words=2),
    "everything": ConstraintSet(
        (AnyOf(("b", "ab")), Not("a a"), Count(("a",), max=1), Clause(("ba",), ("aab",))),
        max_words=3,
    ),
}


def rank_all(
    model: Any, tokenizer: Any, prompt: str, constraints: ConstraintSet, config: Any, judge: Any
) -> list[tuple[int, bool, float, str]]:
    """Try every string of tokens: the definition that the search has to reach."""
    vocabulary = Vocabulary.of(tokenizer, ends=config.ends)
    ends = list(vocabulary.end_ids)
    free = [i for i in range(len(tokenizer)) if i not in (*ends, *vocabulary.blocked_ids)]
    start = tokenizer(prompt)["input_ids"]
    strings = list(itertools.product(free, repeat=config.max_new_tokens))
    ids = torch.tensor([[*start, *string] for string in strings])
    with torch.no_grad():
        logp = model(ids).logits.log_softmax(-1)[:, len(start) - 1 :]  # (strings, T + 1, vocab)
    best: dict[str, tuple[int, bool, float, str]] = {}
    done = set()
    for row, string in zip(logp, strings, strict=True):
        total = 0.0
        for length in range(len(string) + 1):
            if string[:length] not in done:
                done.add(string[:length])
                text = vocabulary.read_text(string[:length]).strip()
                met, is_lawful, is_long = judge(text, constraints)
                is_full = length == config.max_new_tokens
                is_open = config.mode == "soft" or len(met) == len(constraints.clauses)
                score, new = total, length
                is_end = is_open and is_long and float(row[length, ends].max()) >= config.end_floor
                if is_lawful and text and (is_full or is_end):
                    if not is_full:
                        score, new = total + float(row[length, ends].max()), length + 1
                    score /= new**config.length_penalty
                    order = (len(met), not is_full, score, text)
                    key = " ".join(text.casefold().split())
                    best[key] = max(best.get(key, order), order)
            if length < len(string):
                total += float(row[length, string[length]])
    return sorted(best.values(), reverse=True)[: config.returned]


@pytest.mark.parametrize("mode", ["hard", "soft"])
@pytest.mark.parametrize("kind", EVERY_KIND)
def test_a_full_beam_finds_what_trying_every_string_finds(
    kind: str, mode: str, make_tokenizer: Callable[..., Any], make_model: Any, judge: Any
) -> None:
    fourth = "A" if "case" in kind else " a"
    tokenizer = make_tokenizer(["a", "b", " ", fourth, "."])
    config = PLAIN.model_copy(
        update={
            "beams": 256,
            "max_new_tokens": 4,
            "clause_tolerance": 99,
            "mode": mode,
            "end_floor": -2.5,
        }
    )
    for seed in range(3):
        model = make_model("llama" if seed % 2 else "gpt2", vocab=6, seed=seed)
        wanted = rank_all(model, tokenizer, "ab a", EVERY_KIND[kind], config, judge)
        found = beam_search(
            model, tokenizer, ["ab a"], [EVERY_KIND[kind]], settings=config, is_exact=True
        )[0]
        assert [(len(h.met), h.is_ended) for h in found] == [order[:2] for order in wanted]
        scores = [h.log_probability / len(h.token_ids) ** config.length_penalty for h in found]
        assert scores == pytest.approx([order[2] for order in wanted], abs=1e-4)
        assert [h.text for h in found] == [order[3] for order in wanted]


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
@pytest.mark.parametrize("beams", [1, 2, 4, 7])
def test_without_clauses_it_is_plain_beam_search(
    kind: str, beams: int, make_tokenizer: Any, make_model: Any
) -> None:
    tokenizer = make_tokenizer(list("abcdefgh "))
    model = make_model(kind, vocab=len(tokenizer), seed=beams)
    config = PLAIN.model_copy(
        update={"beams": beams, "ends": (), "min_new_tokens": 6, "returned": 1}
    )
    ids = torch.tensor([tokenizer("bad egg")["input_ids"]])
    wanted = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        num_beams=beams,
        do_sample=False,
        max_new_tokens=6,
        min_new_tokens=6,
        pad_token_id=0,
    )
    found = beam_search(model, tokenizer, ["bad egg"], [ConstraintSet()], settings=config)[0]
    assert found[0].token_ids == tuple(wanted[0, ids.shape[1] :].tolist())


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_a_ragged_batch_gives_what_its_prompts_give_alone(
    kind: str, letters: Any, make_model: Any
) -> None:
    model = make_model(kind, vocab=len(letters), seed=3)
    prompts = ["a", "ab ca b", "b b b b a", "cab"]
    sets = [
        ConstraintSet((AnyOf(("ab", "ca")), Not("b"))),
        ConstraintSet(),
        ConstraintSet((Not("a"), Count(("q",), min=1, max=1)), max_words=3),
        ConstraintSet((AnyOf(("a q",)), AnyOf(("b", "c")))),
    ]
    config = PLAIN.model_copy(update={"max_new_tokens": 8, "no_repeat_ngram": 3})
    together = beam_search(model, letters, prompts, sets, settings=config)
    for prompt, one, found in zip(prompts, sets, together, strict=True):
        alone = beam_search(model, letters, [prompt], [one], settings=config)[0]
        assert [h.token_ids for h in alone] == [h.token_ids for h in found]
        assert [h.log_probability for h in alone] == pytest.approx(
            [h.log_probability for h in found], abs=1e-4
        )


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_a_shared_prefix_changes_nothing(kind: str, letters: Any, make_model: Any) -> None:
    model = make_model(kind, vocab=len(letters), seed=5)
    prefix = "ab ca q\nb a b a\nca ca ab\n"
    prompts = ["a b", "q", "ca b ab a"]
    sets = [ConstraintSet((AnyOf(("q", "c")),))] * 3
    shared = beam_search(model, letters, prompts, sets, settings=PLAIN, prefix=prefix)
    for prompt, found in zip(prompts, shared, strict=True):
        alone = beam_search(model, letters, [prefix + prompt], sets[:1], settings=PLAIN)[0]
        assert [h.token_ids for h in alone] == [h.token_ids for h in found]
        assert [h.log_probability for h in alone] == pytest.approx(
            [h.log_probability for h in found], abs=1e-4
        )


def test_one_beam_is_greedy_search_that_steps_around_bans(
    make_tokenizer: Any, make_model: Any
) -> None:
    tokenizer = make_tokenizer(list("abcd "))
    config = PLAIN.model_copy(
        update={"beams": 1, "ends": (), "min_new_tokens": 6, "clause_tolerance": 0}
    )
    for seed in range(5):
        model = make_model("gpt2", vocab=len(tokenizer), seed=seed)
        bans = ConstraintSet(tuple(Not(ban, boundary="none") for ban in ("aa", "bb", "c", "dab")))
        ids = tokenizer("ab")["input_ids"]
        text = ""
        for _ in range(6):
            logits = model(torch.tensor([ids])).logits[0, -1]
            for token in logits.argsort(descending=True).tolist():
                after = text + tokenizer.decode([token]) if token else text
                if token and not any(ban in after for ban in ("aa", "bb", "c", "dab")):
                    ids, text = [*ids, token], after
                    break
        found = beam_search(model, tokenizer, ["ab"], [bans], settings=config)[0]
        assert list(found[0].token_ids) == ids[2:]


PHRASES = st.text(alphabet="abcq é", min_size=1, max_size=4).filter(str.strip)
BOUNDARIES = st.sampled_from(["word", "none"])
BANS = st.builds(Not, PHRASES, boundary=BOUNDARIES)
WANTED = st.builds(
    lambda phrases, boundary: AnyOf(tuple(phrases), boundary=boundary),
    st.lists(PHRASES, min_size=1, max_size=3),
    BOUNDARIES,
)
COUNTED = st.builds(
    lambda phrases, low, more: Count(tuple(phrases), min=low, max=low + more),
    st.lists(PHRASES, min_size=1, max_size=2),
    st.integers(0, 1),
    st.integers(0, 1),
)
MIXED = st.builds(
    lambda positive, negative: Clause(tuple(positive), tuple(negative)),
    st.lists(PHRASES, max_size=2),
    st.lists(PHRASES, min_size=1, max_size=2),
)
CLAUSES = st.lists(BANS | WANTED | COUNTED | MIXED, min_size=1, max_size=4)


@settings(max_examples=80, deadline=None)
@given(
    clauses=CLAUSES,
    seed=st.integers(0, 9),
    mode=st.sampled_from(["hard", "soft"]),
    words=st.none() | st.integers(1, 3),
)
def test_no_banned_phrase_is_ever_written_and_what_is_met_is_told(
    clauses: list[Any],
    seed: int,
    mode: str,
    words: int | None,
    letters: Any,
    make_model: Any,
    judge: Any,
) -> None:
    constraints = ConstraintSet(tuple(clauses), max_words=words)
    model = make_model("llama", vocab=len(letters), seed=seed)
    config = PLAIN.model_copy(
        update={"mode": mode, "ends": (".", "\n"), "is_diverse": seed % 2 == 0}
    )
    try:
        found = beam_search(model, letters, ["ab ca"], [constraints], settings=config)[0]
    except ClauseError:
        return
    for hypothesis in found:
        met, is_lawful, _ = judge(hypothesis.text, constraints)
        assert is_lawful
        assert hypothesis.met == met
        assert sorted(hypothesis.met + hypothesis.unmet) == list(range(len(clauses)))
        assert mode == "soft" or not hypothesis.is_ended or not hypothesis.unmet
        assert "\n" not in hypothesis.text


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_log_probabilities_are_those_of_the_tokens_read_back(
    kind: str, letters: Any, make_model: Any
) -> None:
    model = make_model(kind, vocab=len(letters), seed=8)
    sets = [ConstraintSet((AnyOf(("q", "b")), Not("a")))] * 2
    prompts = ["ab ca", "b"]
    found = beam_search(model, letters, prompts, sets, settings=PLAIN)
    for prompt, hypotheses in zip(prompts, found, strict=True):
        for hypothesis in hypotheses:
            start = letters(prompt)["input_ids"]
            ids = torch.tensor([[*start, *hypothesis.token_ids]])
            logp = model(ids).logits.log_softmax(-1)[0, len(start) - 1 : -1]
            total = float(logp.gather(1, ids[0, len(start) :, None]).sum())
            assert hypothesis.log_probability == pytest.approx(total, abs=2e-3)
            assert hypothesis.mean_log_probability * len(hypothesis.token_ids) == pytest.approx(
                hypothesis.log_probability
            )


def test_results_follow_a_renumbering_of_the_tokens(make_tokenizer: Any, make_model: Any) -> None:
    pieces = ["a", "b", " ", " a", ".", "ab"]
    swapped = [pieces[place] for place in (3, 5, 0, 4, 1, 2)]
    first, second = make_tokenizer(pieces), make_tokenizer(swapped)
    model, twin = (make_model("llama", vocab=7, seed=2) for _ in range(2))
    order = [0, *(1 + pieces.index(piece) for piece in swapped)]
    with torch.no_grad():
        twin.model.embed_tokens.weight.copy_(model.model.embed_tokens.weight[order])
        twin.lm_head.weight.copy_(model.lm_head.weight[order])
    sets = [ConstraintSet((AnyOf(("ab", "b")), Not("a")))]
    one = beam_search(model, first, ["b"], sets, settings=PLAIN)[0]
    other = beam_search(twin, second, ["b"], sets, settings=PLAIN)[0]
    assert [h.text for h in one] == [h.text for h in other]


def test_another_phrase_in_a_clause_never_meets_less_at_full_beam(
    make_tokenizer: Any, make_model: Any
) -> None:
    tokenizer = make_tokenizer(["a", "b", " ", " a", "."])
    config = PLAIN.model_copy(update={"beams": 256, "max_new_tokens": 4, "clause_tolerance": 99})
    for seed in range(4):
        model = make_model("llama", vocab=6, seed=seed)
        few = (AnyOf(("ab a",)), AnyOf(("b b",)), AnyOf(("aab",)))
        more = (AnyOf(("ab a", "b")), *few[1:])
        counts = [
            len(beam_search(model, tokenizer, ["a"], [ConstraintSet(c)], settings=config)[0][0].met)
            for c in (few, more, more[::-1])
        ]
        assert counts[0] <= counts[1] == counts[2]


def test_bfloat16_meets_the_same_clauses(letters: Any, make_model: Any) -> None:
    model = make_model("llama", vocab=len(letters), seed=4)
    sets = [ConstraintSet((AnyOf(("q",)), AnyOf(("ab",)), Not("b")))]
    config = PLAIN.model_copy(update={"max_new_tokens": 10})
    full = beam_search(model, letters, ["ca b"], sets, settings=config)[0]
    half = beam_search(model.to(torch.bfloat16), letters, ["ca b"], sets, settings=config)[0]
    assert full[0].met == half[0].met == (0, 1, 2)


def test_what_does_not_fit_is_returned_as_unmet(letters: Any, make_model: Any) -> None:
    model = make_model("llama", vocab=len(letters), seed=1)
    sets = [ConstraintSet((AnyOf(("a b c a b c",)), Not("q")))]
    config = PLAIN.model_copy(update={"max_new_tokens": 3})
    best = beam_search(model, letters, ["a"], sets, settings=config)[0][0]
    assert best.unmet == (0,)
    assert not best.is_ended


def test_clauses_in_the_prompt_do_not_count(letters: Any, make_model: Any) -> None:
    model = make_model("llama", vocab=len(letters), seed=1)
    best: Hypothesis = beam_search(
        model, letters, ["q b"], [ConstraintSet((AnyOf(("q",)),))], settings=PLAIN
    )[0][0]
    assert "q" in best.text


def test_stopping_early_gives_what_going_on_would_give(
    make_tokenizer: Any, make_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = make_tokenizer(list("abcd."))
    config = PLAIN.model_copy(update={"max_new_tokens": 12, "beams": 3})
    sets = [ConstraintSet((Not("c", boundary="none"),))]
    steps: list[int] = []
    lists = []
    for is_patient in (False, True):
        if is_patient:
            monkeypatch.setattr(BeamItem, "_is_settled", lambda *_: False)
        for seed in range(8):
            model = make_model("llama", vocab=6, seed=seed)
            model.register_forward_hook(lambda *_, seed=seed: steps.append(seed))
            found = beam_search(model, tokenizer, ["ab"], sets, settings=config, is_exact=True)[0]
            lists.append([h.token_ids for h in found])
        steps.append(-1)
    assert lists[:8] == lists[8:]
    assert steps.index(-1) < len(steps) / 2 - 1  # some searches did stop early


def test_n_grams_are_not_repeated_but_the_prompt_is_free(letters: Any, make_model: Any) -> None:
    model = make_model("gpt2", vocab=len(letters), seed=6)
    config = PLAIN.model_copy(update={"max_new_tokens": 12, "no_repeat_ngram": 2, "ends": ()})
    for hypothesis in beam_search(model, letters, ["a"], [ConstraintSet()], settings=config)[0]:
        pairs = list(itertools.pairwise(hypothesis.token_ids))
        assert len(set(pairs)) == len(pairs)


def test_diverse_lists_begin_with_different_words(letters: Any, make_model: Any) -> None:
    model = make_model("llama", vocab=len(letters), seed=0)
    config = PLAIN.model_copy(
        update={"beams": 8, "returned": 4, "is_diverse": True, "max_new_tokens": 8, "ends": (".",)}
    )
    found = beam_search(model, letters, ["ab"], [ConstraintSet(min_words=2)], settings=config)[0]
    texts = [" ".join(h.text.casefold().split()) for h in found]
    assert len(set(texts)) == len(texts)
    ended = [h.text.casefold().split()[0] for h in found if h.is_ended]
    assert len(set(ended)) >= min(3, len(ended))


def test_unusable_logits_name_the_row(letters: Any, make_model: Any) -> None:
    model = make_model("llama", vocab=len(letters), seed=0)
    with torch.no_grad():
        model.lm_head.weight.fill_(float("nan"))
    with pytest.raises(ModelError, match="prompt 0, beam 0"):
        beam_search(model, letters, ["a"], [ConstraintSet()], settings=PLAIN)


def test_logits_beyond_the_tokenizer_are_never_chosen(letters: Any, make_model: Any) -> None:
    model = make_model("llama", vocab=len(letters) + 40, seed=0)
    for hypothesis in beam_search(model, letters, ["a"], [ConstraintSet()], settings=PLAIN)[0]:
        assert max(hypothesis.token_ids) < len(letters)


def test_prompts_and_sets_have_to_match(letters: Any, make_model: Any) -> None:
    model = make_model("llama", vocab=len(letters), seed=0)
    with pytest.raises(ClauseError, match="2 prompts came with 1"):
        beam_search(model, letters, ["a", "b"], [ConstraintSet()], settings=PLAIN)
    assert beam_search(model, letters, [], [], settings=PLAIN) == []


def test_blocked_n_grams_that_a_phrase_needs_are_named(
    make_tokenizer: Any, make_model: Any
) -> None:
    tokenizer = make_tokenizer(["a", " a", " q"])
    model = make_model("llama", vocab=4, seed=0)
    config = PLAIN.model_copy(update={"no_repeat_ngram": 2})
    sets = [ConstraintSet((AnyOf(("q a q a",)),))]
    with pytest.raises(ClauseError, match="no_repeat_ngram=2"):
        beam_search(model, tokenizer, ["a"], sets, settings=config)


def test_a_phrase_that_another_cut_writes_without_repeats_is_not_refused(letters: Any) -> None:
    for phrase in ("a q a q", "b b b"):  # as "a", " q", " a", " ", "q"
        compiled = compile_clauses(ConstraintSet((AnyOf((phrase,)),)), Vocabulary.of(letters))
        check_repeats(compiled, ngram=2)


def test_scores_of_completions_match_the_search(letters: Any, make_model: Any) -> None:
    model = make_model("gpt2", vocab=len(letters), seed=8)
    completions = [" ab q.", "a", "", " b b b"]
    prompts = ["ca", "ab ca b", "q", "a q b ca"]
    prefix = "ab ca q\nb a b a\nca ca ab\n"
    found = score_completions(model, letters, prompts, completions, prefix=prefix, batch_size=3)
    for prompt, completion, (total, count) in zip(prompts, completions, found, strict=True):
        start = letters(prefix + prompt)["input_ids"]
        tail = letters(completion)["input_ids"] if completion else []
        assert count == len(tail)
        if tail:
            ids = torch.tensor([[*start, *tail]])
            logp = model(ids).logits.log_softmax(-1)[0, len(start) - 1 : -1]
            wanted = float(logp.gather(1, torch.tensor(tail)[:, None]).sum())
            assert total == pytest.approx(wanted, abs=1e-3)


class AsCausal:
    """An encoder-decoder read like a causal model whose prompt has `count` tokens."""

    def __init__(self, model: Any, count: int) -> None:
        self.model, self.count = model, count

    def __call__(self, ids: torch.Tensor) -> Any:
        start = torch.full((len(ids), 1), self.model.config.decoder_start_token_id)
        output = self.model(
            input_ids=ids[:, : self.count],
            decoder_input_ids=torch.cat([start, ids[:, self.count :]], dim=1),
        )
        output.logits = torch.nn.functional.pad(output.logits, (0, 0, self.count - 1, 0))
        return output


@pytest.mark.parametrize("family", SEQ2SEQ)
@pytest.mark.parametrize("kind", ["nothing", "any of", "everything", "at both ends"])
def test_an_encoder_decoder_finds_what_trying_every_string_finds(
    family: str, kind: str, make_tokenizer: Any, judge: Any
) -> None:
    tokenizer = make_tokenizer(["a", "b", " ", " a", "."])
    config = PLAIN.model_copy(
        update={"beams": 256, "max_new_tokens": 4, "clause_tolerance": 99, "end_floor": -2.5}
    )
    count = len(tokenizer("ab a")["input_ids"])
    for seed in range(2):
        model = build_seq2seq(family, vocab=6, seed=seed)
        causal = AsCausal(model, count)
        wanted = rank_all(causal, tokenizer, "ab a", EVERY_KIND[kind], config, judge)
        found = beam_search(
            model, tokenizer, ["ab a"], [EVERY_KIND[kind]], settings=config, is_exact=True
        )[0]
        assert [h.text for h in found] == [order[3] for order in wanted]
        scores = [h.log_probability / len(h.token_ids) ** config.length_penalty for h in found]
        assert scores == pytest.approx([order[2] for order in wanted], abs=1e-4)


def test_more_beams_and_more_tolerance_meet_no_less_on_average(
    letters: Any, make_model: Any
) -> None:
    constraints = ConstraintSet((AnyOf(("abc", "q b")), AnyOf(("ca",)), AnyOf(("b b",)), Not("a")))
    met: dict[tuple[int, int], int] = {}
    # Fewer than four are all spent on those that met most, which is a search of its own.
    for beams, tolerance in ((4, 2), (8, 2), (16, 2), (16, 4)):
        settings = PLAIN.model_copy(
            update={"beams": beams, "clause_tolerance": tolerance, "max_new_tokens": 9}
        )
        for seed in range(12):
            model = make_model("gpt2", vocab=len(letters), seed=seed)
            found = beam_search(model, letters, ["c b"], [constraints], settings=settings)[0]
            key = (beams, tolerance)
            met[key] = met.get(key, 0) + (len(found[0].met) if found else 0)
    # Not in every case: beam search is not monotone in its width.
    assert met[4, 2] <= met[8, 2] <= met[16, 2] <= met[16, 4] == 12 * 4, met
