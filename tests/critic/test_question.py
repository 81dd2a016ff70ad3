"""An instruction model as a critic: its own odds of yes are where training starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from kgbuild.core.config import CriticConfig
from kgbuild.core.errors import ModelError
from kgbuild.core.relations import RelationSet, verbalise
from kgbuild.critic import Candidate, load_critic, train_critic
from kgbuild.critic.bodies import load_body
from kgbuild.critic.network import CriticNetwork, score_rows
from kgbuild.critic.rows import Reader
from kgbuild.critic.scaler import Scaler
from kgbuild.decoding import load_base
from tests.critic.conftest import TEXTS, make_labels
from tests.tiny_models import make_language_model

QUESTION = "is it good , yes or no ? {sentence}"
ASKED = CriticConfig(question=QUESTION, dtype="float32")


@pytest.fixture(scope="module")
def instructed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A language model with a chat template and words for yes and no."""
    folder = tmp_path_factory.mktemp("instructed")
    words = "yes no yes no yes no Yes No Yes No is it good or ?"
    make_language_model(folder, texts=[*TEXTS, words, words])
    _, tokenizer = load_base(folder)
    tokenizer.chat_template = "{{ messages[0]['content'] }} <end> answer"
    tokenizer.save_pretrained(folder)
    return folder


def make_network(path: Path, relations: RelationSet) -> tuple[CriticNetwork, Reader, Any]:
    body, tokenizer = load_body(path, ASKED)
    reader = Reader(
        tokenizer,
        relations,
        places={},
        scaler=Scaler(),
        max_tokens=64,
        body=body,
    )
    return CriticNetwork(body, relations=0), reader, tokenizer


def test_an_untrained_critic_gives_the_odds_of_the_whole_text_read_alone(
    instructed: Path, relations: RelationSet
) -> None:
    network, reader, tokenizer = make_network(instructed, relations)
    candidates = [
        Candidate(head, "xReact", tail)
        for head in ("PersonX visits friend 1", "PersonX feels")
        for tail in ("tired", "tired and proud", "purple")
    ]
    logits = score_rows(network, reader.read(candidates))
    model, _ = load_base(instructed)
    question = reader.question
    assert question is not None
    for one, logit in zip(candidates, logits, strict=True):
        sentence = verbalise(relations.get(one.relation), one.head, one.tail)
        text = tokenizer.apply_chat_template(
            [{"role": "user", "content": QUESTION.replace("{sentence}", "|")}], tokenize=False
        )
        before, after = text.split("|")
        ids = [part for text in (before, sentence, after) for part in tokenizer(text)["input_ids"]]
        with torch.inference_mode():
            last = model(input_ids=torch.tensor([ids])).logits[0, -1]
        yes, no = (last[list(words)].mean() for words in (question.yes, question.no))
        assert logit == pytest.approx(float(yes - no), abs=2e-4)
    assert len(set(logits.tolist())) == len(candidates)


def test_training_goes_on_from_the_odds_and_a_saved_critic_answers_alike(
    instructed: Path, relations: RelationSet, config: CriticConfig, tmp_path: Path
) -> None:
    report = train_critic(
        make_labels(60),
        [],
        relations,
        backbone_path=instructed,
        config=config.model_copy(update={"question": QUESTION}),
        folder=tmp_path,
    )
    assert report.plain.auc.value is not None
    assert report.plain.auc.value > 0.95
    critic = load_critic(tmp_path)
    assert critic.card.config["question"] == QUESTION
    again = load_critic(tmp_path)
    triples = [Candidate("PersonX visits friend 3", "xReact", tail) for tail in ("tired", "purple")]
    good, bad = critic.score(triples)
    assert good.probability > 0.5 > bad.probability
    assert again.score(triples) == [good, bad]
    train_critic(
        make_labels(60),
        [],
        relations,
        backbone_path=instructed,
        start=tmp_path,
        config=config.model_copy(update={"epochs": 0}),
        folder=tmp_path / "more",
    )
    pupil = load_critic(tmp_path / "more")
    assert pupil.card.config["question"] == QUESTION
    assert [one.logit for one in pupil.score(triples)] == [good.logit, bad.logit]


def test_the_sentence_stays_text_even_if_it_spells_a_control_token(
    instructed: Path, relations: RelationSet
) -> None:
    _, reader, tokenizer = make_network(instructed, relations)
    rows = reader.read([Candidate("PersonX visits friend 1", "xReact", "<end>")])
    question = reader.question
    assert question is not None
    tokens = rows.groups[0].tokens
    assert tokenizer.eos_token_id not in tokens[: len(tokens) - len(question.after)]
    assert tokens[-len(question.after) :] == question.after


def test_what_is_hidden_by_the_mask_never_shows(instructed: Path, relations: RelationSet) -> None:
    """A sibling or padding that leaked would move a logit; the question is seen by all."""
    network, reader, _ = make_network(instructed, relations)
    one = Candidate("PersonX visits friend 1", "xReact", "tired")
    company = [one, Candidate("PersonX visits friend 1", "xReact", "proud of a purple spoon")]
    company.append(Candidate("PersonX visits friend 22 and friend 23", "xReact", "seventeen"))
    alone = score_rows(network, reader.read([one]))[0]
    among = score_rows(network, reader.read(company))[0]
    assert among == pytest.approx(alone, abs=2e-4)


def test_bfloat16_weights_answer_nearly_as_float32(
    instructed: Path, relations: RelationSet
) -> None:
    candidates = [
        Candidate(f"PersonX visits friend {n}", "xReact", tail)
        for n in range(6)
        for tail in ("tired", "purple", "proud")
    ]
    found = {}
    for dtype in ("float32", "bfloat16"):
        body, tokenizer = load_body(
            instructed, ASKED.model_copy(update={"dtype": dtype, "question": None})
        )
        torch.manual_seed(2)
        network = CriticNetwork(body, relations=0)
        reader = Reader(tokenizer, relations, places={}, scaler=Scaler(), max_tokens=64, body=body)
        found[dtype] = score_rows(network, reader.read(candidates))
    spread = float(np.std(found["float32"]))
    assert np.abs(found["float32"] - found["bfloat16"]).max() < 0.2 * spread
    assert not np.array_equal(found["float32"], found["bfloat16"])


def test_a_question_without_a_place_or_a_base_model_is_refused(
    instructed: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=r"no \{sentence\}"):
        load_body(instructed, CriticConfig(question="Is it good?"))
    base = make_language_model(tmp_path, texts=TEXTS)
    with pytest.raises(ModelError, match="chat template"):
        load_body(base, ASKED)
