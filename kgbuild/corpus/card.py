"""The data card of a corpus: what it is, how it was made, under which terms."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import Field

from kgbuild.core.files import write_text
from kgbuild.core.records import Record, Split


class TeacherTerms(Record):
    """The licence of one teacher and what it asks of those who use its output."""

    name: str
    sha256: str = ""
    licence: str = ""
    terms: str = Field(default="", description="What the licence asks of users of the output")


class CardFacts(Record):
    """What a data card says beyond the counts, which are taken from the rows."""

    name: str = "kgbuild corpus"
    description: str = ""
    licence: str = Field(default="other", description="SPDX-like id as the Hub knows it")
    language: str = "en"
    made: str = Field(default="", description="How it was made: seeds, prompts, decoding, critic")
    run: str = ""
    teachers: tuple[TeacherTerms, ...] = ()
    target_precision: float | None = Field(
        default=None, description="Share of good triples that the critic's thresholds aim at"
    )
    measured_precision: float | None = Field(
        default=None, description="The same share on a labelled test part"
    )
    limits: str = Field(default="", description="Known weaknesses, in plain words")


_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_MADE = (
    "A language model was asked for the tails of each head and relation with a few-shot prompt "
    "and constrained decoding; a trained critic kept what it holds for ordinary commonsense; "
    "tails that say the same were merged."
)
_LIMITS = (
    "The triples were written by a language model and filtered by a classifier. Some are wrong, "
    "and they carry the views of the texts that the model learned from. `probability` is the "
    "critic's calibrated estimate that a typical adult would accept the triple."
)
_ACTIVE = re.compile(r"([\\`*_{}\[\]#|~])")


def write_card(
    path: Path,
    *,
    card: CardFacts,
    counts: Counter[tuple[str, Split]],
    splits: Mapping[Split, str],
    origins: Counter[tuple[str, str]],
) -> None:
    """Write README.md: YAML front matter that names the files, then the card for people."""
    total = sum(counts.values())
    size = next((name for limit, name in _SIZES if total < limit), "n>1M")
    front = {
        "license": card.licence,
        "language": [card.language],
        "pretty_name": card.name,
        "size_categories": [size],
        "tags": ["commonsense", "knowledge-graph", "kgbuild"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": split.value, "path": file} for split, file in splits.items()
                ],
            }
        ],
    }
    sections = [
        "---\n" + yaml.safe_dump(front, sort_keys=False, allow_unicode=True) + "---",
        f"# {_plain(card.name)}",
        _plain(card.description) or "A commonsense knowledge graph as rows, built by kgbuild.",
        f"## How it was made\n\n{_plain(card.made) or _MADE}" + _run_line(card) + _promise(card),
        f"## Teachers and their terms\n\n{_teachers(card)}",
        f"## Rows\n\n{_table(counts)}",
        "A head's triples are all in one split, chosen by a hash of the head's text.",
        f"## Where the rows come from\n\n{_origins(origins)}",
        f"## Limits\n\n{_plain(card.limits) or _LIMITS}",
        f"## Licence\n\n{_plain(card.licence)}",
    ]
    write_text(path, "\n\n".join(sections) + "\n")


def _plain(text: str) -> str:
    """Give text that Markdown shows as it stands: names and facts may come from anywhere."""
    return _ACTIVE.sub(r"\\\1", html.escape(" ".join(text.split()), quote=False))


def _run_line(card: CardFacts) -> str:
    return f"\n\nRun: {_plain(card.run)}" if card.run else ""


def _promise(card: CardFacts) -> str:
    if card.target_precision is None:
        return ""
    measured = (
        "not measured"
        if card.measured_precision is None
        else f"measured on a labelled test part: {card.measured_precision:.3f}"
    )
    aim = f"The critic's thresholds aim at a precision of {card.target_precision:.3f}"
    return f"\n\n{aim}; {measured}."


def _teachers(card: CardFacts) -> str:
    if not card.teachers:
        return "Not recorded."
    lines = ["| teacher | licence | sha256 | terms |", "|---|---|---|---|"]
    lines += [
        f"| {_plain(teacher.name)} | {_plain(teacher.licence) or '-'} | "
        f"{_plain(teacher.sha256) or '-'} | {_plain(teacher.terms) or '-'} |"
        for teacher in card.teachers
    ]
    return "\n".join(lines)


def _origins(origins: Counter[tuple[str, str]]) -> str:
    """Rows that people brought stand under terms of their own, so they are told apart."""
    lines = ["| source | teacher | rows |", "|---|---|---:|"]
    lines += [
        f"| {_plain(source)} | {_plain(teacher) or '-'} | {count:,} |"
        for (source, teacher), count in sorted(origins.items())
    ]
    return "\n".join(lines)


def _table(counts: Counter[tuple[str, Split]]) -> str:
    lines = ["| relation | train | dev | test | all |", "|---|---:|---:|---:|---:|"]
    relations = sorted({relation for relation, _ in counts})
    for relation in relations:
        numbers = [counts[relation, split] for split in Split]
        lines.append(_table_row(_plain(relation), numbers))
    lines.append(
        _table_row("all", [sum(counts[name, split] for name in relations) for split in Split])
    )
    return "\n".join(lines)


def _table_row(name: str, numbers: list[int]) -> str:
    return f"| {name} | " + " | ".join(f"{number:,}" for number in [*numbers, sum(numbers)]) + " |"
