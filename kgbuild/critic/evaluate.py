"""Testing a critic on labels that chose nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kgbuild.core.errors import CriticError
from kgbuild.core.records import LabelledTriple, Split
from kgbuild.critic.candidate import Candidate
from kgbuild.critic.figures import find_auc, measure
from kgbuild.critic.labels import measure_agreement, settle_labels
from kgbuild.critic.protocol import Critic
from kgbuild.critic.report import CriticReport
from kgbuild.critic.split import assign_part


def evaluate_critic(
    critic: Critic, labels: Sequence[LabelledTriple], *, target_precision: float = 0.9
) -> CriticReport:
    """Measure a critic on the test part of labels, with and without the teacher's evidence.

    Args:
        critic: Any critic.
        labels: All rows, relabellings included. The other parts only feed the baselines.
        target_precision: What the thresholds aimed at; reported beside the measured one.

    Raises:
        CriticError: If no test head has a sure label.
    """
    settled = settle_labels(labels)
    test = [row for row in settled if assign_part(row.head) is Split.TEST]
    if not test:
        raise CriticError(
            f"none of {len(settled)} sure labels is on a test head; about one head in five is, "
            "so label triples of more heads"
        )
    rest = [row for row in settled if assign_part(row.head) is not Split.TEST]
    candidates = [Candidate.of(row) for row in test]
    informed = [place for place, given in enumerate(candidates) if given.evidence is not None]
    # In one call: a critic reads a text once, whether it comes with evidence or without.
    opinions = critic.score(
        [one.without_evidence() for one in candidates] + [candidates[place] for place in informed]
    )
    plain, told = opinions[: len(candidates)], opinions[len(candidates) :]
    evidence = None
    likelihood = None
    if informed:
        rows = [test[place] for place in informed]
        evidence = measure([given.probability for given in told], rows, critic.thresholds)
        likelihood = find_auc(
            np.asarray([row.mean_log_probability for row in rows]),
            np.asarray([float(row.label.is_accepted) for row in rows]),
        )
    return CriticReport(
        critic=critic.key,
        trained_on=0,
        unsure=len({row.triple_id for row in labels}) - len(settled),
        agreement=measure_agreement(labels),
        target_precision=target_precision,
        thresholds=critic.thresholds,
        plain=measure([given.probability for given in plain], test, critic.thresholds),
        evidence=evidence,
        relation_only_auc=_relation_only_auc(rest, test),
        likelihood_auc=likelihood,
    )


def _relation_only_auc(
    rest: Sequence[LabelledTriple], test: Sequence[LabelledTriple]
) -> float | None:
    rates: dict[str, list[float]] = {}
    for row in rest:
        rates.setdefault(row.relation, []).append(float(row.label.is_accepted))
    if not rates:
        return None
    overall = float(np.mean([value for values in rates.values() for value in values]))
    # Two labels' worth of the overall rate, so one lucky label does not make a relation perfect.
    smoothed = {
        name: (sum(values) + 2 * overall) / (len(values) + 2) for name, values in rates.items()
    }
    return find_auc(
        np.asarray([smoothed.get(row.relation, overall) for row in test]),
        np.asarray([float(row.label.is_accepted) for row in test]),
    )
