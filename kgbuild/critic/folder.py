"""A critic's folder: safetensors weights, for an encoder its tokenizer, and JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError

from kgbuild.core.base_weights import BaseWeights
from kgbuild.core.errors import CriticError, FileError, first_fault
from kgbuild.core.files import hash_file, read_json, replacing, write_json
from kgbuild.core.ids import content_key
from kgbuild.core.records import Record
from kgbuild.core.relation_models import Relation
from kgbuild.critic.calibration import Calibration
from kgbuild.critic.precedents import Precedents
from kgbuild.critic.profile import Profile
from kgbuild.critic.promise import Guarantee
from kgbuild.critic.report import CriticReport
from kgbuild.critic.thresholds import Thresholds

if TYPE_CHECKING:
    import torch

    from kgbuild.critic.network import CriticNetwork

_FORMAT = 2
_CARD = "critic.json"
_WEIGHTS = "model.safetensors"
_PRECEDENTS = "precedents.safetensors"
_GUARANTEE = "guarantee.json"
_PROFILE = "profile.safetensors"


class CriticCard(Record):
    """All of a critic that is not weights or words."""

    format: int = _FORMAT
    weights_hash: str
    base: BaseWeights | None = Field(
        default=None, description="Language model that the weights adapt; empty if they are whole"
    )
    encoder: BaseWeights | None = Field(
        default=None, description="Sentence encoder of the precedents; empty if there are none"
    )
    precedents_hash: str | None = None
    guarantee_hash: str | None = Field(
        default=None, description="sha256 of the promise that the thresholds keep, if there is one"
    )
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
        tree = self.model_dump(mode="json", by_alias=True)
        # What came later is left out where it is not used, so that a critic keeps its key.
        if self.guarantee_hash is None:
            del tree["guarantee_hash"]
        for calibration in (tree["plain"], tree["evidence"]):
            if not calibration["steps"]:
                del calibration["steps"]
        return content_key(tree)


def save_critic(
    folder: Path,
    network: CriticNetwork,
    tokenizer: Any,
    card: dict[str, Any],
    *,
    precedents: Precedents | None = None,
) -> CriticCard:
    """Write a critic folder. The card comes last: its presence means that the rest is whole."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    (folder / _CARD).unlink(missing_ok=True)
    with replacing(folder / _WEIGHTS) as temporary:
        save_file({n: t.contiguous() for n, t in network.trained_state().items()}, temporary)
    if not network.body.is_causal:
        network.body.model.config.save_pretrained(folder)  # type: ignore[union-attr, operator]
        tokenizer.save_pretrained(folder / "tokenizer")
    whole = CriticCard(
        weights_hash=hash_file(folder / _WEIGHTS),
        precedents_hash=precedents.save(folder / _PRECEDENTS) if precedents else None,
        **card,
    )
    write_json(folder / _CARD, whole.model_dump(mode="json", by_alias=True))
    return whole


def save_guarantee(
    folder: Path, card: CriticCard, guarantee: Guarantee, profile: Profile
) -> CriticCard:
    """Put a promise into a critic's folder; its thresholds become the critic's. The card is last.

    Figures of other thresholds are taken away.
    """
    for name in (_CARD, "report.json"):
        (folder / name).unlink(missing_ok=True)
    profile_hash = profile.save(folder / _PROFILE)
    whole = guarantee.model_copy(update={"profile_hash": profile_hash})
    write_json(folder / _GUARANTEE, whole.model_dump(mode="json"))
    card = card.model_copy(
        update={
            "thresholds": whole.thresholds(),
            "guarantee_hash": hash_file(folder / _GUARANTEE),
        }
    )
    write_json(folder / _CARD, card.model_dump(mode="json", by_alias=True))
    return card


def read_guarantee(folder: Path) -> tuple[Guarantee, Profile] | None:
    """Read the promise of a critic and what it was made on; None if it promises nothing.

    Raises:
        CriticError: If a file of it is gone or another one than the card speaks of.
    """
    card = read_card(folder)
    if card.guarantee_hash is None:
        return None
    path = folder / _GUARANTEE
    try:
        if hash_file(path) != card.guarantee_hash:
            raise CriticError(f"{path} is not the file that critic.json speaks of; calibrate again")
        guarantee = Guarantee.model_validate(read_json(path))
    except (FileError, ValidationError) as error:
        raise CriticError(
            f"{path} holds no readable promise: {first_fault(error)}; calibrate again"
        ) from error
    return guarantee, Profile.load(folder / _PROFILE, sha256=guarantee.profile_hash)


def read_weights(folder: Path, card: CriticCard) -> dict[str, torch.Tensor]:
    """Read the weights that a card speaks of, as float32.

    Raises:
        CriticError: If the file is another one.
        OSError: If it is missing.
        SafetensorError: If it is broken.
    """
    from safetensors.torch import load_file

    if hash_file(folder / _WEIGHTS) != card.weights_hash:
        raise CriticError(
            f"{folder / _WEIGHTS} is not the file that critic.json speaks of; train again"
        )
    return {name: tensor.float() for name, tensor in load_file(folder / _WEIGHTS).items()}


def read_precedents(folder: Path, card: CriticCard) -> Precedents | None:
    """Read the judged triples that a critic remembers, if it does."""
    if card.precedents_hash is None:
        return None
    return Precedents.load(folder / _PRECEDENTS, sha256=card.precedents_hash)


def read_thresholds(folder: Path) -> Thresholds:
    """Give a saved critic's thresholds without loading its weights."""
    return read_card(folder).thresholds


def read_report(folder: Path) -> CriticReport:
    """Give the figures that a critic was saved with."""
    try:
        return CriticReport.model_validate(read_json(folder / "report.json"))
    except (FileError, ValidationError) as error:
        raise CriticError(
            f"{folder} holds no readable report.json: {first_fault(error)}; train again"
        ) from error


def read_card(folder: Path) -> CriticCard:
    """Read what a critic is, without its weights.

    Raises:
        CriticError: If the folder holds no critic of this version.
    """
    if not (folder / _CARD).is_file():
        raise CriticError(
            f"{folder} holds no critic.json, so it is no trained critic; make one with "
            "kgbuild critic train"
        )
    try:
        return CriticCard.model_validate(read_json(folder / _CARD))
    except (FileError, ValidationError) as error:
        raise CriticError(
            f"{folder / _CARD} is not a critic of this version of kgbuild: {first_fault(error)}; "
            "train again"
        ) from error
