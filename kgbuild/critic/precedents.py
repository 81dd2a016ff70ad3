"""How like triples were judged: the training labels as a memory that a critic asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kgbuild.critic.arrays import load_arrays, save_arrays
from kgbuild.critic.candidate import Candidate
from kgbuild.critic.phrases import PhraseEncoder, Vectors

Floats = npt.NDArray[np.float64]

# How fast a judged triple counts for less as its phrases get farther, in nats a unit of cosine.
_TAIL_SHARPNESS = 12.0
_HEAD_SHARPNESS = 8.0
# What the relation's own rate counts for where nothing judged is near.
_RATE_WEIGHT = 0.05
_EDGE = 0.005
_CHUNK = 512


@dataclass(frozen=True)
class Precedents:
    """Judged triples, to be asked how like ones were judged.

    The answer is the mean label of the triples of one relation, weighted by how near their heads
    and tails are (the kernel regression of Nadaraya 1964 and Watson 1964). Beside a trained model
    it brings back what the model has smoothed away, as in kNN-LM (Khandelwal et al. 2020).

    Attributes:
        vectors: (phrases, width) unit vectors of all heads and tails, in half precision.
        heads: (rows,) the phrase that is the row's head.
        tails: (rows,) the phrase that is its tail.
        relations: (rows,) numbers of relations, from 1.
        targets: (rows,) how sure the reader was that it is acceptable, 0 to 1.
    """

    vectors: npt.NDArray[np.float16]
    heads: npt.NDArray[np.int32]
    tails: npt.NDArray[np.int32]
    relations: npt.NDArray[np.int32]
    targets: npt.NDArray[np.float32]

    @classmethod
    def remember(
        cls,
        candidates: Sequence[Candidate],
        targets: npt.NDArray[np.float32],
        *,
        places: Mapping[str, int],
        encoder: PhraseEncoder,
    ) -> Precedents:
        """Keep judged triples. `places` gives the number of each relation."""
        phrases = list(dict.fromkeys(text for one in candidates for text in (one.head, one.tail)))
        place = {phrase: number for number, phrase in enumerate(phrases)}
        return cls(
            vectors=encoder.encode(phrases).astype(np.float16),
            heads=np.asarray([place[one.head] for one in candidates], dtype=np.int32),
            tails=np.asarray([place[one.tail] for one in candidates], dtype=np.int32),
            relations=np.asarray([places[one.relation] for one in candidates], dtype=np.int32),
            targets=targets,
        )

    def weigh(
        self,
        candidates: Sequence[Candidate],
        *,
        places: Mapping[str, int],
        encoder: PhraseEncoder,
    ) -> Floats:
        """Give for each candidate the log-odds of acceptance among the triples that it is like.

        A relation without labels has the rate of all.
        """
        odds = np.full(len(candidates), _log_odds(np.asarray(self.targets.mean())), np.float64)
        # Nothing is near a candidate of a relation without labels, nor a bare sentence.
        asked = [row for row, one in enumerate(candidates) if places.get(one.relation)]
        heads = encoder.encode([candidates[row].head for row in asked])
        tails = encoder.encode([candidates[row].tail for row in asked])
        places_of: dict[int, list[int]] = {}
        for place, row in enumerate(asked):
            places_of.setdefault(places[candidates[row].relation], []).append(place)
        for relation, members in places_of.items():
            known = np.flatnonzero(self.relations == relation)
            if not len(known):
                continue
            near_heads = self.vectors[self.heads[known]].astype(np.float32)
            near_tails = self.vectors[self.tails[known]].astype(np.float32)
            targets = self.targets[known].astype(np.float64)
            for start in range(0, len(members), _CHUNK):
                chunk = members[start : start + _CHUNK]
                weights = _nearness(
                    heads[chunk] @ near_heads.T, tails[chunk] @ near_tails.T
                )  # (chunk, known)
                odds[[asked[place] for place in chunk]] = _log_odds(
                    (weights @ targets + _RATE_WEIGHT * targets.mean())
                    / (weights.sum(1) + _RATE_WEIGHT)
                )
        # The last bits depend on the company in a product of matrices.
        return np.round(odds, 4)

    def save(self, file: Path) -> str:
        """Write the memory and give the file's hash."""
        return save_arrays(self, file)

    @classmethod
    def load(cls, file: Path, *, sha256: str) -> Precedents:
        """Read a memory that `save` wrote.

        Raises:
            CriticError: If the file is another one, is gone or does not fit itself.
        """
        return load_arrays(
            cls,
            file,
            sha256=sha256,
            known_by="critic.json",
            what="judged triples",
            cure="train again",
        )


def _nearness(heads: Vectors, tails: Vectors) -> Floats:
    nats = _HEAD_SHARPNESS * (heads - 1.0) + _TAIL_SHARPNESS * (tails - 1.0)
    return np.exp(nats.astype(np.float64))


def _log_odds(rate: Floats) -> Floats:
    kept = np.clip(rate, _EDGE, 1.0 - _EDGE)
    odds: Floats = np.log(kept / (1.0 - kept))
    return odds
