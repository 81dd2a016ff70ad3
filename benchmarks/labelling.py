"""Whether the order in which `kgbuild label` asks is worth more than asking at random.

    python benchmarks/labelling.py [--seeds 10] [--pool 20000]

Sessions are replayed on the shipped labels: those of training heads are the pool, and an answer is
what was answered. A session begins with random answers; then a learner reads them, scores the rest,
and the order of its scores says what is asked until the answers have doubled. The learner is
logistic regression on sentence embeddings, which learns in a second what is learned from so few
labels; it stands for the critic, it is not the critic. It is measured on all dev heads.

Beside it stands how far off the share of plausible triples in the pool is when it is estimated from
the random answers, as it should be, and from all of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from kgbuild.core.config_file import load_config
from kgbuild.core.labelling_config import LabellingConfig
from kgbuild.core.records import LabelledTriple, Split
from kgbuild.critic import read_labels, settle_labels
from kgbuild.critic.phrases import MeanEncoder
from kgbuild.critic.split import assign_part
from kgbuild.labelling.ordering import Scored, draw_place, order_questions
from kgbuild.labelling.question import RANDOM, Question
from kgbuild.models import get
from kgbuild.runs.inputs import find_inputs

_SIZES = (100, 200, 400, 800, 1600)
# name: (share of random questions, whether meaning counts)
_WAYS = {
    "at random": (1.0, False),
    "uncertain": (0.0, False),
    "uncertain and diverse": (0.0, True),
    "as `kgbuild label` asks": (0.3, True),
}

Matrix = npt.NDArray[np.float32]


class Rows(NamedTuple):
    """Labelled triples, what the learner reads of them, and what was answered."""

    labels: Sequence[LabelledTriple]
    features: Matrix
    sentences: Matrix
    accepted: npt.NDArray[np.bool_]


class Point(NamedTuple):
    """What a number of answers brought."""

    auc: float
    precision: float
    error_random: float
    error_all: float


def main() -> None:
    """Replay and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--pool", type=int, default=20_000, help="triples that could be asked")
    options = parser.parse_args()
    labels = settle_labels(read_labels(find_inputs(load_config(None).critic.labels)))
    parts = {part: [row for row in labels if assign_part(row.head) is part] for part in Split}
    train = sorted(parts[Split.TRAIN], key=lambda row: draw_place(row.triple_id, seed=0))
    relations = sorted({row.relation for row in labels})
    encoder = MeanEncoder(get("minilm"))
    pool = read(train[: options.pool], relations, encoder)
    dev = read(parts[Split.DEV], relations, encoder)
    print(
        f"{len(pool.labels)} triples in the pool, {pool.accepted.mean():.1%} plausible; "
        f"{len(dev.labels)} dev triples; {options.seeds} seeds\n\n"
        f"| asked | {' | '.join(f'{size} answers' for size in _SIZES)} |\n"
        + "|---" * (len(_SIZES) + 1)
        + "|"
    )
    found = {
        way: [replay(pool, dev, way, seed=seed) for seed in range(options.seeds)] for way in _WAYS
    }
    for way, runs in found.items():
        print(f"| {way}, AUC | {show(runs, lambda point: point.auc)} |", flush=True)
    for way, runs in found.items():
        print(
            f"| {way}, precision of the best tenth | {show(runs, lambda point: point.precision)} |"
        )
    print(f"\n| share of plausible ones, error of | {' | '.join(map(str, _SIZES))} |")
    print("|---" * (len(_SIZES) + 1) + "|")
    runs = found["as `kgbuild label` asks"]
    print(f"| the random answers | {show(runs, lambda point: point.error_random)} |")
    print(f"| all answers | {show(runs, lambda point: point.error_all)} |")


def show(runs: Sequence[Sequence[Point]], pick: Callable[[Point], float]) -> str:
    """Give the mean over seeds and its standard error, size by size."""
    values = np.array([[pick(point) for point in points] for points in runs])
    errors = values.std(axis=0, ddof=1) / len(values) ** 0.5
    return " | ".join(
        f"{mean:.3f} ± {error:.3f}" for mean, error in zip(values.mean(axis=0), errors, strict=True)
    )


def read(labels: Sequence[LabelledTriple], relations: Sequence[str], encoder: MeanEncoder) -> Rows:
    """Give rows with features: the sentence, how head and tail agree, the relation."""
    sentences = encoder.encode([row.sentence for row in labels])
    heads = encoder.encode([row.head for row in labels])
    tails = encoder.encode([row.tail for row in labels])
    known = np.eye(len(relations), dtype=np.float32)
    told = known[[relations.index(row.relation) for row in labels]]
    width = sentences.shape[1] ** 0.5  # products of unit vectors are small
    features = np.concatenate([sentences, width * heads * tails, told], axis=1)
    accepted = np.array([row.label.is_accepted for row in labels])
    return Rows(labels, features, sentences, accepted)


def replay(pool: Rows, dev: Rows, way: str, *, seed: int) -> list[Point]:
    """Ask, answer and learn until the answers have doubled four times."""
    share, by_meaning = _WAYS[way]
    config = LabellingConfig(random_share=share, seed=seed)
    places = {row.triple_id: place for place, row in enumerate(pool.labels)}
    questions = [Question.of_label(row) for row in pool.labels]
    vectors = {row.sentence: place for place, row in enumerate(pool.labels)}

    def encode(sentences: Sequence[str]) -> Matrix:
        return pool.sentences[[vectors[sentence] for sentence in sentences]]

    order = sorted(questions, key=lambda one: draw_place(one.triple_id, seed=seed))
    asked = order[: _SIZES[0]]
    scores = np.zeros(len(questions))
    points: list[Point] = []
    for size in _SIZES:
        if size > len(asked):
            rest = [Scored(one, float(p)) for one, p in zip(questions, scores, strict=True)]
            found = order_questions(
                rest,
                judged={one.triple_id for one in asked},
                centres=[one.sentence for one in asked],
                asked=len(asked),
                encode=encode if by_meaning else None,
                config=config,
            )
            asked += found.questions[: size - len(asked)]
        at = [places[one.triple_id] for one in asked]
        learner = LogisticRegression(C=1.0, max_iter=500)
        learner.fit(pool.features[at], pool.accepted[at])
        scores = learner.predict_proba(pool.features)[:, 1]
        on_dev = learner.predict_proba(dev.features)[:, 1]
        truth, answers = pool.accepted.mean(), pool.accepted[at]
        drawn = [place for place, one in zip(at, asked, strict=True) if one.chosen_by == RANDOM]
        points.append(
            Point(
                float(roc_auc_score(dev.accepted, on_dev)),
                float(dev.accepted[np.argsort(-on_dev)[: len(on_dev) // 10]].mean()),
                float(abs(pool.accepted[drawn].mean() - truth)),
                float(abs(answers.mean() - truth)),
            )
        )
    return points


if __name__ == "__main__":
    main()
