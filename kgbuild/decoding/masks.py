"""Which tokens a state forbids, found by look-ups instead of trying every token.

A mask keeps the best tokens of a row from being lawless ones. It may miss a token that holds part
of a character, or that ends two phrases which only together break a clause; the state itself still
refuses it when it is chosen.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from functools import partial

import torch

from kgbuild.decoding.proposals import Proposals
from kgbuild.decoding.state import CompiledConstraints
from kgbuild.decoding.symbols import EDGE, GAPS, WORD


class Masks:
    """Forbidden tokens of every state of one constraint set, as index tensors."""

    def __init__(self, compiled: CompiledConstraints) -> None:
        self._compiled = compiled
        self._parts: dict[tuple[object, ...], torch.Tensor | None] = {}
        self._known: dict[tuple[int, torch.device], list[torch.Tensor]] = {}
        self._bans = self._drop_exact(compiled.bans)
        self._killers: dict[tuple[int, tuple[int, ...]], tuple[int, frozenset[int]]] = {}
        self._numbers: dict[frozenset[int], int] = {}

    @classmethod
    def of(cls, compiled: CompiledConstraints) -> Masks:
        """Give the masks kept with a compiled constraint set."""
        masks: Masks = compiled.derived.setdefault("masks", cls(compiled))
        return masks

    def find_forbidden(self, state: int, device: torch.device) -> list[torch.Tensor]:
        """Give the forbidden tokens of a state in parts; states share parts."""
        key = (state, device)
        if key not in self._known:
            parts = [part for part in self._collect(state) if part is not None]
            self._known[key] = [part.to(device) for part in parts]
        return self._known[key]

    def _collect(self, state: int) -> list[torch.Tensor | None]:
        compiled, keep = self._compiled, self._keep
        found, cursor = compiled.read_state(state)
        last = cursor.last
        number, killers = self._find_killers(found.seen, found.counts)
        parts = [
            keep(("bans", last), lambda: self._list_root(self._bans, last)),
            keep(("root", number, last), lambda: self._list_root(killers, last)),
        ]
        for index, depth in compiled.list_alive(cursor):
            rest = compiled.literals[index].symbols[depth:]
            # Nothing is left of a phrase that was allowed and is one too many from now on.
            if rest and (index in killers or index in self._bans):
                parts.append(keep((rest, last), partial(self._find, rest, last)))
        allowed = Proposals.of(compiled).list_openings(state)
        if allowed is not None:
            others = (i for i in range(compiled.vocabulary.size) if i not in allowed)
            parts.append(keep(("open", found.cursor), lambda: list(others)))
        high = compiled.constraints.max_words
        if high is not None and high - found.words < 4:
            find = partial(
                compiled.vocabulary.find_starters, last=last, more_than=high - found.words
            )
            parts.append(keep(("words", last in GAPS, high - found.words), find))
        return parts

    def _keep(
        self, key: tuple[object, ...], find: Callable[[], Sequence[int]]
    ) -> torch.Tensor | None:
        if key not in self._parts:
            tokens = find()
            # An array is a tensor at once; a list of thousands takes as long as a matrix product.
            held = torch.frombuffer(array("q", tokens), dtype=torch.long) if tokens else None
            self._parts[key] = held
        return self._parts[key]

    def _find_killers(self, seen: int, counts: tuple[int, ...]) -> tuple[int, frozenset[int]]:
        """Number and find the literals, bans apart, whose next occurrence is one too many."""
        key = (seen, counts)
        if key not in self._killers:
            found = self._drop_exact(self._compiled.list_killers(seen, counts))
            self._killers[key] = (self._numbers.setdefault(found, len(self._numbers)), found)
        return self._killers[key]

    def _drop_exact(self, literals: Sequence[int]) -> frozenset[int]:
        # Tokens are looked up without case; what that misses, the state refuses.
        known = self._compiled.literals
        return frozenset(index for index in literals if not known[index].is_exact)

    def _list_root(self, killers: frozenset[int], last: int) -> list[int]:
        """Tokens that hold a ban, or finish one that begins with them."""
        found: set[int] = set()
        for index in killers:
            symbols = self._compiled.literals[index].symbols
            found.update(self._compiled.vocabulary.find_holders(symbols))
            if not symbols.startswith(EDGE) or last != WORD:
                found.update(self._find(symbols, last))
        return sorted(found)

    def _find(self, rest: str, last: int) -> list[int]:
        """Tokens that finish a pattern of which `rest` is left."""
        vocabulary = self._compiled.vocabulary
        if rest == EDGE:  # the word may not end here
            return list(vocabulary.wordless_ids) if last == WORD else []
        after_space = last in GAPS
        found: list[int] = []
        if not (after_space and rest.startswith(" ")):
            found += vocabulary.find_prefixed(rest.removeprefix(EDGE))
        if after_space:  # a second space is not read
            found += vocabulary.find_prefixed(" " + rest)
        return found
