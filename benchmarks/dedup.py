"""Prints how often tails that say the same are joined, and others are not.

python benchmarks/dedup.py ENCODER_FOLDER [--errors]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kgbuild.core.config import DedupConfig
from kgbuild.dedup import Comparison, SentenceEncoder, TailComparer

PAIRS = Path(__file__).parent.parent / "tests/dedup/pairs.en.tsv"


def read_pairs(part: str) -> list[tuple[bool, str, str]]:
    rows = [line.split("\t") for line in PAIRS.read_text(encoding="utf-8").splitlines()]
    return [(row[1] == "1", row[2], row[3]) for row in rows if row[0] == part]


def count(found: list[tuple[bool, bool]]) -> str:
    joined = [truth for truth, is_same in found if is_same]
    same = sum(truth for truth, _ in found)
    return (
        f"joined {sum(joined):3} of {same:3} same, {len(joined) - sum(joined):3} of "
        f"{len(found) - same:3} different"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("encoder", type=Path)
    parser.add_argument("--errors", action="store_true")
    arguments = parser.parse_args()
    encoder = SentenceEncoder(arguments.encoder)
    for part in "ab":
        pairs = read_pairs(part)
        tails = [(one, other) for _, one, other in pairs]
        config = DedupConfig()
        found: list[Comparison] = TailComparer(encoder, config).compare(tails)
        vectors = encoder.encode([tail for pair in tails for tail in pair])
        bare = (vectors[::2] * vectors[1::2]).sum(axis=1)
        print(f"part {part}: {len(pairs)} pairs")
        for threshold in (0.80, 0.84, 0.88, 0.92):
            plain = [
                (truth, bool(cosine >= threshold))
                for (truth, *_), cosine in zip(pairs, bare, strict=True)
            ]
            ruled = [
                (
                    truth,
                    not each.conflict
                    and each.similarity >= threshold
                    and (each.word_similarity or 1.0) >= config.word_similarity,
                )
                for (truth, *_), each in zip(pairs, found, strict=True)
            ]
            print(f"  {threshold:.2f} cosine alone   {count(plain)}")
            print(f"  {threshold:.2f} as in kgbuild  {count(ruled)}")
        for words in (0.5, 0.6, 0.7, 1.0):
            ruled = [
                (
                    truth,
                    not each.conflict
                    and each.similarity >= config.similarity
                    and (each.word_similarity is None or each.word_similarity >= words),
                )
                for (truth, *_), each in zip(pairs, found, strict=True)
            ]
            print(f"  word similarity {words:.1f}  {count(ruled)}")
        if arguments.errors:
            for (truth, *_), each in zip(pairs, found, strict=True):
                if truth != each.is_same:
                    print("   ", "missed" if truth else "WRONG ", *each)


if __name__ == "__main__":
    main()
