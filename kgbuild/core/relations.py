"""Relations are data: packs of them, read from YAML, merged into one set.

A pack says what each relation means, how it is asked, verbalised and constrained. Names become
relationship types in a graph database, so only letters and digits pass.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError, model_validator

from kgbuild.core.errors import FileError, RelationError, did_you_mean
from kgbuild.core.files import read_text
from kgbuild.core.grammar import capitalise, is_plural, pluralise, with_article, without_article
from kgbuild.core.ids import canonical
from kgbuild.core.records import HeadKind, Record
from kgbuild.core.resources import resource_path

NAME_RULE = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}")
_LIMIT_BYTES = 2**20
_HEAD_FORMS = (
    "head", "Head", "a head", "A head", "heads", "Heads", "something",
    "is", "has", "does", "wants",
)  # fmt: skip
_TAIL_FORMS = ("tail", "a tail", "bare tail")
PLACEHOLDERS = (*_HEAD_FORMS, *_TAIL_FORMS)
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_AGREEMENT = {
    "is": ("is", "are"),
    "has": ("has", "have"),
    "does": ("does", "do"),
    "wants": ("wants", "want"),
}


class Polarity(StrEnum):
    """Whether a relation says that something is so or that it is not."""

    POSITIVE = "positive"
    NEGATIVE = "negative"


class TailKind(StrEnum):
    """What kind of answer a relation asks for."""

    ACTION = "action"
    CONCEPT = "concept"
    EVENT = "event"
    FEELING = "feeling"
    PROPERTY = "property"
    STATE = "state"
    TRAIT = "trait"


class Family(StrEnum):
    """The family of a relation in ATOMIC-2020 (Hwang et al. 2021, section 3)."""

    SOCIAL = "social"
    EVENT = "event"
    PHYSICAL = "physical"


class ClauseSpec(Record):
    """One decoding clause as people write it: any of these, none of these, or a count."""

    any: tuple[str, ...] = Field(default=(), description="One of these phrases must occur")
    banned: tuple[str, ...] = Field(default=(), alias="not", description="None of these may occur")
    counted: tuple[str, ...] = Field(
        default=(), description="These together occur min to max times"
    )
    min: int = Field(default=0, ge=0)
    max: int | None = Field(default=None, ge=0)

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        if isinstance(value, list):
            return {"any": value}
        if isinstance(value, dict) and "count" in value:
            count = dict(value["count"])
            return {"counted": count.pop("phrases", ()), **count}
        if isinstance(value, dict) and isinstance(value.get("not"), str):
            return {"not": [value["not"]]}
        return value

    @model_validator(mode="after")
    def _check(self) -> ClauseSpec:
        if sum(map(bool, (self.any, self.banned, self.counted))) != 1:
            raise ValueError("a clause is a list of phrases, `not:` phrases, or `count:`")
        if any(not phrase.strip() for phrase in (*self.any, *self.banned, *self.counted)):
            raise ValueError("a clause holds an empty phrase")
        if self.max is not None and self.max < self.min:
            raise ValueError(f"count min {self.min} is over max {self.max}")
        return self


class Length(Record):
    """Bounds of a tail, in words, the tail prefix included."""

    min_words: int = Field(default=1, ge=1)
    max_words: int = Field(default=8, ge=1)

    @model_validator(mode="after")
    def _check(self) -> Length:
        if self.max_words < self.min_words:
            raise ValueError(f"min_words {self.min_words} is over max_words {self.max_words}")
        return self


class Relation(Record):
    """How one relation is explained, asked, verbalised and constrained."""

    name: str
    gloss: str
    head_kind: HeadKind
    tail_kind: TailKind
    family: Family
    polarity: Polarity = Polarity.POSITIVE
    negates: str | None = Field(default=None, description="The positive relation it denies")
    sentence: str = Field(description="Verbalisation that people and the critic read")
    prompt: str = Field(description="The line that the teacher continues")
    tail_prefix: str | None = Field(default=None, description="Words that every tail begins with")
    reverse_question: str = Field(description="Asks for the head, given the tail")
    clauses: tuple[ClauseSpec, ...] = ()
    ban_head_words: bool = Field(default=False, description="Ban the head's content words")
    ban_head_verb: bool = Field(default=False, description="Ban the head's main verb")
    ban_shot_tails: bool = Field(default=True, description="Ban the tails that the prompt shows")
    length: Length = Length()

    @model_validator(mode="after")
    def _check(self) -> Relation:
        if not NAME_RULE.fullmatch(self.name):
            raise ValueError(f"name {self.name!r} is not letters and digits, a letter first")
        for field in ("sentence", "prompt", "reverse_question"):
            forms = _PLACEHOLDER.findall(getattr(self, field))
            for form in forms:
                if form not in PLACEHOLDERS:
                    raise ValueError(
                        f"{field} has {{{form}}}{did_you_mean(form, PLACEHOLDERS)}; known are "
                        + ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
                    )
            if field != "reverse_question" and not set(forms) & set(_HEAD_FORMS[:7]):
                raise ValueError(f"{field} names no {{head}}")
            if field != "prompt" and not set(forms) & set(_TAIL_FORMS):
                raise ValueError(f"{field} names no {{tail}}")
        if (self.polarity is Polarity.NEGATIVE) != (self.negates is not None):
            raise ValueError("a negative relation, and no other, says which one it negates")
        return self


class RelationPack(Record):
    """The relations of one file."""

    pack: str
    language: str
    version: int
    relations: tuple[Relation, ...]


class Shot(Record):
    """A worked example for a prompt."""

    head: str
    relation: str
    tail: str


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
    """Read one pack.

    Raises:
        RelationError: If the YAML is malformed or a relation breaks a rule; `kgbuild relations
            lint` lists every finding with its line.
    """
    try:
        tree = yaml.safe_load(read_text(path, limit_bytes=_LIMIT_BYTES))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise RelationError(f"{path}:{line} is not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise RelationError(f"{path} is not YAML: {error}") from error
    except FileError as error:
        raise RelationError(str(error)) from error
    try:
        pack = RelationPack.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise RelationError(
            f"{path}: {place}: {first['msg']}; kgbuild relations lint {path} lists all findings "
            "with their lines"
        ) from error
    names = [relation.name for relation in pack.relations]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise RelationError(f"{path} defines {twice[0]} twice; take one out")
    return pack


def load_relations(names: Sequence[str | Path]) -> RelationSet:
    """Read packs by name or path and merge them."""
    paths = [find_pack(name) for name in names]
    return RelationSet([(path.name, load_pack(path)) for path in paths])


def load_shots(name: str | Path) -> dict[str, list[Shot]]:
    """Read few-shot triples by relation, from a pack's name or a TSV file.

    Raises:
        RelationError: If a column is missing or a row is not complete.
    """
    path = Path(name)
    if not path.is_file():
        path = resource_path(f"data/shots/{name}.tsv")
    lines = read_text(path).splitlines()
    rows = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    header = next(rows, [])
    if header != ["relation", "head", "tail"]:
        raise RelationError(
            f"{path}:1 has columns {', '.join(header) or 'none'}; needed are relation, head, tail, "
            "separated by tabs"
        )
    shots: dict[str, list[Shot]] = {}
    for number, row in enumerate(rows, start=2):
        if not row:
            continue
        if len(row) != 3 or not all(field.strip() for field in row):
            raise RelationError(f"{path}:{number} is not relation, head and tail, all filled")
        relation, head, tail = (canonical(field) for field in row)
        shots.setdefault(relation, []).append(Shot(head=head, relation=relation, tail=tail))
    return shots


def verbalise(relation: Relation, head: str, tail: str) -> str:
    """Say a triple as a sentence.

    >>> relations = load_relations(["generics.en"])
    >>> verbalise(relations.get("NotCapableOf"), "scissors", "cut steel")
    'Scissors cannot cut steel.'
    """
    return capitalise(_fill(relation.sentence, head=head, tail=tail))


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
    return _PLACEHOLDER.sub(lambda match: _form(match.group(1), head=head, tail=tail), frame)


def _form(name: str, *, head: str, tail: str) -> str:
    if name in _AGREEMENT:
        return _AGREEMENT[name][is_plural(head)]
    if name == "something":
        return head.replace("___", "something")
    if name == "tail":
        return tail
    if name == "a tail":
        return with_article(tail)
    if name == "bare tail":
        return without_article(tail)
    folded = name[:1].casefold() + name[1:]
    text = {"head": head, "a head": with_article(head), "heads": pluralise(head)}[folded]
    return capitalise(text) if name[0].isupper() else text


def check_names(names: Iterable[str], relations: RelationSet) -> None:
    """Raise for the first name that no pack has."""
    for name in names:
        relations.get(name)
