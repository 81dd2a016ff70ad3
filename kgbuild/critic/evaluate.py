"""Testing a critic on labels that chose nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from kgbuild.core.errors import CriticError
from kgbuild.core.records import LabelledTriple, Split
from kgbuild.critic.artefacts import Artefacts
from kgbuild.critic.baselines import rate_relations
from kgbuild.critic.candidate import Candidate
from kgbuild.critic.figures import find_auc, measure
from kgbuild.critic.labels import measure_agreement, settle_labels
from kgbuild.critic.protocol import Critic
from kgbuild.critic.report import CriticReport, Figures, HardFigures
from kgbuild.critic.split import assign_part
from kgbuild.critic.thresholds import Thresholds

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def evaluate_critic(
    critic: Critic,
    labels: Sequence[LabelledTriple],
    *,
    target_precision: float = 0.9,
    artefacts: Artefacts | None = None,
) -> CriticReport:
    """Measure a critic on the test part of labels, with and without the teacher's evidence.

    Args:
        critic: Any critic.
        labels: All rows, relabellings included. The other parts only feed the baselines.
        target_precision: What the thresholds aimed at; reported beside the measured one.
        artefacts: Of the same labels; with them, the hard part gets figures of its own.

    Raises:
        CriticError: If no test head has a sure label, or the artefacts are of other labels.
    """
    settled = settle_labels(labels)
    test = [row for row in settled if assign_part(row.head) is Split.TEST]
    if not test:
        raise CriticError(
            f"none of {len(settled)} sure labels is on a test head; about one head in five is, "
            "so label triples of more heads"
        )
    if artefacts is not None and artefacts.triple_ids != tuple(row.triple_id for row in test):
        raise CriticError(
            f"the artefacts are of {len(artefacts.triple_ids)} other test labels than the "
            f"{len(test)} at hand; find them again for these labels"
        )
    rest = [row for row in settled if assign_part(row.head) is not Split.TEST]
    candidates = [Candidate.of(row) for row in test]
    informed = [place for place, given in enumerate(candidates) if given.evidence is not None]
    # In one call: a critic reads a text once, whether it comes with evidence or without.
    opinions = critic.score(
        [one.without_evidence() for one in candidates] + [candidates[place] for place in informed]
    )
    told = np.full(len(test), np.nan)
    told[informed] = [given.probability for given in opinions[len(candidates) :]]
    sheet = _Sheet(
        test,
        critic.thresholds,
        plain=np.asarray([given.probability for given in opinions[: len(candidates)]]),
        told=told,
    )
    everything = np.arange(len(test))
    relation_only = None
    if rest:
        rates = rate_relations(
            [row.relation for row in rest],
            np.asarray([float(row.label.is_accepted) for row in rest]),
            [row.relation for row in test],
        )
        relation_only = sheet.auc(rates, everything)
    plain, evidence, likelihood = sheet.measure(everything)
    hard = None
    tail_only = None
    if artefacts is not None:
        tail_only = sheet.auc(np.asarray(artefacts.tail_rates), everything)
        hard = _measure_hard(sheet, artefacts)
    return CriticReport(
        critic=critic.key,
        trained_on=0,
        unsure=len({row.triple_id for row in labels}) - len(settled),
        agreement=measure_agreement(labels),
        target_precision=target_precision,
        thresholds=critic.thresholds,
        plain=plain,
        evidence=evidence,
        hard=hard,
        relation_only_auc=relation_only,
        tail_only_auc=tail_only,
        likelihood_auc=likelihood,
    )


class _Sheet:
    """Test rows with a critic's probabilities, to be measured in parts."""

    def __init__(
        self,
        rows: Sequence[LabelledTriple],
        thresholds: Thresholds,
        *,
        plain: Floats,
        told: Floats,
    ) -> None:
        self._rows = rows
        self._thresholds = thresholds
        self._plain = plain
        self._told = told
        self._truth = np.asarray([float(row.label.is_accepted) for row in rows])
        self._likelihood = np.asarray([row.mean_log_probability for row in rows])

    def auc(self, scores: Floats, chosen: Ints) -> float | None:
        """Give the AUC of other scores on the chosen rows."""
        return find_auc(scores[chosen], self._truth[chosen])

    def measure(self, chosen: Ints) -> tuple[Figures, Figures | None, float | None]:
        """Give figures without evidence, those with it where rows have it, and the likelihood's."""
        informed = chosen[~np.isnan(self._told[chosen])]
        plain = self._figures(self._plain, chosen)
        if not len(informed):
            return plain, None, None
        return plain, self._figures(self._told, informed), self.auc(self._likelihood, informed)

    def _figures(self, probabilities: Floats, chosen: Ints) -> Figures:
        rows = [self._rows[place] for place in chosen]
        return measure(probabilities[chosen].tolist(), rows, self._thresholds)


def _measure_hard(sheet: _Sheet, artefacts: Artefacts) -> HardFigures:
    chosen = np.flatnonzero(artefacts.hard)
    plain, evidence, likelihood = sheet.measure(chosen)
    return HardFigures(
        plain=plain,
        evidence=evidence,
        relation_only_auc=sheet.auc(np.asarray(artefacts.relation_rates), chosen),
        tail_only_auc=sheet.auc(np.asarray(artefacts.tail_rates), chosen),
        likelihood_auc=likelihood,
    )
