"""What every token of a tokenizer says, and which tokens end a text."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np

from kgbuild.decoding.spelling import read_token_bytes
from kgbuild.decoding.symbols import (
    EDGE,
    GAPS,
    MARK,
    OTHER,
    SEPARATOR,
    SPACE,
    WORD,
    classify,
    is_readable,
    read_symbols,
)


class Tokenizer(Protocol):
    """The part of a transformers tokenizer that decoding uses."""

    eos_token_id: Any
    all_special_ids: Any

    def __len__(self) -> int: ...

    __call__: Callable[..., Any]
    decode: Callable[..., Any]
    convert_ids_to_tokens: Callable[..., Any]
    convert_tokens_to_string: Callable[..., Any]


_KNOWN: WeakKeyDictionary[Any, dict[tuple[Any, ...], Vocabulary]] = WeakKeyDictionary()


class Vocabulary:
    """Decoded text of every token, with the indexes that masks and proposals need.

    Attributes:
        token_bytes: What each token adds to the text, in UTF-8; may be part of a character.
        end_ids: Tokens that end the text: the tokenizer's own, and those that begin with an end.
        blocked_ids: Tokens that are never written: special ones, empty ones, and those that
            would carry the text across a line end.
        written_ids: All others.
    """

    def __init__(
        self, tokenizer: Tokenizer, *, ends: Sequence[str], eos_ids: Iterable[int] = ()
    ) -> None:
        self._tokenizer = tokenizer
        self.token_bytes = read_token_bytes(tokenizer)
        self.size = len(self.token_bytes)
        self.texts = [piece.decode("utf-8", "replace") for piece in self.token_bytes]
        own = tokenizer.eos_token_id
        eos = {*eos_ids, *(own if isinstance(own, list | tuple) else [own])} - {None}
        specials = set(tokenizer.all_special_ids)
        for token, added in getattr(tokenizer, "added_tokens_decoder", {}).items():
            if getattr(added, "special", False):
                specials.add(token)
        line_ends = [end for end in ends if end.isspace()]
        ended, blocked = set(), set()
        for token, text in enumerate(self.texts):
            if token in eos:
                ended.add(token)
            elif token in specials or not text:
                blocked.add(token)
            elif any(text.lstrip(" \t").startswith(end) for end in ends):
                ended.add(token)
            elif any(end in text for end in line_ends):
                blocked.add(token)
        self.end_ids = tuple(sorted(ended))
        self.blocked_ids = tuple(sorted(blocked))
        self._unwritten = ended | blocked
        self.written_ids = tuple(i for i in range(self.size) if i not in self._unwritten)
        self.compiled: dict[Any, Any] = {}
        self._first: dict[tuple[str, bytes], tuple[int, ...]] = {}
        self._spelled: dict[str, tuple[int, ...]] = {}
        self._holders: dict[str, tuple[int, ...]] = {}

    @classmethod
    def of(
        cls,
        tokenizer: Tokenizer,
        *,
        ends: Sequence[str] = ("\n", "."),
        eos_ids: Iterable[int] = (),
    ) -> Vocabulary:
        """Read a tokenizer's vocabulary, once per tokenizer and ends.

        Args:
            ends: A token whose text, spaces stripped, begins with one of these ends the text.
            eos_ids: End tokens that the model declares beside the tokenizer's own.
        """
        key = (tuple(ends), tuple(sorted(eos_ids)), len(tokenizer))
        known = _KNOWN.setdefault(tokenizer, {})
        if key not in known:
            known[key] = cls(tokenizer, ends=ends, eos_ids=eos_ids)
        return known[key]

    def read_text(self, tokens: Iterable[int]) -> str:
        """Give the text of a token sequence; broken UTF-8 becomes a replacement character."""
        return b"".join(self.token_bytes[token] for token in tokens).decode("utf-8", "replace")

    @cached_property
    def _by_bytes(self) -> dict[bytes, int]:
        tokens = range(self.size - 1, -1, -1)  # the lowest id wins
        return {self.token_bytes[i]: i for i in tokens if i not in self._unwritten}

    @cached_property
    def _longest(self) -> int:
        return max((len(piece) for piece in self._by_bytes), default=0)

    def propose(self, text: str, *, begun: bytes = b"") -> tuple[int, ...]:
        """Give the tokens with which this text is likely to be spelled from here.

        They are the longest token that fits and the first of the tokenizer's own spelling.

        Args:
            begun: First bytes of the text that stand there already.
        """
        key = (text, begun)
        if key not in self._first:
            rest = text.encode()
            rest = rest[len(begun) :] if rest.startswith(begun) else b""
            found: list[int] = []
            for length in range(min(len(rest), self._longest), 0, -1):
                token = self._by_bytes.get(rest[:length])
                if token is not None:
                    found.append(token)
                    break
            if rest and not begun:
                for token in self.spell(text)[:1]:
                    piece = self.token_bytes[token]
                    if token not in self._unwritten and piece and rest.startswith(piece):
                        found.append(token)
            self._first[key] = tuple(dict.fromkeys(found))
        return self._first[key]

    def spell(self, text: str) -> tuple[int, ...]:
        """Give the tokenizer's own tokens of a text."""
        if text not in self._spelled:
            ids = self._tokenizer(text, add_special_tokens=False)["input_ids"]
            self._spelled[text] = tuple(ids)
        return self._spelled[text]

    def can_spell(self, phrase: str, *, is_exact: bool = False) -> bool:
        """Whether tokens spell the phrase as it is, or in another usual case unless that matters.

        Other cuts may still write it, from tokens that hold more than the phrase.
        """
        forms = {phrase}
        if not is_exact:
            forms |= {phrase.casefold(), phrase.capitalize(), phrase.upper(), phrase.title()}
        return any(self._can_join(lead + form) for form in forms for lead in ("", " "))

    def _can_join(self, text: str) -> bool:
        goal = text.encode()
        reached = [True] + [False] * len(goal)
        for start in range(len(goal)):
            if reached[start]:
                for stop in range(start + 1, min(len(goal), start + self._longest) + 1):
                    reached[stop] = reached[stop] or goal[start:stop] in self._by_bytes
        return reached[-1]

    # Indexes over symbols, for masks. Tokens with part of a character, or with a mark in front,
    # are left out: what a mask misses, the automaton still refuses when the token is chosen.

    @cached_property
    def _bodies(self) -> list[str | None]:
        bodies: list[str | None] = []
        for text in self.texts:
            kind = classify(text.casefold()[0]) if text and is_readable(text) else MARK
            if kind == MARK:  # its kind depends on what it is put on
                bodies.append(None)
                continue
            last = WORD if kind == WORD else OTHER
            bodies.append(read_symbols(text, last=last)[0])
        return bodies

    @cached_property
    def _sorted(self) -> tuple[list[str], list[int]]:
        pairs = sorted((body, token) for token, body in enumerate(self._bodies) if body)
        return [body for body, _ in pairs], [token for _, token in pairs]

    @cached_property
    def _joined(self) -> tuple[str, list[int]]:
        bodies, _ = self._sorted
        starts, total = [], 0
        for body in bodies:
            starts.append(total)
            total += len(body) + 1
        return SEPARATOR.join(bodies), starts

    @cached_property
    def wordless_ids(self) -> tuple[int, ...]:
        """Tokens that do not begin with a word character, so that a word before them is over."""
        found = (i for i, body in enumerate(self._bodies) if body and classify(body[0]) != WORD)
        return tuple(found)

    @cached_property
    def _word_starts(self) -> tuple[np.ndarray, np.ndarray]:
        inner = [read_symbols(text, last=WORD)[2] for text in self.texts]
        return np.array(inner), np.array([read_symbols(t, last=SPACE)[2] for t in self.texts])

    def find_starters(self, *, last: int, more_than: int) -> list[int]:
        """Find tokens that begin more words than allowed after a character of class `last`."""
        counts = self._word_starts[last in GAPS]
        found: list[int] = np.flatnonzero(counts > more_than).tolist()
        return found

    @cached_property
    def _partial(self) -> frozenset[int]:
        return frozenset(token for token, body in enumerate(self._bodies) if body is None)

    @cached_property
    def _unspaced(self) -> tuple[list[str], list[int]]:
        """Symbols of tokens whose leading white space is not read."""
        bodies, tokens = self._sorted
        stripped = (body.lstrip(" " + EDGE) for body in bodies)
        pairs = sorted(zip(stripped, tokens, strict=True))
        return [body for body, _ in pairs], [token for _, token in pairs]

    def find_compatible(self, rests: frozenset[str], *, is_spaced: bool) -> frozenset[int]:
        """Find tokens that write part of one of these symbol strings, or all of it and more.

        Args:
            is_spaced: White space before them is not read.
        """
        bodies, tokens = self._unspaced if is_spaced else self._sorted
        found = set(self._partial)
        for rest in rests:
            if rest == EDGE:
                found.update(self.wordless_ids)
                continue
            asked = rest.removeprefix(EDGE)
            low = bisect_left(bodies, asked)
            found.update(tokens[low : bisect_left(bodies, asked + "\U0010ffff", lo=low)])
            for length in range(len(asked)):
                low = bisect_left(bodies, asked[:length])
                high = bisect_right(bodies, asked[:length], lo=low)
                found.update(tokens[low:high])
        return frozenset(found)

    def find_prefixed(self, symbols: str) -> list[int]:
        """Find tokens whose symbols begin with these."""
        bodies, tokens = self._sorted
        low = bisect_left(bodies, symbols)
        return tokens[low : bisect_left(bodies, symbols + "\U0010ffff", lo=low)]

    def find_holders(self, symbols: str) -> tuple[int, ...]:
        """Find tokens that hold the whole pattern within themselves."""
        if symbols not in self._holders:
            joined, starts = self._joined
            _, tokens = self._sorted
            found: list[int] = []
            at = joined.find(symbols)
            while at >= 0:
                place = bisect_left(starts, at + 1) - 1
                found.append(tokens[place])
                at = joined.find(symbols, starts[place] + len(self._sorted[0][place]))
            self._holders[symbols] = tuple(found)
        return self._holders[symbols]
