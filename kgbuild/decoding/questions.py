"""A yes/no question about a sentence, as an instruction model reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kgbuild.core.errors import ModelError

PLACE = "{sentence}"
# How a tokenizer reads what stands in a question: what spells a control token stays text.
AS_TEXT = {"add_special_tokens": False, "split_special_tokens": True}
_SPELLINGS = {"yes": ("Yes", "yes", " Yes", " yes", "YES"), "no": ("No", "no", " No", " no", "NO")}


@dataclass(frozen=True)
class Question:
    """The tokens around a sentence, and those that answer.

    Attributes:
        before: Tokens before the sentence; the same for all, so a model reads them once.
        after: Tokens behind it, up to where the answer stands.
        yes: Single tokens that say yes.
        no: Single tokens that say no.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    yes: tuple[int, ...]
    no: tuple[int, ...]

    @classmethod
    def of(cls, tokenizer: Any, text: str, *, is_chat: bool = True) -> Question:
        """Put a question into the words of a model's chat template.

        Args:
            tokenizer: With a chat template.
            text: The question, with `{sentence}` where the sentence goes.
            is_chat: Otherwise the text is one that the model goes on from, such as a list of
                answered questions, and no template is needed.

        Raises:
            ModelError: If the tokenizer has no chat template or no single token for yes or no, or
                the question no place for a sentence.
        """
        if PLACE not in text:
            raise ModelError(f"the judge's prompt has no {PLACE}; write it where the sentence goes")
        start: list[int] = []
        if not is_chat:
            bos = getattr(tokenizer, "bos_token_id", None)
            start = [] if bos is None else [bos]
            framed = text
        elif not getattr(tokenizer, "chat_template", None):
            raise ModelError(
                "the judge's tokenizer has no chat template; use an instruction model such as "
                "qwen2.5-coder-1.5b"
            )
        else:
            framed = tokenizer.apply_chat_template(
                [{"role": "user", "content": text}], tokenize=False, add_generation_prompt=True
            )
        before, after = (
            tokenizer(part, add_special_tokens=False)["input_ids"] if part else []
            for part in framed.split(PLACE, maxsplit=1)
        )
        return cls(
            before=(*start, *before),
            after=tuple(after),
            yes=_list_spellings(tokenizer, "yes"),
            no=_list_spellings(tokenizer, "no"),
        )


def _list_spellings(tokenizer: Any, word: str) -> tuple[int, ...]:
    encoded = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in _SPELLINGS[word]]
    found = sorted({ids[0] for ids in encoded if len(ids) == 1})
    if not found:
        raise ModelError(f"the judge's tokenizer has no single token for {word!r}; use another one")
    return tuple(found)
