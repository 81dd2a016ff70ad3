"""Whether a vocabulary can write a phrase at all, whatever the cut and the case."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, lru_cache

from kgbuild.decoding.automaton import Automaton
from kgbuild.decoding.candidates import find_repeats
from kgbuild.decoding.literals import WatchedLiteral
from kgbuild.decoding.symbols import (
    EDGE,
    EMPTY,
    END,
    GAPS,
    START,
    WORD,
    is_readable,
    read_symbols,
)
from kgbuild.decoding.vocabulary import Vocabulary

MAX_SEARCHES = 50  # phrases of unusual spelling that are looked into; the others pass
MAX_TRIES = 20_000  # tokens tried for one of them

Path = tuple[int, ...]


class Pen:
    """Finds phrases that no token sequence writes, and proves it before it says so."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._searches = 0

    def find_obstacle(self, literal: WatchedLiteral) -> str:
        """Say why a phrase cannot be written; nothing if it can, or if that is not certain."""
        if self._vocabulary.can_spell(literal.phrase, is_exact=literal.is_exact):
            return ""
        missing = [letter for letter in literal.phrase if not self._has_letter(literal, letter)]
        if not missing and (self._may_split(literal) or self._can_write(literal, ngram=0)):
            return ""
        what = f"{missing[0]!r} is missing" if missing else "no tokens join into it"
        return (
            f"{literal.phrase!r} cannot be written with this vocabulary: {what} among the tokens "
            "that do not end the text; reword it or change decoding.ends"
        )

    def has_unrepeated(self, literal: WatchedLiteral, *, ngram: int) -> bool:
        """Whether some tokens write a phrase without one n-gram twice, as far as is certain."""
        return self._may_split(literal) or self._can_write(literal, ngram=ngram)

    @cached_property
    def _whole(self) -> list[int]:
        texts = self._vocabulary.texts
        return [i for i in self._vocabulary.written_ids if is_readable(texts[i])]

    @cached_property
    def _letters(self) -> tuple[frozenset[str], frozenset[str]]:
        """Letters within tokens: without case, and as they are."""
        joined = "".join(self._vocabulary.texts[token] for token in self._whole)
        folded, exact = (read_symbols(joined, is_folded=kind)[0] for kind in (True, False))
        has_space = frozenset(" ") if any(letter.isspace() for letter in joined) else frozenset()
        return frozenset(folded) - {" "} | has_space, frozenset(exact) - {" "} | has_space

    @cached_property
    def _bytes(self) -> frozenset[int]:
        """Bytes of tokens that hold part of a character."""
        whole, vocabulary = set(self._whole), self._vocabulary
        parts = (i for i in vocabulary.written_ids if i not in whole)
        return frozenset(byte for token in parts for byte in vocabulary.token_bytes[token])

    def _has_letter(self, literal: WatchedLiteral, letter: str) -> bool:
        folded, exact = self._letters
        if literal.is_exact:
            is_whole = letter in exact
        else:
            is_whole = all(part in folded for part in letter.casefold())
        return is_whole or self._comes_in_bytes(literal, letter)

    def _may_split(self, literal: WatchedLiteral) -> bool:
        return any(self._comes_in_bytes(literal, letter) for letter in literal.phrase)

    def _comes_in_bytes(self, literal: WatchedLiteral, letter: str) -> bool:
        parts = (letter,) if literal.is_exact else (letter, *letter.casefold())
        written = {one for part in parts for one in (part, *_find_variants().get(part, ()))}
        return any(self._bytes.issuperset(one.encode()) for one in written if self._bytes)

    def _can_write(self, literal: WatchedLiteral, *, ngram: int) -> bool:
        """Search for tokens that write a phrase; what is not settled in time counts as found."""
        self._searches += 1
        if self._searches > MAX_SEARCHES:
            return True
        symbols, is_folded = literal.symbols, not literal.is_exact
        automaton = Automaton([symbols])
        texts, vocabulary = self._vocabulary.texts, self._vocabulary
        start = automaton.step(0, START)
        # A text may begin with the phrase, and nothing else leaves more freedom.
        waiting: list[tuple[int, int, Path]] = [(start, EMPTY, ())]
        seen: set[tuple[int, int]] = set()
        tries = 0
        while waiting:
            node, last, path = waiting.pop()
            if path:
                rest = symbols[automaton.depths[node] :].casefold()
                rest = rest if last == WORD else rest.removeprefix(EDGE)
                near = vocabulary.find_compatible(frozenset([rest]), is_spaced=last in GAPS)
                tokens = [token for token in self._whole if token in near]
            else:
                tokens = self._whole
            for token in tokens:
                tries += bool(path)
                if tries > MAX_TRIES:
                    return True
                read, after_last, _ = read_symbols(texts[token], last=last, is_folded=is_folded)
                if not read or token in find_repeats(path, ngram=ngram):
                    continue
                after, ended = automaton.feed(node, read)
                over = EDGE + END if after_last == WORD else END
                if ended or automaton.feed(after, over)[1]:
                    return True
                place = (after, after_last)
                if automaton.depths[after] and (ngram or place not in seen):
                    seen.add(place)
                    waiting.append((after, after_last, (*path, token)))
        return False


@lru_cache(maxsize=1)
def _find_variants() -> dict[str, list[str]]:
    """Give for every folded character those that it may come from."""
    found: dict[str, list[str]] = {}
    for character in _list_characters():
        folded = character.casefold()
        for part in folded if folded != character else ():
            found.setdefault(part, []).append(character)
    return found


def _list_characters() -> Iterator[str]:
    for first, after in ((0, 0xD800), (0xE000, 0x110000)):
        yield from map(chr, range(first, after))
