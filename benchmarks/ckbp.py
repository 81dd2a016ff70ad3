"""Train a critic on the open data of CKBP, never on a test row or a test head.

    python benchmarks/ckbp.py ../shared/data --out my-ckbp --start my-judge
    kgbuild evaluate critic --benchmark ckbp-v2 --data ../shared/data --critic my-ckbp
    python benchmarks/ckbp.py ../shared/data --out my-v1 --start data/critic --benchmark ckbp-v1

It goes on from a critic (`--start`, made by `kgbuild critic train`) with the dev rows of v2, judged
by experts, and crowd rows of v1 that the start finds believable: experts refuse half of what the
crowd accepted and hardly any of what it refused, so accepted rows must also be above the start's
median (a filter as in PseudoReasoner, Fang et al. 2022). Left out of v1 are heads of v2's open test
part and, by their hash, those of its held-back one. A seventh of the dev heads calibrates, the rest
is the critic's memory too. With `--benchmark ckbp-v1` it learns from the dev rows of v1 alone.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kgbuild.cli.output import Bars
from kgbuild.core.config import CriticConfig, plain
from kgbuild.core.relations import load_relations
from kgbuild.critic import find_benchmark, read_card
from kgbuild.critic.bodies import load_body
from kgbuild.critic.calibration import fit_calibration
from kgbuild.critic.figures import find_auc
from kgbuild.critic.fitting import fit
from kgbuild.critic.folder import save_critic
from kgbuild.critic.network import CriticNetwork, score_rows
from kgbuild.critic.phrases import MeanEncoder, RememberingEncoder
from kgbuild.critic.precedents import Precedents
from kgbuild.critic.public_rows import PublicRow, read_part
from kgbuild.critic.rows import Reader
from kgbuild.critic.scaler import Scaler
from kgbuild.critic.split import find_place
from kgbuild.critic.thresholds import Thresholds
from kgbuild.critic.trained_critic import Memory, score_candidates, take_weights
from kgbuild.decoding import identify_base
from kgbuild.models import resolve_model

_PACKS = ["atomic2020.en", "generics.en"]
_CALIBRATES = 1 / 7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder that holds ckbp_v1 and ckbp_v2")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--start", type=Path, required=True, help="critic to go on from")
    parser.add_argument("--benchmark", choices=("ckbp-v2", "ckbp-v1"), default="ckbp-v2")
    parser.add_argument("--crowd", type=int, default=2000, help="rows of v1 beside those of v2")
    parser.add_argument("--epochs", type=int, default=2, help="passes over the dev rows")
    parser.add_argument("--rate", type=float, default=1e-4)
    options = parser.parse_args()
    relations = load_relations(_PACKS)
    card = read_card(options.start)
    config = CriticConfig.model_validate(card.config)
    base = resolve_model(config.backbone)
    body, tokenizer = load_body(base.path, config)
    network = CriticNetwork(body, relations=len(card.trained_relations))
    take_weights(network, options.start, card, backbone_path=base.path)
    reader = Reader(
        tokenizer,
        relations,
        places={name: place for place, name in enumerate(card.trained_relations, start=1)},
        scaler=Scaler(card.means, card.spreads),
        max_tokens=card.max_tokens,
        body=body,
    )

    expert = read(options.benchmark, options.data, "dev")
    calibrates = [
        row for row in expert if find_place(row.unit, purpose="ckbp calibration") < _CALIBRATES
    ]
    fitting = [row for row in expert if row not in calibrates]
    begun = time.monotonic()
    is_expert = options.benchmark == "ckbp-v2"
    crowd = choose_crowd(options, network, reader) if is_expert else []
    chosen = [*fitting * options.epochs, *crowd]
    doubt = 0.05 if is_expert else 0.15
    targets = [1 - doubt if row.is_right else doubt for row in fitting] * options.epochs
    targets += [0.85 if row.is_right else 0.1 for row in crowd]
    print(f"{len(fitting)} dev rows, {len(crowd)} crowd rows, {len(calibrates)} calibrate")
    losses = fit(
        network,
        reader.read([row.shown for row in chosen], is_lesson=True),
        np.asarray(targets, dtype=np.float32),
        epochs=1,
        rate=options.rate,
        decay=0.8,
        batch_size=32,
        evidence_dropout=1.0,
        seed=config.seed,
        progress=Bars(),
    )
    network.settle()
    memory = remember(fitting, reader)
    truth = [row.is_right for row in calibrates]
    signals = score_candidates(
        network, reader, [row.shown for row in calibrates], memory=memory, progress=Bars()
    )
    calibration = fit_calibration(
        signals.text.tolist(), truth, precedents=signals.precedents.tolist()
    )
    odds = calibration.apply(signals.text, signals.precedents)
    for name, found in (("text alone", signals.text), ("with precedents", odds)):
        print(f"calibrating AUC, {name}: {find_auc(found, np.asarray(truth, dtype=np.float64))}")
    print(f"loss {losses[0]:.3f}, {time.monotonic() - begun:.0f} s")
    save_critic(
        options.out,
        network,
        tokenizer,
        {
            "base": identify_base(base.path) if body.is_causal else None,
            "encoder": identify_base(_find_encoder()),
            "plain": calibration,
            "evidence": calibration,
            "thresholds": Thresholds(default=0.5),
            "means": card.means,
            "spreads": card.spreads,
            "trained_relations": card.trained_relations,
            "relations": tuple(relations),
            "max_tokens": card.max_tokens,
            "config": dict(plain(config)),
            "inputs": {},
        },
        precedents=memory.precedents,
    )


def read(name: str, data: Path, part: str) -> list[PublicRow]:
    benchmark = find_benchmark(name)
    file = benchmark.need_file(benchmark.find_folder(data), part)
    return read_part(benchmark, file, relations=load_relations(_PACKS))[0]


def remember(rows: Sequence[PublicRow], reader: Reader) -> Memory:
    """Keep the rows that were learned from, so that like ones are asked for their verdicts."""
    encoder = RememberingEncoder(MeanEncoder(_find_encoder()))
    known = [row for row in rows if row.shown.relation in reader.places]
    precedents = Precedents.remember(
        [row.shown for row in known],
        np.asarray([row.is_right for row in known], dtype=np.float32),
        places=reader.places,
        encoder=encoder,
    )
    return Memory(precedents, encoder)


def _find_encoder() -> Path:
    return resolve_model("minilm").path


def choose_crowd(
    options: argparse.Namespace, network: CriticNetwork, reader: Reader
) -> Sequence[PublicRow]:
    """Draw believable crowd rows, a fifth of them accepted, as among the experts'."""
    tested = {row.unit for row in read("ckbp-v2", options.data, "test_open")}
    rows = [
        row
        for part in ("dev", "test_open")
        for row in read("ckbp-v1", options.data, part)
        if row.shown.relation and row.unit not in tested and not is_held_back(row.shown.head)
    ]
    generator = np.random.default_rng(7)
    rows = [rows[place] for place in generator.permutation(len(rows))]
    right = [row for row in rows if row.is_right][: round(0.4 * options.crowd)]
    wrong = [row for row in rows if not row.is_right][: round(0.8 * options.crowd)]
    odds = score_rows(network, reader.read([row.shown for row in right]), progress=Bars())
    believed = [row for row, odd in zip(right, odds, strict=True) if odd > np.median(odds)]
    return [*believed, *wrong]


def is_held_back(head: str) -> bool:
    """Say whether the data keeps a head back for tests of its own."""
    return hashlib.sha256(head.encode()).digest()[0] % 2 == 1


if __name__ == "__main__":
    main()
