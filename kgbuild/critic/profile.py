"""What the candidates of a promise looked like: one of each relation and head, scores and vectors.

Small enough to lie in a critic's folder: heads beyond a few hundred a relation are left out, by a
hash of their text, so that a larger run draws among all of its heads and not among its first.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kgbuild.core.ids import phrase_id
from kgbuild.core.relations import RelationSet, verbalise
from kgbuild.critic.arrays import load_arrays, save_arrays
from kgbuild.critic.guarantee import draw_key
from kgbuild.critic.phrases import PhraseEncoder, Vectors
from kgbuild.critic.split import find_place

MOST_HEADS = 250


class Sighting(NamedTuple):
    """One scored candidate."""

    triple_id: str
    head: str
    relation: str
    tail: str
    probability: float
    has_evidence: bool


Encode = Callable[[Sequence[Sighting]], Vectors]


def sentence_encoder(encoder: PhraseEncoder, relations: RelationSet) -> Encode:
    """Give what turns candidates into vectors of their sentences."""

    def encode(drawn: Sequence[Sighting]) -> Vectors:
        return encoder.encode(
            [verbalise(relations.get(one.relation), one.head, one.tail) for one in drawn]
        )

    return encode


@dataclass(frozen=True)
class Profile:
    """Candidates by relation, one of each head; heads are independent, candidates are not.

    Attributes:
        scores: (rows,) probabilities.
        relations: (rows,) places in the guarantee's list of relations.
        is_whole: (rows,) 1 for the one that stands for its head over all relations.
        evidence: (rows,) 1 if the teacher's evidence was there.
        vectors: (rows, width) of the sentences, in half precision; no rows without an encoder.
    """

    scores: npt.NDArray[np.float32]
    relations: npt.NDArray[np.int32]
    is_whole: npt.NDArray[np.uint8]
    evidence: npt.NDArray[np.uint8]
    vectors: npt.NDArray[np.float16]

    @classmethod
    def of(
        cls, sightings: Iterable[Sighting], *, relations: Sequence[str], encode: Encode | None
    ) -> Profile:
        """Draw from candidates, in one pass and bounded memory; other relations are passed over."""
        drawn = _draw(sightings, set(relations))
        whole: dict[str, Sighting] = {}
        for one in drawn:
            head = phrase_id(one.head)
            if head not in whole or _lot(one) < _lot(whole[head]):
                whole[head] = one
        chosen = {one.triple_id for one in whole.values()}
        vectors = np.zeros((0, 0), dtype=np.float16)
        if encode is not None and drawn:
            vectors = encode(drawn).astype(np.float16)
        place = {name: number for number, name in enumerate(relations)}
        return cls(
            scores=np.asarray([one.probability for one in drawn], dtype=np.float32),
            relations=np.asarray([place[one.relation] for one in drawn], dtype=np.int32),
            is_whole=np.asarray([one.triple_id in chosen for one in drawn], dtype=np.uint8),
            evidence=np.asarray([one.has_evidence for one in drawn], dtype=np.uint8),
            vectors=vectors,
        )

    def save(self, file: Path) -> str:
        """Write the profile and give the file's hash."""
        return save_arrays(self, file)

    @classmethod
    def load(cls, file: Path, *, sha256: str) -> Profile:
        """Read a profile that `save` wrote.

        Raises:
            CriticError: If the file is another one, is gone or does not fit itself.
        """
        return load_arrays(
            cls,
            file,
            sha256=sha256,
            known_by="guarantee.json",
            what="profile",
            cure="calibrate again",
        )


def _lot(one: Sighting) -> str:
    return draw_key(one.triple_id)


def _draw(sightings: Iterable[Sighting], relations: set[str]) -> list[Sighting]:
    """Draw one candidate of each head and relation, of the heads that a hash puts first."""
    held: dict[str, dict[str, Sighting]] = {name: {} for name in relations}
    # A heap of the heads of a relation, the last one by hash on top.
    order: dict[str, list[tuple[float, str]]] = {name: [] for name in relations}
    for one in sightings:
        if one.relation not in held:
            continue
        head, of_relation = phrase_id(one.head), held[one.relation]
        if head in of_relation:
            of_relation[head] = min(of_relation[head], one, key=_lot)
            continue
        entry = (-find_place(one.head, purpose="profile"), head)
        heap = order[one.relation]
        if len(heap) < MOST_HEADS:
            heapq.heappush(heap, entry)
        elif entry > heap[0]:
            del of_relation[heapq.heapreplace(heap, entry)[1]]
        else:
            continue
        of_relation[head] = one
    rows = [one for of_relation in held.values() for one in of_relation.values()]
    return sorted(rows, key=lambda one: (one.relation, _lot(one)))
