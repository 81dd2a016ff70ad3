"""Everything that is wrong with a relation pack, each with its line, its rule and a way out.

The models say what a field may hold, `relation_rules` what fields must be to each other. Both
are reported together, so that a pack is mended in one go.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from kgbuild.core.records import Record
from kgbuild.core.relation_models import Length, Relation, RelationPack
from kgbuild.core.relation_rules import Place, check_relations, nearest_word
from kgbuild.core.yaml_nodes import YamlProblem, YamlTree, read_yaml

_CLAUSE_KEYS = ("any", "not", "count")
_COUNT_KEYS = ("phrases", "min", "max")
# What pydantic says in the words of Python.
_WRITTEN = {
    "bool_parsing": "write true or false",
    "bool_type": "write true or false",
    "int_parsing": "write a whole number",
    "int_type": "write a whole number",
    "int_from_float": "write a whole number",
    "model_type": "write keys with their values, such as `name: xNeed`",
    "dict_type": "write keys with their values, such as `name: xNeed`",
    "tuple_type": "write a list, each entry behind a dash",
    "string_type": "write text",
}


class LintFinding(Record):
    """One thing that is wrong with a pack; the message ends with the suggestion."""

    line: int
    rule: str
    message: str
    suggestion: str


def lint_pack(path: Path | str) -> list[LintFinding]:
    """Find every problem of a relation pack, in the order of its lines.

    Raises:
        FileError: If the file is missing, too large, not UTF-8, or holds NUL.
    """
    return inspect_pack(Path(path))[1]


def inspect_pack(path: Path) -> tuple[RelationPack | None, list[LintFinding]]:
    """Read a pack once and give it with its findings; there is no pack if there are any."""
    tree = read_yaml(path)
    if isinstance(tree, YamlProblem):
        return None, [_as_finding(tree)]
    report = _PackReport(tree)
    pack, errors = None, []
    try:
        pack = RelationPack.model_validate(tree.value)
    except ValidationError as error:
        errors = error.errors()
    # What the models' own validators say of several fields, the rules say with a better line.
    for details in errors:
        if details["type"] != "value_error":
            _explain(details, report)
    relations = tree.value.get("relations") if isinstance(tree.value, dict) else None
    if isinstance(relations, list):
        check_relations(relations, report)
    for details in errors:
        if details["type"] == "value_error" and not report.has_finding_below(details["loc"]):
            _explain(details, report)
    findings = report.list_findings()
    return (None if findings else pack), findings


class _PackReport:
    """Collects findings and finds their lines."""

    def __init__(self, tree: YamlTree) -> None:
        self.tree = tree
        self._places: list[Place] = []
        self._findings = [_as_finding(problem) for problem in tree.problems]

    def __call__(self, place: Place, rule: str, message: str, suggestion: str) -> None:
        """Take down one finding."""
        line = self.tree.line_at(place)
        if rule == "unknown-key":
            line = self.tree.line_of_key(place[:-1], str(place[-1]))
        self._places.append(place)
        self._findings.append(_as_finding(YamlProblem(line, message, suggestion), rule=rule))

    def has_finding_below(self, place: Sequence[str | int]) -> bool:
        """Whether something was found at a place or in a part of it."""
        return any(found[: len(place)] == tuple(place) for found in self._places)

    def list_findings(self) -> list[LintFinding]:
        """Give what was found, by line, each thing once."""
        return sorted(dict.fromkeys(self._findings), key=lambda finding: finding.line)


def _as_finding(problem: YamlProblem, *, rule: str = "yaml") -> LintFinding:
    return LintFinding(
        line=problem.line,
        rule=rule,
        message=f"{problem.message}; {problem.suggestion}",
        suggestion=problem.suggestion,
    )


def _explain(details: ErrorDetails, report: _PackReport) -> None:
    """Report one error of the models in the words of the file."""
    place, tree, kind = _place_in_file(details["loc"], report.tree), report.tree, details["type"]
    name = str(place[-1]) if place else ""
    where, parent = _describe(place, tree), _describe(place[:-1], tree)
    source = tree.source_at(place)
    written = _shorten(details["input"] if source is None else source)
    if kind == "extra_forbidden":
        suggestion = nearest_word(name, _keys_beside(place))
        report(place, "unknown-key", f"{name} is not a key of {parent}", suggestion)
    elif kind == "missing":
        report(place, "missing-field", f"{parent} has no {name}", f"add `{name}:`")
    elif kind == "enum":
        allowed = re.findall(r"'([^']*)'", str(details.get("ctx", {}).get("expected", "")))
        report(place, "unknown-value", f"{where} is {written}", nearest_word(written, allowed))
    elif kind == "string_type" and isinstance(details["input"], bool | int | float):
        message = f"{where} is {written}, which YAML does not read as text"
        report(place, "not-text", message, f'write "{written}", with its quotes')
    else:
        suggestion = _way_out(details, is_pack=not place)
        report(place, "wrong-value", f"{where} is {written}", suggestion)


def _way_out(details: ErrorDetails, *, is_pack: bool) -> str:
    """Say how a value is written that the models refuse."""
    if is_pack and details["type"] in _WRITTEN:
        return "a pack is the keys pack, language, version and relations"
    message = details["msg"].removeprefix("Value error, ")
    return _WRITTEN.get(details["type"], message.replace("Input should be", "it must be"))


def _place_in_file(loc: Sequence[str | int], tree: YamlTree) -> Place:
    """Give the place in the file of a field of the models.

    The models call a bare list `any` and keep a count's parts beside each other.
    """
    place: list[str | int] = []
    value: Any = tree.value
    for step in loc:
        if step == "any" and isinstance(value, list):
            continue
        if isinstance(value, dict) and step not in value and isinstance(value.get("count"), dict):
            place.append("count")
            value = value["count"]
            step = "phrases" if step == "counted" else step
        place.append(step)
        if isinstance(value, dict):
            value = value.get(str(step))
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            value = None
    return tuple(place)


def _describe(place: Place, tree: YamlTree) -> str:
    """Name a place as a reader would, such as `xNeed.clauses[1]`."""
    words: list[str] = []
    for depth, step in enumerate(place):
        if isinstance(step, str):
            words.append(step)
        elif depth == 1:
            words = [tree.source_at(("relations", step, "name")) or f"relations[{step}]"]
        else:
            words[-1] += f"[{step}]"
    return ".".join(words) or "the pack"


def _keys_beside(place: Place) -> Sequence[str]:
    if "count" in place[:-1]:
        return _COUNT_KEYS
    if "clauses" in place[:-1]:
        return _CLAUSE_KEYS
    if "length" in place[:-1]:
        return list(Length.model_fields)
    return list(Relation.model_fields if len(place) > 1 else RelationPack.model_fields)


def _shorten(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
