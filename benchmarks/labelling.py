"""Whether chosen questions teach a critic more than random ones do.

    python benchmarks/labelling.py

Judged triples of training heads stand for candidates, those of test heads measure. A small critic
(logistic regression over sentence embeddings and relations, for the real one takes minutes a
training) is trained on a first lot of random labels and scores the rest; `order_questions` then
chooses more, and the critic is trained again on both.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score

from kgbuild.core.labelling_config import LabellingConfig
from kgbuild.core.records import LabelledTriple, Split
from kgbuild.core.resources import cache_folder, resource_path
from kgbuild.critic import read_labels, settle_labels
from kgbuild.critic.split import assign_part
from kgbuild.dedup import EmbeddingCache, SentenceEncoder
from kgbuild.labelling import Question, Scored, order_questions
from kgbuild.models import resolve_model

FIRST = 300
ARMS = {
    "random": LabellingConfig(random_share=1),
    "uncertain, 3 in 10 random": LabellingConfig(encoder=None),
    "uncertain and diverse, 3 in 10 random": LabellingConfig(),
    "uncertain and diverse alone": LabellingConfig(random_share=0),
}
Floats = npt.NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pool", type=int, default=4_000)
    parser.add_argument("--test", type=int, default=2_000)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--more", type=int, nargs="+", default=[200, 500, 1_000])
    options = parser.parse_args()

    settled = settle_labels(read_labels([Path(resource_path("data/labels"))]))
    draw = random.Random(0)
    rest = [row for row in settled if assign_part(row.head) is Split.TRAIN]
    held = [row for row in settled if assign_part(row.head) is Split.TEST]
    rows = draw.sample(rest, options.pool) + draw.sample(held, options.test)
    encoder = SentenceEncoder(resolve_model("minilm").path)
    cache = EmbeddingCache(cache_folder() / "embeddings", encoder)
    features = describe(rows, cache.encode([row.sentence for row in rows]))
    sides = np.array([row.label.is_accepted for row in rows])
    pool = range(options.pool)
    test = slice(options.pool, None)
    print(f"| questions after {FIRST} random ones | " + " | ".join(map(str, options.more)) + " |")
    print("|---|" + "---|" * len(options.more))
    for name, config in ARMS.items():
        found = {more: [] for more in options.more}
        for seed in range(options.seeds):
            first = random.Random(seed).sample(pool, FIRST)
            model = fit(features[first], sides[first])
            waiting = [place for place in pool if place not in set(first)]
            scores = model.predict_proba(features[waiting])[:, 1]
            places = {rows[place].triple_id: place for place in waiting}
            order = order_questions(
                [
                    Scored(Question.of_label(rows[place]), float(score), 0.5)
                    for place, score in zip(waiting, scores, strict=True)
                ],
                centres=[rows[place].sentence for place in first] if config.encoder else (),
                encode=cache.encode if config.encoder else None,
                config=config.model_copy(update={"seed": seed}),
            )
            for more in options.more:
                asked = [places[one.triple_id] for one in order.questions[:more]]
                trained = fit(features[first + asked], sides[first + asked])
                said = trained.predict_proba(features[test])[:, 1]
                found[more].append(
                    (roc_auc_score(sides[test], said), average_precision_score(sides[test], said))
                )
        cells = [show(np.array(found[more])) for more in options.more]
        print(f"| {name} | " + " | ".join(cells) + " |")


def describe(rows: Sequence[LabelledTriple], vectors: npt.NDArray[np.float32]) -> Floats:
    """Give each row its embedding and its relation."""
    names = sorted({row.relation for row in rows})
    relations = np.zeros((len(rows), len(names)))
    relations[np.arange(len(rows)), [names.index(row.relation) for row in rows]] = 1
    return np.hstack([vectors, relations])


def fit(features: Floats, sides: npt.NDArray[np.bool_]) -> LogisticRegression:
    return LogisticRegression(C=3.0, max_iter=1_000).fit(features, sides)


def show(figures: Floats) -> str:
    """Give AUC and average precision, mean and standard error over the seeds."""
    means, errors = figures.mean(axis=0), figures.std(axis=0, ddof=1) / len(figures) ** 0.5
    return ", ".join(f"{mean:.3f} ± {error:.3f}" for mean, error in zip(means, errors, strict=True))


if __name__ == "__main__":
    main()
