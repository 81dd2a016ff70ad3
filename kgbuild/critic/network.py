"""The classifier: a body that reads the verbalised triple, and a small head."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from kgbuild.core.progress import QUIET, Progress
from kgbuild.critic.bodies import CausalBody, EncoderBody
from kgbuild.critic.cores import map_on_cores
from kgbuild.critic.rows import Batch, Rows
from kgbuild.critic.scaler import EVIDENCE_WIDTH


class CriticNetwork(nn.Module):
    """A body, a linear head, a relation's own direction and the evidence.

    Relation 0 stands for one without labels. Its row stays zero, so an unseen relation is
    judged by its sentence alone.
    """

    def __init__(self, body: EncoderBody | CausalBody, *, relations: int) -> None:
        super().__init__()
        self.body = body
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(body.width, 1)
        self.relation_rate = nn.Embedding(relations + 1, 1, padding_idx=0)
        self.relation_direction = nn.Embedding(relations + 1, body.width, padding_idx=0)
        self.evidence = nn.Linear(EVIDENCE_WIDTH, 1, bias=False)
        if body.asked is not None:
            with torch.no_grad():
                self.head.weight.copy_(body.asked.direction)
                self.head.bias.zero_()
        for table in (self.relation_rate, self.relation_direction, self.evidence):
            nn.init.zeros_(table.weight)

    def forward(self, batch: Batch) -> torch.Tensor:
        """Give one logit a row of the batch, from its text alone."""
        pooled = self.dropout(self.body(batch))
        logit = self.head(pooled) + self.relation_rate(batch.relation)
        logit = logit + (pooled * self.relation_direction(batch.relation)).sum(-1, keepdim=True)
        flat: torch.Tensor = logit.squeeze(-1)
        return flat

    def weigh(self, evidence: torch.Tensor) -> torch.Tensor:
        """Give what evidence (N, EVIDENCE_WIDTH) adds to a logit; nothing where it is zero."""
        added: torch.Tensor = self.evidence(evidence).squeeze(-1)
        return added

    def pretrained(self) -> list[nn.Parameter]:
        """Give the parameters that know something before training: they move slowly."""
        known = list(self.body.parameters())
        if self.body.asked is not None:
            known += [*self.head.parameters(), *self.relation_direction.parameters()]
        return known

    def trained_state(self) -> dict[str, torch.Tensor]:
        """Give the tensors that a saved critic keeps.

        A language model stays where it is; only its adapter, in half precision, and the heads are
        a critic's own.
        """
        if not self.body.is_causal:
            return dict(self.state_dict())
        return {
            name: parameter.detach().to(
                torch.float16 if name.startswith("body.") else torch.float32
            )
            for name, parameter in self.named_parameters()
            if parameter.requires_grad
        }

    def settle(self) -> None:
        """End training: from here on the network is only read.

        What is saved in half precision is rounded, so that a saved critic answers as this one.
        """
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                if self.body.is_causal and parameter.requires_grad and name.startswith("body."):
                    parameter.copy_(parameter.to(torch.float16).float())
        self.body.fold()


def score_rows(
    network: CriticNetwork, rows: Rows, *, tokens: int = 384, progress: Progress = QUIET
) -> npt.NDArray[np.float64]:
    """Give the text logit of every row, computed in order of length, a batch a core."""
    network.eval()
    order = sorted(range(len(rows.groups)), key=lambda place: rows.groups[place].width)
    logits = np.zeros(len(rows), dtype=np.float64)
    batches = _fill_batches(rows, order, tokens)

    def read(chosen: list[int]) -> tuple[list[int], npt.NDArray[np.float64]]:
        batch = rows.batch(chosen)
        with torch.inference_mode():
            return batch.rows, network(batch).double().numpy()

    for places, found in progress.track(
        map_on_cores(read, batches), stage="critic scoring", total=len(batches), unit="batches"
    ):
        logits[places] = found
    # Padding moves the last bits; rounding keeps an answer independent of its company.
    return np.round(logits, 4)


def _fill_batches(rows: Rows, order: Sequence[int], tokens: int) -> list[list[int]]:
    """Give batches of as many groups as fit into a number of tokens, padding counted."""
    batches: list[list[int]] = []
    for place in order:
        if batches and (len(batches[-1]) + 1) * rows.groups[place].width <= tokens:
            batches[-1].append(place)
        else:
            batches.append([place])
    return batches
