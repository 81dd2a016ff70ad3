"""Which tokens bring an unmet clause forward, so that the search looks at them at all."""

from __future__ import annotations

from collections.abc import Iterator

from kgbuild.decoding.literals import WatchedLiteral
from kgbuild.decoding.state import CompiledConstraints
from kgbuild.decoding.symbols import BLANK, EDGE, EMPTY, SPACE, WORD


class Proposals:
    """Proposed tokens of every state of one constraint set.

    The usual spelling of a phrase only proposes; whether it was written is read off the text.
    """

    def __init__(self, compiled: CompiledConstraints) -> None:
        self._compiled = compiled
        self._next: dict[int, tuple[int, ...]] = {}
        self._first: dict[tuple[int, int, bytes], tuple[int, ...]] = {}
        self._every: dict[int, tuple[int, ...]] = {}
        self._ways: dict[int, tuple[tuple[int, ...], ...]] = {}

    @classmethod
    def of(cls, compiled: CompiledConstraints) -> Proposals:
        """Give the proposals kept with a compiled constraint set."""
        proposals: Proposals = compiled.derived.setdefault("proposals", cls(compiled))
        return proposals

    def find(self, state: int) -> tuple[int, ...]:
        """Give the tokens that begin or go on with a phrase of an unmet clause."""
        if state not in self._every:
            found = self.find_next(state) + self.find_first(state)
            self._every[state] = tuple(dict.fromkeys(found))
        return self._every[state]

    def find_next(self, state: int) -> tuple[int, ...]:
        """Give the tokens that go on with a phrase that was begun."""
        if state not in self._next:
            compiled = self._compiled
            begun = compiled.read_state(state)[1].begun
            found: dict[int, None] = {}
            for rest in self._list_begun(state):
                found.update(dict.fromkeys(compiled.vocabulary.propose(rest, begun=begun)))
            self._next[state] = tuple(found)
        return self._next[state]

    def find_first(self, state: int) -> tuple[int, ...]:
        """Give the tokens that begin a phrase of an unmet clause."""
        compiled = self._compiled
        _, _, last, begun = compiled.read_state(state)[1]
        # Of a text it matters only how it ends and what is still unmet, so states share answers.
        key = (compiled.judge(state).met, last, begun)
        if key not in self._first:
            found: dict[int, None] = {}
            for literals in self._list_unmet(state):
                for literal in literals:
                    found.update(dict.fromkeys(self._begin(literal, state)))
            self._first[key] = tuple(found)
        return self._first[key]

    def find_shortest(self, state: int) -> tuple[int, ...]:
        """Give the tokens on the shortest way to a phrase: one that was begun, if there is any."""
        vocabulary = self._compiled.vocabulary
        begun = self._compiled.read_state(state)[1].begun
        ways = [
            (len(vocabulary.spell(rest)), vocabulary.propose(rest, begun=begun))
            for rest in self._list_begun(state)
        ]
        if not any(tokens for _, tokens in ways):
            for literals in self._list_unmet(state):
                ways += [(self._measure(one), self._begin(one, state)) for one in literals]
        ways = [way for way in ways if way[1]]
        shortest = min((length for length, _ in ways), default=0)
        return tuple(token for length, tokens in ways if length == shortest for token in tokens)

    def list_ways(self, state: int) -> tuple[tuple[int, ...], ...]:
        """List the tokens of every phrase of an unmet clause, or of what is left of a begun one."""
        if state not in self._ways:
            vocabulary = self._compiled.vocabulary
            texts = [*self._list_begun(state)]
            for literals in self._list_unmet(state):
                texts += (" " + one.phrase for one in literals if not one.is_anchored)
            found = dict.fromkeys(vocabulary.spell(text) for text in texts)
            self._ways[state] = tuple(way for way in found if way)
        return self._ways[state]

    def count_needed(self, state: int) -> int:
        """Estimate how many tokens the unmet clauses still need, one to spare for each."""
        unmet = self._list_unmet(state)
        return sum(min(self._measure(literal) for literal in literals) + 1 for literals in unmet)

    def list_openings(self, state: int) -> frozenset[int] | None:
        """List the tokens that keep an unmet anchor alive; None if every token does."""
        compiled = self._compiled
        found, cursor = compiled.read_state(state)
        rests: dict[int, set[str]] = {
            clause: set()
            for clause in range(compiled.size)
            if (compiled.anchored & ~found.seen) >> clause & 1
        }
        for index, depth in compiled.list_alive(cursor):
            literal = compiled.literals[index]
            for _, clause, _ in literal.effects if literal.is_anchored and rests else ():
                if clause in rests:
                    # Tokens are compared without case; the state refuses what differs in it.
                    rest = literal.symbols[depth:]
                    rest = rest.casefold() if literal.is_exact else rest
                    rests[clause].add(rest if cursor.last == WORD else rest.removeprefix(EDGE))
        allowed: frozenset[int] | None = None
        for alive in rests.values():
            tokens = compiled.vocabulary.find_compatible(
                frozenset(alive), is_spaced=cursor.last in (EMPTY, BLANK)
            )
            allowed = tokens if allowed is None else allowed & tokens
        return allowed

    def _list_begun(self, state: int) -> Iterator[str]:
        """Give what is left of every phrase of an unmet clause that was begun and not finished.

        A phrase of which only the word edge was read is none: it begins with its space.
        """
        compiled = self._compiled
        met = compiled.judge(state).met
        for index, depth in compiled.list_alive(compiled.read_state(state)[1]):
            literal = compiled.literals[index]
            rest = literal.phrase[literal.places[depth] :]
            if rest not in ("", literal.phrase) and compiled.list_wanting(index, met):
                yield rest

    def _list_unmet(self, state: int) -> list[list[WatchedLiteral]]:
        met = self._compiled.judge(state).met
        openers = self._compiled.openers.items()
        return [literals for clause, literals in openers if not met >> clause & 1]

    def _measure(self, literal: WatchedLiteral) -> int:
        return len(self._compiled.vocabulary.spell(" " + literal.phrase))

    def _begin(self, literal: WatchedLiteral, state: int) -> tuple[int, ...]:
        _, _, last, begun = self._compiled.read_state(state)[1]
        if literal.is_anchored and last not in (EMPTY, BLANK):
            return ()
        phrase = literal.phrase
        needs_gap = last == WORD and EDGE in literal.symbols[:2]
        spaced, unspaced = (" " + phrase,), (phrase,)
        if begun:  # the first bytes that stand there are no space
            texts: tuple[str, ...] = () if needs_gap else unspaced
        elif last in (BLANK, SPACE):
            texts = unspaced
        else:
            texts = spaced if needs_gap else spaced + unspaced
        propose = self._compiled.vocabulary.propose
        return tuple(token for text in texts for token in propose(text, begun=begun))
