"""A trained critic: loaded, asked, and taken as the start of another one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kgbuild.core.config import CriticConfig
from kgbuild.core.errors import CriticError
from kgbuild.core.progress import QUIET, Progress
from kgbuild.core.relation_models import RelationPack
from kgbuild.core.relations import RelationSet
from kgbuild.critic.candidate import Candidate
from kgbuild.critic.folder import CriticCard, read_card, read_precedents, read_weights
from kgbuild.critic.phrases import MeanEncoder, PhraseEncoder
from kgbuild.critic.precedents import Precedents
from kgbuild.critic.protocol import Opinion
from kgbuild.critic.scaler import Scaler
from kgbuild.critic.thresholds import Thresholds

if TYPE_CHECKING:
    import torch

    from kgbuild.critic.bodies import CausalBody, EncoderBody
    from kgbuild.critic.network import CriticNetwork
    from kgbuild.critic.rows import Reader


class TrainedCritic:
    """A network with calibration and cuts. Make one with `train_critic` or `load_critic`."""

    def __init__(
        self,
        network: CriticNetwork,
        reader: Reader,
        card: CriticCard,
        *,
        memory: Memory | None = None,
        progress: Progress = QUIET,
    ) -> None:
        self._progress = progress
        self._network = network
        self._reader = reader
        self._memory = memory
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

    @property
    def encoder(self) -> PhraseEncoder | None:
        """The sentence encoder of its memory, if it has one."""
        return self._memory.encoder if self._memory else None

    def with_card(self, card: CriticCard) -> TrainedCritic:
        """Give the same network with other calibration or thresholds."""
        return TrainedCritic(
            self._network, self._reader, card, memory=self._memory, progress=self._progress
        )

    def score(self, candidates: Sequence[Candidate]) -> list[Opinion]:
        """Judge candidates, in their order.

        Raises:
            RelationError: If a relation is unknown.
        """
        if not candidates:
            return []
        signals = score_candidates(
            self._network, self._reader, candidates, memory=self._memory, progress=self._progress
        )
        logits = signals.text + signals.evidence
        has_evidence = np.asarray([one.evidence is not None for one in candidates])
        probabilities = np.where(
            has_evidence,
            self.card.evidence.apply(logits, signals.precedents),
            self.card.plain.apply(logits, signals.precedents),
        )
        return [
            Opinion(round(float(probability), 6), float(logit))
            for probability, logit in zip(probabilities, logits, strict=True)
        ]


class Memory(NamedTuple):
    """Judged triples, and what finds those that a candidate is like."""

    precedents: Precedents
    encoder: PhraseEncoder


class Signals(NamedTuple):
    """What is known of some candidates, a number each; calibration makes one probability of it.

    Attributes:
        text: The network's logit of the sentence.
        evidence: What the teacher's evidence adds to it.
        precedents: Log-odds of acceptance among the judged triples that it is like.
    """

    text: npt.NDArray[np.float64]
    evidence: npt.NDArray[np.float64]
    precedents: npt.NDArray[np.float64]


def score_candidates(
    network: CriticNetwork,
    reader: Reader,
    candidates: Sequence[Candidate],
    *,
    memory: Memory | None = None,
    progress: Progress = QUIET,
) -> Signals:
    """Give the signals of candidates. A text that comes twice is read once."""
    import torch

    from kgbuild.critic.network import score_rows

    texts = [one.without_evidence() for one in candidates]
    place = {one: number for number, one in enumerate(dict.fromkeys(texts))}
    logits = score_rows(network, reader.read(list(place)), progress=progress)
    with torch.inference_mode():
        added = network.weigh(torch.from_numpy(reader.weigh(candidates))).double().numpy()
    rows = [place[one] for one in texts]
    votes = np.zeros(len(place))
    if memory is not None:
        votes = memory.precedents.weigh(list(place), places=reader.places, encoder=memory.encoder)
    return Signals(logits[rows], np.round(added, 4), votes[rows])


def load_critic(
    folder: Path, *, base_path: Path | None = None, encoder_path: Path | None = None
) -> TrainedCritic:
    """Load a critic that `train_critic` saved.

    Args:
        folder: Of the critic.
        base_path: Where the language model is that the critic adapts, if it has moved.
        encoder_path: Where the sentence encoder of its precedents is, if it has moved.

    Raises:
        CriticError: If the folder is none, is incomplete, or was changed since.
        ModelError: If the language model that it adapts is gone or another one.
    """
    from safetensors import SafetensorError

    from kgbuild.critic.bodies import load_body
    from kgbuild.critic.network import CriticNetwork
    from kgbuild.critic.rows import Reader
    from kgbuild.decoding import find_base

    card = read_card(folder)
    body: EncoderBody | CausalBody
    try:
        state = read_weights(folder, card)
        if card.base is None:
            body, tokenizer = _build_encoder(folder)
        else:
            place = find_base(card.base, place=base_path, owner=f"The critic in {folder}")
            body, tokenizer = load_body(place, CriticConfig.model_validate(card.config))
        network = CriticNetwork(body, relations=len(card.trained_relations))
        _fill(network, state)
        network.settle()
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise CriticError(f"{folder} is not a whole critic folder: {error}; train again") from error
    pack = RelationPack(pack="critic", language="en", version=1, relations=card.relations)
    reader = Reader(
        tokenizer,
        RelationSet([(str(folder), pack)]),
        places={name: place for place, name in enumerate(card.trained_relations, start=1)},
        scaler=Scaler(card.means, card.spreads),
        max_tokens=card.max_tokens,
        body=body,
    )
    return TrainedCritic(network, reader, card, memory=_load_memory(folder, card, encoder_path))


def _load_memory(folder: Path, card: CriticCard, encoder_path: Path | None) -> Memory | None:
    precedents = read_precedents(folder, card)
    if precedents is None:
        return None
    encoder = load_phrase_encoder(folder, card, place=encoder_path)
    return Memory(precedents, encoder) if encoder is not None else None


def load_phrase_encoder(
    folder: Path, card: CriticCard, *, place: Path | None = None
) -> PhraseEncoder | None:
    """Load the sentence encoder that a critic's memory needs, without the critic.

    Args:
        folder: Of the critic, for errors.
        card: What it is.
        place: Where the encoder is now, if it has moved.

    Raises:
        ModelError: If the encoder is gone, or is another one.
    """
    from kgbuild.decoding import find_base

    if card.encoder is None:
        return None
    found = find_base(card.encoder, place=place, owner=f"The memory of the critic in {folder}")
    return MeanEncoder(found, dtype=CriticConfig.model_validate(card.config).dtype)


def take_weights(
    network: CriticNetwork, folder: Path, card: CriticCard, *, backbone_path: Path
) -> None:
    """Give a new network the weights of a saved critic; relations that it lacks start anew.

    Raises:
        CriticError: If the folder's weights are others than its card says, or do not fit.
        ModelError: If the saved critic adapts another language model.
    """
    import torch

    from kgbuild.decoding import find_base

    if card.base is not None:
        find_base(card.base, place=backbone_path, owner=f"The critic in {folder} (critic.start)")
    try:
        state = read_weights(folder, card)
        for name, table in network.state_dict().items():
            if name.startswith("relation_") and name in state:
                state[name] = torch.cat([state[name], table[len(state[name]) :]])
        _fill(network, state)
    except (OSError, ValueError, RuntimeError) as error:
        raise CriticError(
            f"critic.start {folder} does not fit the backbone {backbone_path}: {error}; leave "
            "critic.start empty to train from the backbone itself"
        ) from error


def _fill(network: CriticNetwork, state: Mapping[str, torch.Tensor]) -> None:
    missing, unknown = network.load_state_dict(state, strict=False)
    lacking = set(missing) & set(network.trained_state())
    if lacking or unknown:
        raise ValueError(f"its weights do not fit, first {sorted([*lacking, *unknown])[0]}")


def _build_encoder(folder: Path) -> tuple[EncoderBody, Any]:
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    from kgbuild.critic.bodies import ATTENTION, EncoderBody

    encoder = AutoModel.from_config(
        AutoConfig.from_pretrained(folder), attn_implementation=ATTENTION
    )
    tokenizer = AutoTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)
    return EncoderBody(encoder), tokenizer
