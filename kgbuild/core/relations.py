"""Relations are data: packs of them, read from YAML, merged into one set.

A pack says what each relation means, how it is asked, verbalised and constrained. Names become
relationship types in a graph database, so only letters and digits pass.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from kgbuild.core.errors import FileError, RelationError, did_you_mean
from kgbuild.core.files import read_text
from kgbuild.core.grammar import capitalise, is_plural, pluralise, with_article, without_article
from kgbuild.core.ids import canonical
from kgbuild.core.records import HeadKind
from kgbuild.core.relation_lint import inspect_pack
from kgbuild.core.relation_models import (
    AGREEMENT,
    NAME_RULE,
    PLACEHOLDER,
    PLACEHOLDERS,
    ClauseSpec,
    Family,
    Length,
    Polarity,
    Relation,
    RelationPack,
    Shot,
    TailKind,
)
from kgbuild.core.resources import resource_path

__all__ = [
    "NAME_RULE", "PLACEHOLDERS", "ClauseSpec", "Family", "Length", "Polarity", "Relation",
    "RelationPack", "RelationSet", "Shot", "TailKind", "check_names", "find_pack", "load_pack",
    "load_relations", "load_shots", "prompt_line", "reverse_question", "verbalise", "whether",
]  # fmt: skip

_SHOTS_LIMIT_BYTES = 4 * 2**20
# Words that cannot follow "to" as its verb; a tail that begins with one is left to the critic.
_NO_VERB = frozenset(
    "to not for a an the some any no one two three many more several this that these those my "
    "his her its our their personx persony nothing something".split()
)


class RelationSet:
    """The relations of one or more packs, in the order of their files."""

    def __init__(self, packs: Sequence[tuple[str, RelationPack]]) -> None:
        self._relations: dict[str, Relation] = {}
        self._sources: dict[str, str] = {}
        for source, pack in packs:
            for relation in pack.relations:
                held = self._relations.setdefault(relation.name, relation)
                if held != relation:
                    raise RelationError(
                        f"{relation.name} is defined differently in "
                        f"{self._sources[relation.name]} and {source}; rename one, or load only "
                        "one of the packs"
                    )
                self._sources.setdefault(relation.name, source)
        self._packs = ", ".join(dict.fromkeys(source for source, _ in packs))

    def __iter__(self) -> Iterator[Relation]:
        return iter(self._relations.values())

    def __len__(self) -> int:
        return len(self._relations)

    def __contains__(self, name: object) -> bool:
        return name in self._relations

    def get(self, name: str) -> Relation:
        """Give a relation by its name.

        Raises:
            RelationError: If no pack has it; the message names the nearest one.
        """
        if name not in self._relations:
            raise RelationError(
                f"{name!r} is not in {self._packs}{did_you_mean(name, self._relations)}"
            )
        return self._relations[name]

    def for_kind(self, kind: HeadKind) -> list[Relation]:
        """Give the relations that take heads of one kind."""
        return [relation for relation in self if relation.head_kind is kind]


def find_pack(name: str | Path) -> Path:
    """Find a pack file by its path, or by its name among the shipped ones.

    Raises:
        RelationError: If there is none; the message names the nearest shipped pack.
    """
    path = Path(name)
    if path.suffix in (".yaml", ".yml") and path.is_file():
        return path
    shipped = {file.name.removesuffix(".yaml"): file for file in _shipped_packs()}
    if str(name) in shipped:
        return shipped[str(name)]
    raise RelationError(
        f"{name} is neither a file nor a shipped relation pack{did_you_mean(str(name), shipped)}; "
        f"shipped are {', '.join(shipped)}"
    )


def _shipped_packs() -> list[Path]:
    return sorted(resource_path("schemas/relations").glob("*.yaml"))


def load_pack(path: Path) -> RelationPack:
    """Read and check one pack.

    Raises:
        RelationError: If anything is wrong with it; the message names the first line and rule.
    """
    try:
        pack, findings = inspect_pack(path)
    except FileError as error:
        raise RelationError(str(error)) from error
    if pack is None:
        first, more = findings[0], f" (and {len(findings) - 1} more)" if findings[1:] else ""
        raise RelationError(
            f"{path}:{first.line}: {first.rule}: {first.message}{more}. "
            f"`kgbuild relations lint {path}` lists every finding with its line."
        )
    return pack


def load_relations(names: Sequence[str | Path]) -> RelationSet:
    """Read packs by name or path and merge them."""
    paths = [find_pack(name) for name in names]
    return RelationSet([(path.name, load_pack(path)) for path in paths])


def load_shots(name: str | Path, *, relations: RelationSet | None = None) -> dict[str, list[Shot]]:
    """Read few-shot triples by relation, from a pack's name or a TSV file.

    Args:
        name: A pack's name stands for its file in `data/shots`.
        relations: What the shots may speak of; a shipped pack's shots are held to that pack.

    Raises:
        RelationError: If a column is missing, a row is not complete, a relation is unknown, or
            there is no row at all.
    """
    path = Path(name)
    if not path.is_file():
        relations = relations or load_relations([name])
        path = resource_path(f"data/shots/{name}.tsv")
    # Not `splitlines`: it also cuts at separators that a cell may hold.
    lines = read_text(path, limit_bytes=_SHOTS_LIMIT_BYTES).replace("\r\n", "\n").split("\n")
    rows = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    header = next(rows, [])
    if header != ["relation", "head", "tail"]:
        raise RelationError(
            f"{path}:1 has columns {', '.join(header)[:80] or 'none'}; needed are relation, head, "
            "tail, separated by tabs"
        )
    shots: dict[str, list[Shot]] = {}
    for number, row in enumerate(rows, start=2):
        if not row:
            continue
        if len(row) != 3 or not all(field.strip() for field in row):
            raise RelationError(f"{path}:{number} is not relation, head and tail, all filled")
        relation, head, tail = (canonical(field) for field in row)
        if relations is not None and relation not in relations:
            near = did_you_mean(relation, [known.name for known in relations])
            raise RelationError(f"{path}:{number} has the unknown relation {relation[:80]!r}{near}")
        shots.setdefault(relation, []).append(Shot(head=head, relation=relation, tail=tail))
    if not shots:
        raise RelationError(f"{path} holds no shots; write at least one row below its header")
    return shots


def verbalise(relation: Relation, head: str, tail: str) -> str:
    """Say a triple as a sentence.

    >>> relations = load_relations(["generics.en"])
    >>> verbalise(relations.get("NotCapableOf"), "scissors", "cut steel")
    'Scissors cannot cut steel.'

    A tail from elsewhere may lack the "to" that its relation's tails begin with.

    >>> verbalise(load_relations(["atomic2020.en"]).get("ObjectUse"), "knife", "cut bread")
    'A knife can be used to cut bread.'
    """
    return capitalise(_fill(relation.sentence, head=head, tail=_as_asked(relation, tail)))


def whether(relation: Relation, head: str, tail: str) -> str:
    """Ask yes or no whether a triple holds; without a frame of its own, about the sentence.

    >>> relations = load_relations(["generics.en"])
    >>> whether(relations.get("CapableOf"), "fish", "walk")
    'Can a fish walk?'
    >>> whether(relations.get("IsA"), "fish", "animal")
    'Is it true that a fish is a kind of animal?'
    """
    frame = relation.whether
    if frame is None:
        said = verbalise(relation, head, tail).rstrip(".")
        # "TV sets ..." keeps its capitals, the article of "A fish ..." does not.
        is_name = said.startswith("Person") or (said[:2].isupper() and said[1:2].isalpha())
        return f"Is it true that {said if is_name else said[:1].lower() + said[1:]}?"
    return capitalise(_fill(frame, head=head, tail=_as_asked(relation, tail)))


def _as_asked(relation: Relation, tail: str) -> str:
    first = tail.split(" ", 1)[0].casefold()
    is_verb = relation.tail_prefix == "to" and first and first not in _NO_VERB
    return f"to {tail}" if is_verb else tail


def prompt_line(relation: Relation, head: str) -> str:
    """Give the line that the teacher continues, without the tail prefix.

    >>> relations = load_relations(["generics.en"])
    >>> prompt_line(relations.get("IsA"), "owl")
    'An owl is a kind of'
    """
    return capitalise(_fill(relation.prompt, head=head, tail=""))


def reverse_question(relation: Relation, tail: str) -> str:
    """Give the question whose answer is the head."""
    return capitalise(_fill(relation.reverse_question, head="", tail=tail))


def _fill(frame: str, *, head: str, tail: str) -> str:
    return PLACEHOLDER.sub(lambda match: _form(match.group(1), head=head, tail=tail), frame)


def _form(name: str, *, head: str, tail: str) -> str:
    if name in AGREEMENT:
        return AGREEMENT[name][is_plural(head)]
    if name == "something":
        return head.replace("___", "something")
    if name == "tail":
        return tail
    if name == "a tail":
        return with_article(tail)
    if name == "bare tail":
        return without_article(tail)
    text = head
    if name in ("a head", "A head"):
        text = with_article(head)
    elif name in ("heads", "Heads"):
        text = pluralise(head)  # Only here: it imports an inflection library.
    return capitalise(text) if name[0].isupper() else text


def check_names(names: Iterable[str], relations: RelationSet) -> None:
    """Raise for the first name that no pack has."""
    for name in names:
        relations.get(name)
