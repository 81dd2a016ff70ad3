"""What a query gives back, besides the edges themselves."""

from __future__ import annotations

import math
from typing import Self

from pydantic import Field

from kgbuild.core.records import Edge, Record
from kgbuild.store import Phrase


class SearchHit(Record):
    """A phrase of the graph that means nearly what was searched for."""

    phrase_id: str
    text: str
    kind: str = Field(description="event or concept for a head; empty for a phrase that heads none")
    similarity: float = Field(description="Cosine to the search text, 1.0 is the same meaning")

    @classmethod
    def of(cls, phrase: Phrase, similarity: float) -> Self:
        """Make a hit of a stored phrase."""
        return cls(
            phrase_id=phrase.id,
            text=phrase.text,
            kind=phrase.kind,
            similarity=round(min(similarity, 1.0), 4),
        )


class GraphPath(Record):
    """One way from a phrase to another; an edge may be walked against its direction."""

    phrases: tuple[str, ...] = Field(description="The phrases met, both ends included")
    edges: tuple[Edge, ...]
    probability: float = Field(description="Product over the edges: that all of them hold")

    @classmethod
    def of(cls, start_id: str, edges: tuple[Edge, ...]) -> Self:
        """Make a path of its edges in walking order, from the phrase it starts at."""
        here, phrases = start_id, []
        for edge in edges:
            is_forward = edge.head_id == here
            phrases.append(edge.head if is_forward else edge.tail)
            here = edge.tail_id if is_forward else edge.head_id
        last = edges[-1]
        phrases.append(last.tail if here == last.tail_id else last.head)
        probability = math.prod(edge.probability for edge in edges)
        return cls(phrases=tuple(phrases), edges=edges, probability=probability)


class ScoredTriple(Record):
    """The critic's opinion of one triple, stored or not."""

    head: str
    relation: str
    tail: str
    probability: float = Field(description="Calibrated probability that the triple is accepted")
    threshold: float
    accepted: bool
    critic: str = Field(description="Content key of the critic")
    has_evidence: bool = Field(
        description="Whether the teacher's log-probabilities, known for a stored triple, were used"
    )
