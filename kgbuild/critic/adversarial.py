"""Wrong triples made on purpose, of right ones that differ in one thing.

A critic that only ever saw a teacher's mistakes learns what that teacher gets wrong. These teach
it who is who, what comes first, what is not so, and what only sounds alike (CKBP v2's adversarial
class; Fang et al. 2023).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from kgbuild.core.records import LabelledTriple
from kgbuild.core.relations import RelationSet
from kgbuild.critic.candidate import Candidate
from kgbuild.critic.phrases import PhraseEncoder

# What is before the event against what is after it, and what is so against what is not.
_REVERSED = {
    "xNeed": "xEffect",
    "xEffect": "xNeed",
    "xWant": "xNeed",
    "isAfter": "isBefore",
    "isBefore": "isAfter",
}
_NEGATED = {
    "CapableOf": "NotCapableOf",
    "Desires": "NotDesires",
    "UsedFor": "NotUsedFor",
    "NotCapableOf": "CapableOf",
    "NotDesires": "Desires",
    "NotUsedFor": "UsedFor",
}
_PEOPLE = {"PersonX": "PersonY", "PersonY": "PersonX"}
# Nearer tails may be as right, farther ones teach nothing.
_NEAR = (0.35, 0.7)


def make_negatives(
    rows: Sequence[LabelledTriple],
    relations: RelationSet,
    *,
    share: float,
    encoder: PhraseEncoder | None,
    generator: np.random.Generator,
) -> list[Candidate]:
    """Give wrong triples for a share of the accepted ones, a kind after the other.

    What a reader has judged is never contradicted: a made triple that is among the rows is left
    out.

    Args:
        rows: Judged triples, of training heads.
        relations: A made triple's relation must be one of these.
        share: How many to make, as a share of the accepted rows.
        encoder: Finds tails that are near; without it no tails are swapped.
        generator: Draws rows and tails.
    """
    judged = {(row.head, row.relation, row.tail) for row in rows}
    accepted = [row for row in rows if row.label.is_accepted]
    order = generator.permutation(len(accepted)).tolist()
    drawn = [accepted[place] for place in order[: round(share * len(accepted))]]
    swapped = _swap_tails(drawn, accepted, encoder, generator) if encoder else {}
    made: dict[tuple[str, str, str], Candidate] = {}
    for row in drawn:
        kinds = [*_change(row, relations), *swapped.get(row.triple_id, ())]
        fresh = [one for one in kinds if (one.head, one.relation, one.tail) not in judged]
        if fresh:
            one = fresh[int(generator.integers(len(fresh)))]
            made[one.head, one.relation, one.tail] = one
    return list(made.values())


def _change(row: LabelledTriple, relations: RelationSet) -> Iterator[Candidate]:
    people = re.compile("|".join(_PEOPLE))
    if "PersonY" in row.tail:
        tail = people.sub(lambda found: _PEOPLE[found.group()], row.tail)
        yield Candidate(row.head, row.relation, tail)
    for other in (_REVERSED, _NEGATED):
        name = other.get(row.relation)
        if name is not None and name in relations:
            yield Candidate(row.head, name, row.tail)


def _swap_tails(
    drawn: Sequence[LabelledTriple],
    accepted: Sequence[LabelledTriple],
    encoder: PhraseEncoder,
    generator: np.random.Generator,
) -> Mapping[str, list[Candidate]]:
    """Give each triple the tail of another head that is like its own, but not the same."""
    found: dict[str, list[Candidate]] = {}
    for relation in sorted({row.relation for row in drawn}):
        own = [row for row in drawn if row.relation == relation]
        tails = sorted({row.tail for row in accepted if row.relation == relation})
        near = encoder.encode([row.tail for row in own]) @ encoder.encode(tails).T
        for row, likeness in zip(own, near, strict=True):
            places = np.flatnonzero((likeness >= _NEAR[0]) & (likeness < _NEAR[1]))
            if len(places):
                tail = tails[int(generator.choice(places))]
                found[row.triple_id] = [Candidate(row.head, relation, tail)]
    return found
