"""What a hypothesis has said so far, as one small number.

A state is what clauses need to know of a text: the automaton's node, which literals were seen,
the counters and the number of words. States are numbered as they are met and every answer about
one is kept, so that a step of the search costs a dictionary look-up.
"""

from __future__ import annotations

import codecs
from typing import Any

from kgbuild.decoding.clauses import ConstraintSet, StartsWith
from kgbuild.decoding.contradictions import check_possible
from kgbuild.decoding.literals import WatchedLiteral, build_table
from kgbuild.decoding.reading import Reader
from kgbuild.decoding.rules import Rules
from kgbuild.decoding.standing import DEAD, Cursor, Standing, State
from kgbuild.decoding.symbols import (
    BLANK,
    EDGE,
    EMPTY,
    END,
    START,
    WORD,
    is_readable,
    read_symbols,
)
from kgbuild.decoding.vocabulary import Vocabulary

MAX_OPENERS = 64  # phrases a clause that are proposed unasked


class CompiledConstraints:
    """A constraint set made ready for one vocabulary.

    Hypotheses are followed by `step`; `DEAD` means a ban, a limit or an anchor was broken.

    Attributes:
        every: Bits of all clauses.
        wanted: The clauses that need phrases.
        openers: For every clause that phrases can meet, the first 64 of them.
        anchored: Bits of the clauses about the beginning.
        derived: What other modules work out and keep with it.
    """

    def __init__(self, constraints: ConstraintSet, vocabulary: Vocabulary) -> None:
        self.constraints = constraints
        self.vocabulary = vocabulary
        table = build_table(constraints)
        self.literals = table.literals
        self.wanted = table.wanted
        self.size = len(constraints.clauses)
        self._reader = Reader(table.literals)
        self._rules = Rules(table, size=self.size)
        self.every = self._rules.every
        self._impossible = check_possible(
            table, self._reader, self._rules, constraints=constraints, vocabulary=vocabulary
        )
        self.openers: dict[int, list[WatchedLiteral]] = {}
        for index, literal in enumerate(self.literals):
            for clause in self.list_wanting(index, 0):
                openers = self.openers.setdefault(clause, [])
                if len(openers) < MAX_OPENERS:
                    openers.append(literal)
        self.anchored = sum(
            1 << index
            for index, clause in enumerate(constraints.clauses)
            if isinstance(clause, StartsWith)
        )
        self._states: list[State] = []
        self._numbers: dict[State, int] = {}
        self._cursors: list[Cursor] = []
        self._cursor_numbers: dict[Cursor, int] = {}
        self._steps: dict[tuple[int, int], int] = {}
        self._scans: dict[tuple[int, int], tuple[int, tuple[int, ...], int]] = {}
        self._standings: dict[int, Standing] = {}
        self.derived: dict[str, Any] = {}
        node, exact = (self._reader.feed(0, START, is_exact=kind)[0] for kind in (False, True))
        cursor = self._number_cursor(Cursor(node, exact, EMPTY, b""))
        self.start = self._number(State(cursor, 0, (0,) * len(table.limits), 0))

    @property
    def states_kept(self) -> int:
        """How many states were met so far; what is kept grows with it."""
        return len(self._states)

    def _number(self, state: State) -> int:
        number = self._numbers.setdefault(state, len(self._states))
        if number == len(self._states):
            self._states.append(state)
        return number

    def _number_cursor(self, cursor: Cursor) -> int:
        number = self._cursor_numbers.setdefault(cursor, len(self._cursors))
        if number == len(self._cursors):
            self._cursors.append(cursor)
        return number

    def read_state(self, state: int) -> tuple[State, Cursor]:
        """Give what a state number stands for."""
        found = self._states[state]
        return found, self._cursors[found.cursor]

    def step(self, state: int, token: int) -> int:
        """Follow one token; `DEAD` if no text that begins like this is lawful."""
        key = (state, token)
        after = self._steps.get(key)
        if after is None:
            after = self._steps[key] = self._step(state, token)
        return after

    def _step(self, state: int, token: int) -> int:
        cursor, seen, counts, words = self._states[state]
        after, events, begun = self._scan(cursor, token)
        if after == DEAD:
            return DEAD
        limits = self.constraints
        if limits.min_words is not None or limits.max_words is not None:
            words += begun
            if limits.max_words is not None and words > limits.max_words:
                return DEAD
            if limits.max_words is None:
                words = min(words, limits.min_words or 0)
        seen, counts, is_broken = self._rules.apply(seen, counts, events)
        if is_broken:
            return DEAD
        if self.anchored & ~seen and self._find_missed(self._cursors[after], seen):
            return DEAD
        return self._number(State(after, seen, counts, words))

    def _find_missed(self, cursor: Cursor, seen: int) -> int:
        """Give the anchored clauses that no going on can meet."""
        missed = self.anchored & ~seen
        for index, depth in self.list_alive(cursor):
            literal = self.literals[index]
            rest = literal.phrase[literal.places[depth] :]
            forms = (rest, rest.upper(), rest.lower())
            if literal.is_anchored and any(f.encode().startswith(cursor.begun) for f in forms):
                for _, clause, _ in literal.effects:
                    missed &= ~(1 << clause)
        return missed

    def _scan(self, cursor: int, token: int) -> tuple[int, tuple[int, ...], int]:
        """Read one token: the cursor after it, the literals that ended in it, words begun."""
        key = (cursor, token)
        found = self._scans.get(key)
        if found is None:
            node, exact, last, begun = self._cursors[cursor]
            decoder = codecs.getincrementaldecoder("utf-8")("replace")
            text = decoder.decode(begun + self.vocabulary.token_bytes[token])
            if not is_readable(text):
                found = (DEAD, (), 0)
            else:
                symbols, after_last, words = read_symbols(text, last=last)
                node, events = self._reader.feed(node, symbols)
                if self._reader.has_exact:
                    kept = read_symbols(text, last=last, is_folded=False)[0]
                    exact, more = self._reader.feed(exact, kept, is_exact=True)
                    events += more
                after = Cursor(node, exact, after_last, decoder.getstate()[0])
                found = (self._number_cursor(after), events, words)
            self._scans[key] = found
        return found

    def list_alive(self, cursor: Cursor) -> list[tuple[int, int]]:
        """List (literal, symbols matched) for every phrase that was begun."""
        return self._reader.list_alive(cursor)

    def judge(self, state: int) -> Standing:
        """Say what would hold if the text ended here."""
        standing = self._standings.get(state)
        if standing is None:
            found, cursor = self.read_state(state)
            symbols = EDGE + END if cursor.last == WORD else END
            _, events = self._reader.feed(cursor.node, symbols)
            if self._reader.has_exact:
                events += self._reader.feed(cursor.exact, symbols, is_exact=True)[1]
            seen, counts, is_broken = self._rules.apply(found.seen, found.counts, events)
            met = self._rules.find_met(seen, counts)
            is_long = found.words >= (self.constraints.min_words or 0)
            is_clean = not is_broken and not cursor.begun
            standing = Standing(met, is_clean, is_long, *self._measure_progress(cursor, met))
            self._standings[state] = standing
        return standing

    def is_pending(self, state: int) -> bool:
        """Whether a clause is met only if the word that stands last goes no further."""
        found, _ = self.read_state(state)
        return bool(self.judge(state).met & ~self._rules.find_met(found.seen, found.counts))

    @property
    def bans(self) -> tuple[int, ...]:
        """The literals that may never occur."""
        return self._rules.bans

    def list_killers(self, seen: int, counts: tuple[int, ...]) -> tuple[int, ...]:
        """List the literals, bans apart, whose next occurrence would be one too many."""
        return self._rules.list_killers(seen, counts)

    def can_end(self, state: int, *, is_hard: bool) -> bool:
        """Whether an end token may follow; in hard mode every clause has to be met."""
        standing = self.judge(state)
        is_met = standing.met == self.every or not is_hard
        return standing.is_clean and standing.is_long and is_met

    def is_empty(self, state: int) -> bool:
        """Whether nothing but white space was written."""
        return self.read_state(state)[1].last in (EMPTY, BLANK)

    def list_wanting(self, literal: int, met: int) -> list[int]:
        """List the clauses beyond the `met` ones that a literal would bring forward."""
        if literal in self._impossible:
            return []
        return [
            clause
            for effect, clause, _ in self.literals[literal].effects
            if effect in ("meet", "count") and not met >> clause & 1
        ]

    def _measure_progress(self, cursor: Cursor, met: int) -> tuple[int, float]:
        """Give the unmet clauses of which a phrase was begun, and the largest share written."""
        begun, best = 0, 0.0
        for index, depth in self.list_alive(cursor) if met != self.every else ():
            literal = self.literals[index]
            written, total = literal.places[depth], len(literal.phrase)
            wanting = self.list_wanting(index, met) if 0 < written < total else ()
            if wanting:
                # A chance match of a letter is no progress: the first token has to stand.
                first = self.vocabulary.propose(" " + literal.phrase)[-1:]
                shortest = min((len(self.vocabulary.texts[i].strip()) for i in first), default=1)
                if written >= shortest:
                    begun |= sum(1 << clause for clause in wanting)
                    best = max(best, written / total)
        return begun, best
