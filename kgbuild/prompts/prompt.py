"""One question to the teacher: text, few-shot head and what the answer must and must not say."""

from __future__ import annotations

from dataclasses import dataclass

from kgbuild.core.ids import content_key
from kgbuild.core.records import HeadKind, Record
from kgbuild.decoding.clauses import ConstraintSet


class PromptRow(Record):
    """A prompt as a run writes it down, so that `prompt_id` can be looked up in full."""

    prompt_id: str
    head: str
    relation: str
    kind: HeadKind
    prefix: str
    text: str
    prior_text: str
    tail_prefix: str
    rotation: int


@dataclass(frozen=True)
class Prompt:
    """What the teacher reads and is held to for one head and one relation.

    Attributes:
        prompt_id: Key of the full text.
        prefix: The few-shot lines, ending in a line end. All prompts of one relation and
            rotation share it, so its keys and values are computed once.
        text: The question line, tail prefix included and no space at its end.
        prior_text: The same line about nobody's event: what the model would say anyway.
        tail_prefix: What the question line already says of the tail, such as "to".
        rotation: Which choice of shots the prefix is.
        banned_tails: The tails shown, where copying one is no answer; empty where few are right.
        constraints: The clauses of the relation, of the shots and of the head.
    """

    prompt_id: str
    head: str
    relation: str
    kind: HeadKind
    prefix: str
    text: str
    prior_text: str
    tail_prefix: str
    rotation: int
    banned_tails: tuple[str, ...]
    constraints: ConstraintSet

    @property
    def characters(self) -> int:
        """Length of the question line; the prefix counts once a batch."""
        return len(self.text)

    def row(self) -> PromptRow:
        """Give the part that a run writes down."""
        return PromptRow(**{name: getattr(self, name) for name in PromptRow.model_fields})


def key_prompt(prefix: str, text: str) -> str:
    """Give the id of a prompt, the key of all it says."""
    return content_key(["prompt", prefix, text])
