"""What test labels give away: how far relation and tail alone get, and the rows left without."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import Field, ValidationError

from kgbuild.core.errors import FileError
from kgbuild.core.files import read_json, write_json
from kgbuild.core.ids import content_key, phrase_id
from kgbuild.core.records import LabelledTriple, Record, Split
from kgbuild.critic.aflite import filter_rows, show_parts
from kgbuild.critic.baselines import rate_relations, rate_texts
from kgbuild.critic.phrases import PhraseEncoder
from kgbuild.critic.split import assign_part

_FILE = "artefacts.json"
_SEED = 2020


class Artefacts(Record):
    """Of each test label: the baselines' probabilities, and whether it is a hard one.

    They follow from the labels and a sentence encoder, whichever critic is measured.
    """

    labels: str = Field(description="Key of the labels that it was made of")
    left_share: float = Field(description="Share of all labels that AFLite leaves")
    triple_ids: tuple[str, ...] = Field(description="Test labels, in their order")
    is_hard: tuple[bool, ...]
    relation_rates: tuple[float, ...]
    tail_rates: tuple[float, ...]

    @property
    def hard(self) -> npt.NDArray[np.bool_]:
        """Whether each test label is a hard one."""
        return np.asarray(self.is_hard, dtype=bool)


def find_artefacts(settled: Sequence[LabelledTriple], encoder: PhraseEncoder) -> Artefacts | None:
    """Filter all labels by AFLite and fit the baselines on those of other parts than test.

    All parts are filtered together, as the papers do with a whole data set: what a member learns
    from are random heads of any part, and a row is judged by members that did not see its head.
    The hard test part is what is left of the test part.

    Args:
        settled: One label a triple.
        encoder: Of phrases.

    Returns:
        Nothing if the other parts do not hold labels of both kinds to fit a baseline on.
    """
    truth = np.asarray([row.label.is_accepted for row in settled], dtype=bool)
    is_test = np.asarray([assign_part(row.head) is Split.TEST for row in settled], dtype=bool)
    known = truth[~is_test].astype(np.float64)
    if not 0 < known.sum() < len(known):
        return None
    heads = encoder.encode([row.head for row in settled])
    tails = encoder.encode([row.tail for row in settled])
    names = np.asarray([row.relation for row in settled], dtype=object)
    left = filter_rows(
        show_parts(heads, names.tolist(), tails),
        truth,
        [phrase_id(row.head) for row in settled],
        seed=_SEED,
    )
    return Artefacts(
        labels=labels_key(settled),
        left_share=round(float(left.mean()), 4),
        triple_ids=tuple(
            row.triple_id for row, tested in zip(settled, is_test, strict=True) if tested
        ),
        is_hard=tuple(left[is_test].tolist()),
        relation_rates=_round(
            rate_relations(names[~is_test].tolist(), known, names[is_test].tolist())
        ),
        tail_rates=_round(rate_texts(tails[~is_test], known, tails[is_test])),
    )


def labels_key(settled: Sequence[LabelledTriple]) -> str:
    """Give the key of what artefacts follow from."""
    return content_key([[row.triple_id, row.label.is_accepted] for row in settled])


def save_artefacts(folder: Path, artefacts: Artefacts) -> None:
    """Keep artefacts in a critic's folder, so that measuring it again need not find them again."""
    write_json(folder / _FILE, artefacts.model_dump(mode="json"))


def read_artefacts(folder: Path, settled: Sequence[LabelledTriple]) -> Artefacts | None:
    """Give the artefacts that a critic's folder keeps, if they are those of these labels."""
    try:
        found = Artefacts.model_validate(read_json(folder / _FILE))
    except (FileError, ValidationError):
        # They can be found again at any time.
        return None
    return found if found.labels == labels_key(settled) else None


def _round(values: npt.NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(float(value), 5) for value in values)
