"""The classifier: a sentence encoder that reads the verbalised triple, and a small head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from kgbuild.core.errors import ModelError
from kgbuild.core.relations import RelationSet, verbalise
from kgbuild.critic.candidate import Candidate, Evidence
from kgbuild.decoding import quiet_loading

EVIDENCE_WIDTH = 5


@dataclass(frozen=True)
class Scaler:
    """Means and spreads of the teacher's evidence, from training triples."""

    means: tuple[float, ...] = (0.0, 0.0, 0.0)
    spreads: tuple[float, ...] = (1.0, 1.0, 1.0)

    @classmethod
    def fit(cls, given: Sequence[Evidence | None]) -> Scaler:
        """Measure training evidence; what is never given keeps mean 0 and spread 1."""
        columns = list(zip(*(_numbers(one) for one in given if one is not None), strict=True))
        means, spreads = [], []
        for column in columns or [(), (), ()]:
            values = np.asarray([value for value in column if value is not None], dtype=np.float64)
            means.append(float(values.mean()) if values.size else 0.0)
            spread = float(values.std()) if values.size > 1 else 1.0
            spreads.append(spread if spread > 1e-6 else 1.0)
        return cls(tuple(means), tuple(spreads))

    def apply(self, evidence: Evidence | None) -> list[float]:
        """Give three standardised numbers and two flags; all zero when nothing is known."""
        if evidence is None:
            return [0.0] * EVIDENCE_WIDTH
        scaled = [
            0.0 if value is None else float(np.clip((value - mean) / spread, -4.0, 4.0))
            for value, mean, spread in zip(
                _numbers(evidence), self.means, self.spreads, strict=True
            )
        ]
        return [*scaled, 1.0, float(evidence.gain is not None)]


def _numbers(evidence: Evidence) -> tuple[float | None, ...]:
    return evidence.mean_log_probability, evidence.gain, float(evidence.tokens)


class CriticNetwork(nn.Module):
    """Mean-pooled encoder, a linear head, a relation's own direction and the evidence.

    Relation 0 stands for one without labels. Its row stays zero, so an unseen relation is
    judged by its sentence alone.
    """

    def __init__(self, encoder: nn.Module, *, relations: int) -> None:
        super().__init__()
        width = int(encoder.config.hidden_size)  # type: ignore[union-attr, arg-type]
        self.encoder = encoder
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(width, 1)
        self.relation_rate = nn.Embedding(relations + 1, 1, padding_idx=0)
        self.relation_direction = nn.Embedding(relations + 1, width, padding_idx=0)
        self.evidence = nn.Linear(EVIDENCE_WIDTH, 1, bias=False)
        for table in (self.relation_rate, self.relation_direction, self.evidence):
            nn.init.zeros_(table.weight)

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        relation: torch.Tensor,
        evidence: torch.Tensor,
    ) -> torch.Tensor:
        """Give one logit a row."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask)
        mask = attention_mask.unsqueeze(-1).to(torch.float32)
        # (rows, width); the padding takes no part in the mean
        pooled = (states.last_hidden_state * mask).sum(1) / mask.sum(1)
        pooled = self.dropout(pooled)
        logit = self.head(pooled) + self.relation_rate(relation) + self.evidence(evidence)
        logit = logit + (pooled * self.relation_direction(relation)).sum(-1, keepdim=True)
        flat: torch.Tensor = logit.squeeze(-1)
        return flat


class Reader:
    """Turns candidates into the network's tensors."""

    def __init__(
        self,
        tokenizer: Any,
        relations: RelationSet,
        *,
        places: Mapping[str, int],
        scaler: Scaler,
        max_tokens: int,
    ) -> None:
        self.tokenizer = tokenizer
        self.relations = relations
        self.places = places
        self.scaler = scaler
        self.max_tokens = max_tokens

    def read(self, candidates: Sequence[Candidate]) -> Rows:
        """Verbalise and tokenise candidates."""
        sentences = [
            verbalise(self.relations.get(one.relation), one.head, one.tail) for one in candidates
        ]
        tokens = self.tokenizer(sentences, truncation=True, max_length=self.max_tokens)
        return Rows(
            tokens=tokens["input_ids"],
            relation=np.asarray(
                [self.places.get(one.relation, 0) for one in candidates], dtype=np.int64
            ),
            evidence=np.asarray(
                [self.scaler.apply(one.evidence) for one in candidates], dtype=np.float32
            ).reshape(-1, EVIDENCE_WIDTH),
            padding=int(self.tokenizer.pad_token_id or 0),
        )


@dataclass(frozen=True)
class Rows:
    """Tokenised candidates."""

    tokens: list[list[int]]
    relation: npt.NDArray[np.int64]
    evidence: npt.NDArray[np.float32]
    padding: int

    def batch(self, chosen: Sequence[int]) -> dict[str, torch.Tensor]:
        """Pad some rows to one width."""
        width = max(len(self.tokens[place]) for place in chosen)
        ids = torch.full((len(chosen), width), self.padding, dtype=torch.long)
        mask = torch.zeros((len(chosen), width), dtype=torch.long)
        for row, place in enumerate(chosen):
            length = len(self.tokens[place])
            ids[row, :length] = torch.tensor(self.tokens[place])
            mask[row, :length] = 1
        return {
            "input_ids": ids,
            "attention_mask": mask,
            "relation": torch.from_numpy(self.relation[list(chosen)]),
            "evidence": torch.from_numpy(self.evidence[list(chosen)]),
        }


def score_rows(network: CriticNetwork, rows: Rows, *, batch: int = 64) -> npt.NDArray[np.float64]:
    """Give the raw logit of every row, computed in order of length."""
    network.eval()
    order = sorted(range(len(rows.tokens)), key=lambda place: len(rows.tokens[place]))
    logits = np.zeros(len(order), dtype=np.float64)
    with torch.inference_mode():
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            logits[chosen] = network(**rows.batch(chosen)).double().numpy()
    # Padding moves the last bits; rounding keeps an answer independent of its company.
    return np.round(logits, 4)


def load_encoder(path: Path) -> tuple[nn.Module, Any]:
    """Load a sentence encoder and its tokenizer from a folder with safetensors weights.

    Raises:
        ModelError: If the folder lacks them, or holds only pickled weights.
    """
    from transformers import AutoModel, AutoTokenizer

    if not (path / "model.safetensors").is_file():
        raise ModelError(
            f"{path} has no model.safetensors; the critic reads safetensors weights only, give "
            "an encoder folder that has them"
        )
    try:
        with quiet_loading():
            model = AutoModel.from_pretrained(path, use_safetensors=True, local_files_only=True)
            tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} is not a readable encoder folder: {error}") from error
    return model.float(), tokenizer
