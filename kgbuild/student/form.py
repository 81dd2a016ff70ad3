"""A corpus row as text and tokens.

A row reads as the relation's prompt line followed by the tail: "PersonX bakes a cake because
PersonX wants" -> " to eat it", then a line end. COMET gave every relation a new token, which is
learned from hundreds of thousands of rows. With a thousand rows and a low-rank adapter the words
do better: the base model already understands the line, so training only has to sharpen it, and no
embedding has to be added or saved. The form is also the teacher's own without its shots, so the
same clauses hold for what the student writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kgbuild.core.errors import RelationError, did_you_mean
from kgbuild.core.records import CorpusRow
from kgbuild.core.relations import Relation, prompt_line

# Also the token that ends a completion in the decoder's settings.
END = "\n"
# A head or tail beyond this says nothing a commonsense row should; memory stays bounded.
_MAX_TOKENS = 256


@dataclass(frozen=True)
class Example:
    """A row in tokens: the loss counts from `tail_start` on."""

    ids: tuple[int, ...]
    tail_start: int


def prompt_text(relation: Relation, head: str) -> str:
    """Give the text after which the student writes the rest of a tail.

    A word that begins every tail of the relation, such as "to", belongs to the prompt.
    """
    return f"{prompt_line(relation, head)} {relation.tail_prefix or ''}".rstrip()


def complete_tail(relation: Relation, completion: str) -> str:
    """Give the tail of a completion: the word that the prompt ended in is put back."""
    return f"{relation.tail_prefix or ''} {completion.strip()}".strip()


def relation_of(relations: Mapping[str, Relation], name: str) -> Relation:
    """Find a relation the student knows.

    Raises:
        RelationError: If it was not trained with a relation of this name.
    """
    if name not in relations:
        raise RelationError(
            f"{name} is not a relation of this student{did_you_mean(name, relations)}; it knows "
            f"{', '.join(sorted(relations))}"
        )
    return relations[name]


def encode_rows(
    rows: Iterable[CorpusRow], relations: Mapping[str, Relation], tokenizer: Any
) -> list[Example]:
    """Encode rows for training or for the loss on held-out rows, in their order."""
    return [_encode(row, relation_of(relations, row.relation), tokenizer) for row in rows]


def _encode(row: CorpusRow, relation: Relation, tokenizer: Any) -> Example:
    prompt, tail = prompt_line(relation, row.head), row.tail
    prefix = relation.tail_prefix
    if prefix and tail.startswith(f"{prefix} "):
        prompt, tail = f"{prompt} {prefix}", tail.removeprefix(f"{prefix} ")
    ids = tokenizer(f"{prompt} {tail}{END}")["input_ids"]
    alone = tokenizer(prompt)["input_ids"]
    # The decoder continues the prompt's own tokens; the tail starts where the two part.
    start = 0
    while start < min(len(alone), len(ids) - 1) and alone[start] == ids[start]:
        start += 1
    dropped = max(0, min(start - 1, len(ids) - _MAX_TOKENS))
    return Example(tuple(ids[dropped:][:_MAX_TOKENS]), tail_start=max(1, start - dropped))
