"""The queries that ship for Neo4j Browser, each a Cypher file that explains itself.

A file begins with comment lines: its title, `Answers:` and one `Parameter name:` line a parameter,
which ends in an example. The rest is one reading statement, whose values are parameters.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from pydantic import Field

from kgbuild.core.errors import FileError
from kgbuild.core.files import read_text
from kgbuild.core.records import Record
from kgbuild.core.resources import resource_path

_PARAMETER = re.compile(r'Parameter (\w+): (.+), such as "(.+)"')
_USED = re.compile(r"\$(\w+)")
_TYPES = re.compile(r"\[\w*:([\w|]+)")
_LIMIT_BYTES = 64 * 2**10


class QueryParameter(Record):
    """One value that a query asks for."""

    name: str
    meaning: str
    example: str


class SavedQuery(Record):
    """One query with what its header says."""

    name: str = Field(description="The file's name without .cypher")
    title: str
    answers: str
    parameters: tuple[QueryParameter, ...]
    statement: str

    @property
    def examples(self) -> dict[str, str]:
        """The parameters with their example values."""
        return {parameter.name: parameter.example for parameter in self.parameters}

    @property
    def relations(self) -> tuple[str, ...]:
        """The relations that the statement names; none means that it takes any."""
        names = "|".join(_TYPES.findall(self.statement)).split("|")
        return tuple(dict.fromkeys(name for name in names if name))

    def browser_script(self) -> str:
        """Give the file as Neo4j Browser runs it at a click: the examples stand in the query.

        Browser draws no graph for a script that first sets parameters, so values are written
        into this text, as literals, for a person to change.
        """
        header = [f"// {self.title}", f"// Answers: {self.answers}"]
        header += [
            f"// Put {parameter.meaning} in place of {_literal(parameter.example)}."
            for parameter in self.parameters
        ]
        examples = self.examples
        statement = _USED.sub(lambda match: _literal(examples[match.group(1)]), self.statement)
        return "\n".join([*header, statement]) + ";\n"


def _literal(text: str) -> str:
    # A JSON string is a Cypher string: the same quotes and the same escapes.
    return json.dumps(text, ensure_ascii=False)


def load_queries(folder: Path | None = None) -> list[SavedQuery]:
    """Give the saved queries, by title.

    Args:
        folder: Where the `.cypher` files are; the shipped ones without it.

    Raises:
        FileError: If a file has no such header, or its header and its parameters differ.
    """
    place = folder or resource_path("schemas/neo4j")
    queries = [_read_query(path) for path in sorted(place.glob("*.cypher"))]
    if not queries:
        raise FileError(f"{place} holds no .cypher files; name a folder that does")
    return sorted(queries, key=lambda query: query.title)


def _read_query(path: Path) -> SavedQuery:
    lines = read_text(path, limit_bytes=_LIMIT_BYTES).splitlines()
    count = next((n for n, line in enumerate(lines) if not line.startswith("//")), len(lines))
    header = [line.removeprefix("//").strip() for line in lines[:count]]
    statement = "\n".join(lines[count:]).strip().rstrip(";").strip()
    if len(header) < 2 or not header[1].startswith("Answers: ") or not statement:
        raise FileError(
            f"{path} does not begin with the lines `// Title` and `// Answers: ...` and go on with "
            "a query; write them"
        )
    parameters = []
    for line in header[2:]:
        matched = _PARAMETER.fullmatch(line)
        if matched is None:
            raise FileError(
                f'{path}: {line!r} is not `Parameter name: meaning, such as "example"`; write so'
            )
        name, meaning, example = matched.groups()
        parameters.append(QueryParameter(name=name, meaning=meaning, example=example))
    declared, used = {one.name for one in parameters}, set(_USED.findall(statement))
    if declared != used:
        odd = ", ".join(sorted(declared ^ used))
        raise FileError(f"{path}: {odd} is in the header or in the query, and not in both")
    return SavedQuery(
        name=path.stem,
        title=header[0],
        answers=header[1].removeprefix("Answers: "),
        parameters=tuple(parameters),
        statement=statement,
    )
