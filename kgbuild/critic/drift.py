"""Whether a run's candidates still are those that a promise was made on.

Two samples with one candidate of each head are compared, relation by relation: the scores by the
test of Kolmogorov and Smirnov, whose small samples are exact; the sentences' vectors by the maximum
mean discrepancy (Gretton et al. 2012), whose null distribution is drawn by permuting heads, exact
for every sample size. Holm (1979) corrects for the number of tests. A difference that is certain
and small is none: every test has a floor for its effect, so that a large run does not always alarm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from pydantic import Field

from kgbuild.core.records import Record
from kgbuild.critic.profile import Profile
from kgbuild.critic.promise import WHOLE, Guarantee

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

LEVEL = 0.05
# Fewer heads than this on a side tell nothing.
LEAST_HEADS = 5
# The largest gap of the two distribution functions.
_SCORES_FLOOR = 0.15
# The share of the vectors' spread that lies between the two samples, corrected for chance.
_MEANING_FLOOR = 0.02
_MIX_FLOOR = 0.02
_EVIDENCE_FLOOR = 0.5
_DRAWS = 1_999
_SEED = 2012


class Finding(Record):
    """One comparison of the run's candidates with those of the promise."""

    relation: str = Field(description="Empty for the graph as a whole")
    what: str = Field(description="scores, meaning, relations, evidence, wording or self-check")
    effect: float = Field(description="KS distance, share of the spread, or difference of shares")
    p_value: float
    held_out: int = Field(description="Heads that the promise was made on")
    found: int = Field(description="Heads of the run")
    is_drifted: bool = False


class Drift(Record):
    """What became of a promise in one run."""

    promise: str = Field(description="The promise that was looked at")
    findings: tuple[Finding, ...] = ()
    withdrawn: tuple[str, ...] = Field(
        default=(), description="Relations of which nothing is promised any more"
    )
    kept: tuple[str, ...] = Field(default=(), description="Relations of which it stands")
    untested: tuple[str, ...] = Field(
        default=(), description="Of these, relations with too few heads to tell"
    )
    advice: str = Field(default="", description="What to label, if something was withdrawn")


def find_drift(
    guarantee: Guarantee,
    held_out: Profile,
    found: Profile,
    *,
    altered: Mapping[str, str] | None = None,
    level: float = LEVEL,
) -> Drift:
    """Compare a run's candidates with those of a promise and withdraw what no longer holds.

    Args:
        guarantee: The promise.
        held_out: The candidates that it was made on.
        found: The run's, drawn in the same way.
        altered: Relations of which the run makes something else than the labels showed, and
            what: `wording`, if it says them in other words than the critic reads.
        level: How often, at most, anything is withdrawn though nothing differs.
    """
    promised = guarantee.promised()
    names = (WHOLE,) if guarantee.scope == "graph" else tuple(promised)
    findings: list[Finding] = []
    untested = []
    for name in names if promised else ():
        of_promise, of_run = (_choose(one, name, guarantee) for one in (held_out, found))
        if min(of_promise.sum(), of_run.sum()) < LEAST_HEADS:
            untested.append(name)
            continue
        findings += [
            Finding(
                relation=name,
                what=what,
                effect=effect,
                p_value=p_value,
                held_out=int(of_promise.sum()),
                found=int(of_run.sum()),
            )
            for what, effect, p_value in _compare(held_out, of_promise, found, of_run, name)
        ]
    findings = _judge(findings, level)
    findings += [
        Finding(
            relation=name,
            what=what,
            effect=1.0,
            p_value=0.0,
            held_out=0,
            found=0,
            is_drifted=True,
        )
        for name, what in sorted((altered or {}).items())
        if name in promised
    ]
    drifted = {one.relation for one in findings if one.is_drifted}
    if guarantee.scope == "graph" and drifted:
        drifted |= set(promised)
    withdrawn = tuple(name for name in promised if name in drifted)
    return Drift(
        promise=guarantee.text,
        findings=tuple(findings),
        withdrawn=withdrawn,
        kept=tuple(name for name in promised if name not in drifted),
        untested=tuple(name for name in untested if name not in drifted),
        advice=_advise(guarantee, findings, withdrawn) if withdrawn else "",
    )


def _choose(profile: Profile, name: str, guarantee: Guarantee) -> Bools:
    chosen: Bools = profile.is_whole > 0
    if name != WHOLE:
        chosen = profile.relations == guarantee.relations.index(name)
    return chosen


def _compare(
    held_out: Profile, of_promise: Bools, found: Profile, of_run: Bools, name: str
) -> list[tuple[str, float, float]]:
    """Give what was compared, the effect and the p-value."""
    from scipy.stats import ks_2samp

    one, other = held_out.scores[of_promise], found.scores[of_run]
    gap = ks_2samp(one, other)
    results = [("scores", float(gap.statistic), float(gap.pvalue))]
    if len(held_out.vectors) and held_out.vectors.shape[1:] == found.vectors.shape[1:]:
        vectors = np.concatenate((held_out.vectors[of_promise], found.vectors[of_run]))
        kernel = _gaussian(vectors.astype(np.float64))
        results.append(("meaning", *_permute(kernel, int(of_promise.sum()))))
    if name == WHOLE:
        kinds = np.concatenate((held_out.relations[of_promise], found.relations[of_run]))
        same = (kinds[:, None] == kinds[None, :]).astype(np.float64)
        results.append(("relations", *_permute(same, int(of_promise.sum()))))
    shares = held_out.evidence[of_promise].mean(), found.evidence[of_run].mean()
    apart = abs(float(shares[0]) - float(shares[1]))
    if apart > _EVIDENCE_FLOOR:
        # Candidates without the teacher's evidence are of another kind, whatever their scores.
        results.append(("evidence", apart, 0.0))
    return results


def _gaussian(vectors: Floats) -> Floats:
    """Give the kernel matrix, its width the median distance."""
    squares = (vectors**2).sum(1)
    distances = np.maximum(squares[:, None] + squares[None, :] - 2 * vectors @ vectors.T, 0.0)
    typical = float(np.median(distances[np.triu_indices(len(vectors), 1)]))
    found: Floats = np.exp(-distances / max(typical, 1e-12))
    return found


def _permute(kernel: Floats, first: int) -> tuple[float, float]:
    """Give the share of the spread that lies between the samples, and its p-value by permutation.

    The discrepancy as the part of a sum of squares in the kernel's space (Rizzo and Szekely 2010);
    the share is less what chance alone gives (Wherry 1931).

    Args:
        kernel: Of all rows, the first sample before the second.
        first: Size of the first sample.
    """
    size = len(kernel)
    second = size - first
    total = float(np.trace(kernel) - kernel.sum() / size)
    if total <= 1e-9:  # all alike
        return 0.0, 1.0
    weights = np.full(size, -1.0 / second)
    weights[:first] = 1.0 / first
    generator = np.random.default_rng(_SEED)
    drawn = generator.permuted(np.tile(weights, (_DRAWS, 1)), axis=1).T  # (size, draws)
    between = float(weights @ kernel @ weights)
    by_chance = np.einsum("ij,ij->j", drawn, kernel @ drawn)
    share = between * first * second / size / total
    corrected = 1.0 - (1.0 - share) * (size - 1) / (size - 2)
    # The last bits differ between equal sums.
    p_value = (1 + int((by_chance >= between * (1 - 1e-9)).sum())) / (_DRAWS + 1)
    return max(corrected, 0.0), p_value


_FLOORS = {
    "scores": _SCORES_FLOOR,
    "meaning": _MEANING_FLOOR,
    "relations": _MIX_FLOOR,
    "evidence": _EVIDENCE_FLOOR,
}


def _judge(findings: Sequence[Finding], level: float) -> list[Finding]:
    """Mark what differs: certain by Holm's correction, and large enough to matter."""
    order = sorted(range(len(findings)), key=lambda place: findings[place].p_value)
    certain = set()
    for rank, place in enumerate(order):
        if findings[place].p_value > level / (len(findings) - rank):
            break
        certain.add(place)
    return [
        one.model_copy(update={"is_drifted": place in certain and one.effect >= _FLOORS[one.what]})
        for place, one in enumerate(findings)
    ]


def _advise(guarantee: Guarantee, findings: Sequence[Finding], withdrawn: Sequence[str]) -> str:
    worst: dict[str, Finding] = {}
    drifted = [one for one in findings if one.is_drifted]
    for one in sorted(drifted, key=lambda one: (one.p_value, -one.effect)):
        worst.setdefault(one.relation, one)
    reasons = ", ".join(
        f"{name or 'the graph'} ({one.what} {one.effect:.2f}"
        + (f", {one.found} heads" if one.found else "")
        + ")"
        for name, one in sorted(worst.items())
    )
    heads = {
        one.relation: one.heads
        for one in guarantee.promises
        if one.is_given and (one.relation in withdrawn or one.relation == WHOLE)
    }
    wanted = ", ".join(
        f"{count} heads" if name == WHOLE else f"{count} heads of {name}"
        for name, count in sorted(heads.items())
    )
    return (
        f"The promise {guarantee.text} is withdrawn for {', '.join(withdrawn)}: this run's "
        f"candidates are others than those that it was made on, by {reasons}. To promise it again, "
        f"label candidates of this run drawn at random, about {wanted}, and run kgbuild critic "
        "calibrate on them"
    )
