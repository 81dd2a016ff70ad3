"""A trained critic, in memory and as a folder: safetensors weights, tokenizer, JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from kgbuild.core.errors import CriticError, FileError
from kgbuild.core.files import hash_file, read_json, replacing, write_json
from kgbuild.core.ids import content_key
from kgbuild.core.records import Record
from kgbuild.core.relation_models import Relation, RelationPack
from kgbuild.core.relations import RelationSet
from kgbuild.critic.calibration import Calibration
from kgbuild.critic.candidate import Candidate
from kgbuild.critic.protocol import Opinion
from kgbuild.critic.report import CriticReport
from kgbuild.critic.thresholds import Thresholds

if TYPE_CHECKING:
    from kgbuild.critic.network import CriticNetwork, Reader

_FORMAT = 1
_CARD = "critic.json"
_WEIGHTS = "model.safetensors"


class CriticCard(Record):
    """All of a critic that is not weights or words."""

    format: int = _FORMAT
    weights_hash: str
    plain: Calibration
    evidence: Calibration
    thresholds: Thresholds
    means: tuple[float, ...]
    spreads: tuple[float, ...]
    trained_relations: tuple[str, ...]
    relations: tuple[Relation, ...]
    max_tokens: int
    config: dict[str, Any]
    inputs: dict[str, str]

    @property
    def key(self) -> str:
        """Content key: follows from weights, calibration and thresholds."""
        return content_key(self.model_dump(mode="json", by_alias=True))


class EncoderCritic:
    """A sentence encoder with a calibrated head. Make one with `train_critic` or `load_critic`."""

    def __init__(self, network: CriticNetwork, reader: Reader, card: CriticCard) -> None:
        self._network = network
        self._reader = reader
        self.card = card
        self._key = card.key

    @property
    def key(self) -> str:
        """Content key of weights, calibration and thresholds."""
        return self._key

    @property
    def thresholds(self) -> Thresholds:
        """Where to cut."""
        return self.card.thresholds

    @property
    def relations(self) -> RelationSet:
        """The relations that it can verbalise; labels may have held only some of them."""
        return self._reader.relations

    def score(self, candidates: Sequence[Candidate]) -> list[Opinion]:
        """Judge candidates, in their order.

        Raises:
            RelationError: If a relation is unknown.
        """
        from kgbuild.critic.network import score_rows

        if not candidates:
            return []
        logits = score_rows(self._network, self._reader.read(candidates))
        has_evidence = np.asarray([one.evidence is not None for one in candidates])
        probabilities = np.where(
            has_evidence, self.card.evidence.apply(logits), self.card.plain.apply(logits)
        )
        return [
            Opinion(round(float(probability), 6), float(logit))
            for probability, logit in zip(probabilities, logits, strict=True)
        ]


def save_critic(
    folder: Path, network: CriticNetwork, tokenizer: Any, card: dict[str, Any]
) -> CriticCard:
    """Write a critic folder. The card comes last: its presence means that the rest is whole."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    (folder / _CARD).unlink(missing_ok=True)
    with replacing(folder / _WEIGHTS) as temporary:
        save_file({n: t.contiguous() for n, t in network.state_dict().items()}, temporary)
    network.encoder.config.save_pretrained(folder)  # type: ignore[union-attr, operator]
    tokenizer.save_pretrained(folder / "tokenizer")
    whole = CriticCard(weights_hash=hash_file(folder / _WEIGHTS), **card)
    write_json(folder / _CARD, whole.model_dump(mode="json", by_alias=True))
    return whole


def load_critic(folder: Path) -> EncoderCritic:
    """Load a critic that `train_critic` saved.

    Raises:
        CriticError: If the folder is none, is incomplete, or was changed since.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    from kgbuild.critic.network import CriticNetwork, Reader, Scaler

    card = _read_card(folder)
    try:
        if hash_file(folder / _WEIGHTS) != card.weights_hash:
            raise CriticError(
                f"{folder / _WEIGHTS} is not the file that critic.json speaks of; train again"
            )
        encoder = AutoModel.from_config(AutoConfig.from_pretrained(folder))
        network = CriticNetwork(encoder, relations=len(card.trained_relations))
        network.load_state_dict(load_file(folder / _WEIGHTS))
        tokenizer = AutoTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise CriticError(f"{folder} is not a whole critic folder: {error}; train again") from error
    pack = RelationPack(pack="critic", language="en", version=1, relations=card.relations)
    reader = Reader(
        tokenizer,
        RelationSet([(str(folder), pack)]),
        places={name: place for place, name in enumerate(card.trained_relations, start=1)},
        scaler=Scaler(card.means, card.spreads),
        max_tokens=card.max_tokens,
    )
    return EncoderCritic(network, reader, card)


def read_thresholds(folder: Path) -> Thresholds:
    """Give a saved critic's thresholds without loading its weights."""
    return _read_card(folder).thresholds


def read_report(folder: Path) -> CriticReport:
    """Give the figures that a critic was saved with."""
    try:
        return CriticReport.model_validate(read_json(folder / "report.json"))
    except (FileError, ValidationError) as error:
        raise CriticError(f"{folder} holds no readable report.json: {error}") from error


def _read_card(folder: Path) -> CriticCard:
    if not (folder / _CARD).is_file():
        raise CriticError(
            f"{folder} holds no critic.json, so it is no trained critic; make one with "
            "kgbuild critic train"
        )
    try:
        return CriticCard.model_validate(read_json(folder / _CARD))
    except (FileError, ValidationError) as error:
        raise CriticError(
            f"{folder / _CARD} is not a critic of this version of kgbuild: {error}; train again"
        ) from error
