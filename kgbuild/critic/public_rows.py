"""Rows of public benchmarks: what a critic is shown, and what is true of it."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kgbuild.core.errors import LabelError
from kgbuild.core.grammar import capitalise
from kgbuild.core.ids import canonical, content_key
from kgbuild.critic.candidate import Candidate
from kgbuild.critic.lines import check_phrase, parse_header, read_lines, split_cells
from kgbuild.critic.public import Benchmark, Shape

Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PublicRow:
    """One text to judge.

    Attributes:
        unit: Rows of one unit stand and fall together; the two of a pair are one.
        shown: The triple, or the bare sentence.
        relation: Empty where the benchmark has none.
        tail: What is read by a baseline that sees no head; of a sentence, all of it.
        group: The benchmark's class of it.
        is_right: What the benchmark says.
        references: Others' scores of it, in the benchmark's order.
    """

    unit: str
    shown: Candidate
    relation: str
    tail: str
    group: str
    is_right: bool
    references: tuple[float, ...]


def read_part(
    benchmark: Benchmark, file: Path, *, relations: Container[str] | None = None
) -> tuple[list[PublicRow], dict[str, int]]:
    """Read the rows of one file, and count those of relations that nobody can say.

    Args:
        benchmark: Says which columns hold what.
        file: Tab-separated with a header, plain or gzip.
        relations: Those that the critic can say; empty is all.

    Raises:
        LabelError: With file and line, if the file or a row breaks a rule.
    """
    rows: list[PublicRow] = []
    skipped: Counter[str] = Counter()
    make = _MAKERS[benchmark.shape]
    for where, number, cells in _read_table(benchmark, file):
        for row in make(benchmark, cells, number, where):
            # What became a sentence has none.
            name = row.shown.relation
            if not name or relations is None or name in relations:
                rows.append(row)
            else:
                skipped[name] += 1
    if not rows:
        raise LabelError(
            f"{file} has no row that can be judged; left out for their relations: "
            f"{dict(skipped) or 'none'}"
        )
    return rows, dict(sorted(skipped.items()))


def draw_rows(rows: Sequence[PublicRow], limit: int | None = None) -> list[PublicRow]:
    """Give rows by a hash of their unit, whole units until there are `limit` rows.

    A file is often sorted by relation, so its first rows would be another benchmark.
    """
    members: dict[str, list[PublicRow]] = {}
    for row in rows:
        members.setdefault(row.unit, []).append(row)
    drawn: list[PublicRow] = []
    for unit in sorted(members, key=lambda unit: content_key(["public", unit])):
        if limit is not None and len(drawn) >= limit:
            break
        drawn += members[unit]
    return drawn


def _read_table(benchmark: Benchmark, file: Path) -> Iterator[tuple[str, int, dict[str, str]]]:
    needed = [*benchmark.texts, benchmark.label, benchmark.unit, benchmark.group]
    needed = [name for name in dict.fromkeys((*needed, *benchmark.references.values())) if name]
    columns: list[str] | None = None
    for number, text in read_lines(file):
        where = f"{file}:{number}"
        if columns is None:
            columns = parse_header(text, needed, where=where)
        else:
            yield where, number, split_cells(text, columns, where=where)
    if columns is None:
        raise LabelError(f"{file} is empty; its first line names the columns {', '.join(needed)}")


def _make_triple(
    benchmark: Benchmark, cells: Cells, number: int, where: str
) -> Iterator[PublicRow]:
    head, relation, tail = (
        check_phrase(cells[name], name, where=where) for name in benchmark.texts
    )
    frame = benchmark.frames.get(relation)
    if frame is not None:
        shown = Candidate.sentence(capitalise(frame.format(head=head, tail=tail)))
    else:
        tail = _drop_subject(benchmark, relation, tail)
        shown = Candidate(canonical(head), relation, canonical(tail))
    yield _make_row(benchmark, cells, number, where, shown, relation=relation, tail=tail)


def _make_sentence(
    benchmark: Benchmark, cells: Cells, number: int, where: str
) -> Iterator[PublicRow]:
    text = check_phrase(cells[benchmark.texts[0]], benchmark.texts[0], where=where)
    yield _make_row(benchmark, cells, number, where, Candidate.sentence(text), tail=text)


def _make_pair(benchmark: Benchmark, cells: Cells, number: int, where: str) -> Iterator[PublicRow]:
    for place, name in enumerate(benchmark.texts):
        text = check_phrase(cells[name], name, where=where)
        shown = Candidate.sentence(text)
        yield _make_row(benchmark, cells, number, where, shown, tail=text, is_reversed=bool(place))


_Maker = Callable[[Benchmark, Cells, int, str], Iterator[PublicRow]]
_MAKERS: Mapping[Shape, _Maker] = {
    Shape.TRIPLE: _make_triple,
    Shape.SENTENCE: _make_sentence,
    Shape.PAIR: _make_pair,
}


def _make_row(
    benchmark: Benchmark,
    cells: Cells,
    number: int,
    where: str,
    shown: Candidate,
    *,
    tail: str,
    relation: str = "",
    is_reversed: bool = False,
) -> PublicRow:
    word = cells[benchmark.label].strip()
    if word not in benchmark.truths:
        raise LabelError(
            f"{where}: {benchmark.label} is {word[:80]!r}, which is not one of "
            f"{', '.join(benchmark.truths)}"
        )
    return PublicRow(
        unit=canonical(cells[benchmark.unit]) if benchmark.unit else str(number),
        shown=shown,
        relation=relation,
        tail=tail,
        group=cells[benchmark.group].strip() if benchmark.group else "",
        is_right=benchmark.truths[word] is not is_reversed,
        references=tuple(
            _number(cells[name], name, where=where) for name in benchmark.references.values()
        ),
    )


def _drop_subject(benchmark: Benchmark, relation: str, tail: str) -> str:
    pattern = benchmark.subjects.get(relation)
    if pattern is None:
        return tail
    # A tail with another subject stays whole, and so does one that is nothing but a subject.
    return re.sub(f"^{pattern}", "", tail).strip() or tail


def _number(text: str, name: str, *, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise LabelError(f"{where}: {name} is {text[:80]!r}; it is a number")
    return value
