"""YAML with line numbers, read so that a hostile file can only be refused.

Nothing is constructed: the file becomes a tree of nodes, and only text, numbers, booleans, null,
lists and mappings are taken from it. Aliases (which can grow without bound), unknown tags and
deep nesting are refused with their line.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from kgbuild.core.files import read_text

LIMIT_BYTES = 256 * 1024
_LIMIT_DEPTH = 12
# The loader in C reads a pack ten times as fast, where PyYAML was built with it.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_BOOLEANS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}


class YamlProblem(NamedTuple):
    """What is wrong with a YAML file before its content is looked at."""

    line: int
    message: str
    suggestion: str


class YamlTree:
    """A YAML document as plain values, with the line that each came from."""

    def __init__(self, root: yaml.Node | None) -> None:
        self.problems: list[YamlProblem] = []
        self._root = root
        self.value: Any = self._to_value(root) if root is not None else None

    def node_at(self, path: Sequence[str | int]) -> yaml.Node | None:
        """Give the node at a path of keys and indexes, or the last one the path reaches."""
        node = self._root
        for step in path:
            found = _step_into(node, step)
            if found is None:
                break
            node = found
        return node

    def line_at(self, path: Sequence[str | int]) -> int:
        """Give the line (from 1) of the value at a path of keys and indexes."""
        node = self.node_at(path)
        return node.start_mark.line + 1 if node is not None else 1

    def line_of_key(self, path: Sequence[str | int], key: str) -> int:
        """Give the line (from 1) of a key of the mapping at a path."""
        node = self.node_at(path)
        if isinstance(node, yaml.MappingNode):
            for name, _ in node.value:
                if name.value == key:
                    return int(name.start_mark.line) + 1
        return self.line_at(path)

    def source_at(self, path: Sequence[str | int]) -> str | None:
        """Give a scalar as it is written in the file, such as `no` for a boolean."""
        node: yaml.Node | None = self._root
        for step in path:
            node = _step_into(node, step)
        return node.value if isinstance(node, yaml.ScalarNode) else None

    def _to_value(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.SequenceNode):
            return [self._to_value(part) for part in node.value]
        if isinstance(node, yaml.MappingNode):
            return self._to_mapping(node)
        tag, text = node.tag.removeprefix(_TAG), str(node.value)
        if tag == "null":
            return None
        if tag == "bool":
            return _BOOLEANS[text.casefold()]
        if tag == "int" and text.lstrip("+-").isdigit() and len(text) < 10:
            return int(text)
        if node.tag.startswith(_TAG) and tag in ("str", "int", "float", "timestamp", "value"):
            return text if tag == "str" else _Number(text)
        self._refuse(node, f"the tag {node.tag} is not allowed", "remove the tag")
        return text

    def _to_mapping(self, node: yaml.MappingNode) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, part in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._refuse(key, "a key is a list or a mapping", "write one word as the key")
                continue
            if key.value in values:
                self._refuse(key, f"the key {key.value} stands twice", "keep one of the two")
            values[key.value] = self._to_value(part)
        return values

    def _refuse(self, node: yaml.Node, message: str, suggestion: str) -> None:
        self.problems.append(YamlProblem(node.start_mark.line + 1, message, suggestion))


class _Number(float):
    """A number or date that no field of ours takes; it fails every field as not being text."""

    def __new__(cls, text: str) -> _Number:
        number = super().__new__(cls, "nan")
        number.text = text
        return number

    text: str

    def __repr__(self) -> str:
        return self.text


def read_yaml(path: Path) -> YamlTree | YamlProblem:
    """Read one YAML document as a tree of values and lines, or say what is wrong with it.

    Raises:
        FileError: If the file is missing, too large, not UTF-8, or holds NUL.
    """
    text = read_text(path, limit_bytes=LIMIT_BYTES)
    try:
        return _find_hazard(text) or YamlTree(yaml.compose(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = " ".join(part for part in (error.context, error.problem) if part)
        return YamlProblem(
            mark.line + 1 if mark else 1,
            f"this is not YAML ({reason})",
            "check the indentation, the colons and the quotes of this line and the one above",
        )
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        return YamlProblem(line, "a control character stands here", "remove it")


def _find_hazard(text: str) -> YamlProblem | None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            return YamlProblem(line, "aliases (*name) are not allowed", "write the value out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _LIMIT_DEPTH:
            return YamlProblem(
                line, f"lists nest more than {_LIMIT_DEPTH} deep", "a pack needs at most six levels"
            )
    return None


def _step_into(node: yaml.Node | None, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        found: yaml.Node = node.value[step]
        return found
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return value  # type: ignore[no-any-return]
    return None
