"""The critic: a calibrated classifier that says which triples are ordinary commonsense.

Reads: `Triple` records, judged triples (`data/labels/`), a large judge's soft verdicts
(`data/silver/`), candidates of a user's own file, public benchmarks. Writes: `Score` and `Verdict`
records, and a critic folder (safetensors, tokenizer, JSON). Refuses: labels of one class only,
label rows that break a rule (with file and line), pickled weights, a critic folder that was
changed.

Scoring needs a model and is slow; deciding needs none, so a new threshold takes seconds. Nothing
here imports torch until a critic is trained or loaded.
"""

from kgbuild.critic.artefacts import Artefacts, find_artefacts, read_artefacts
from kgbuild.critic.calibrate import calibrate_critic
from kgbuild.critic.candidate import Candidate, Evidence
from kgbuild.critic.candidates_file import read_candidates
from kgbuild.critic.drift import Drift, find_drift
from kgbuild.critic.evaluate import evaluate_critic
from kgbuild.critic.folder import (
    CriticCard,
    read_card,
    read_guarantee,
    read_report,
    read_thresholds,
)
from kgbuild.critic.guarantee import check_shares
from kgbuild.critic.judge import decide, judge_triples
from kgbuild.critic.labels import read_labels, read_silver, settle_labels
from kgbuild.critic.phrases import MeanEncoder, PhraseEncoder
from kgbuild.critic.profile import Profile, Sighting, sentence_encoder
from kgbuild.critic.promise import Guarantee, Promise, Scope
from kgbuild.critic.protocol import Critic, Opinion
from kgbuild.critic.public import BENCHMARKS, Benchmark, find_benchmark
from kgbuild.critic.public_figures import compare_opinions
from kgbuild.critic.public_report import Contestant, PublicReport
from kgbuild.critic.public_rows import PublicRow, draw_rows, read_part
from kgbuild.critic.report import CriticReport, Figures, HardFigures
from kgbuild.critic.table import TableScorer
from kgbuild.critic.thresholds import Thresholds
from kgbuild.critic.train import train_critic
from kgbuild.critic.trained_critic import TrainedCritic, load_critic, load_phrase_encoder

__all__ = [
    "Artefacts",
    "BENCHMARKS",
    "Benchmark",
    "Candidate",
    "Contestant",
    "Critic",
    "CriticCard",
    "CriticReport",
    "Drift",
    "Evidence",
    "Figures",
    "Guarantee",
    "HardFigures",
    "MeanEncoder",
    "Opinion",
    "PhraseEncoder",
    "Profile",
    "Promise",
    "PublicReport",
    "PublicRow",
    "Scope",
    "Sighting",
    "TableScorer",
    "Thresholds",
    "TrainedCritic",
    "calibrate_critic",
    "check_shares",
    "compare_opinions",
    "decide",
    "draw_rows",
    "evaluate_critic",
    "find_artefacts",
    "find_benchmark",
    "find_drift",
    "judge_triples",
    "load_critic",
    "load_phrase_encoder",
    "read_artefacts",
    "read_candidates",
    "read_card",
    "read_guarantee",
    "read_labels",
    "read_part",
    "read_report",
    "read_silver",
    "read_thresholds",
    "sentence_encoder",
    "settle_labels",
    "train_critic",
]
