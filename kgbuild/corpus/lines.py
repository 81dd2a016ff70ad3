r"""A corpus row as one line of TSV or JSON, and back.

Texts of a model may hold anything. In TSV a backslash, a control character or a line separator
is written as an escape (`\\`, `\t`, `\n`, `\r`, `\uXXXX`), so a row is always exactly one line
with exactly the declared columns, whichever rule for line ends the reader follows.
"""

from __future__ import annotations

import json
import re

from kgbuild.core.records import CorpusRow

# Head, relation and tail come first, as in ATOMIC; then what every export promises.
TSV_COLUMNS = (
    "head",
    "relation",
    "tail",
    "probability",
    "log_probability",
    "teacher",
    "split",
    "mean_log_probability",
    "kind",
    "polarity",
    "sentence",
    "source",
    "run",
    "triple_id",
    "promise",
)
_NAMED = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_BACK = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r"}
_UNSAFE = re.compile("[\\\\\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
JSON_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029]")


def escape(text: str) -> str:
    r"""Give text without tabs, line ends or control characters.

    >>> print(escape("a\tb"))
    a\tb
    >>> unescape(escape("a\tb\\n")) == "a\tb\\n"
    True
    """
    return _UNSAFE.sub(lambda match: _NAMED.get(match[0]) or f"\\u{ord(match[0]):04x}", text)


def unescape(text: str) -> str:
    """Undo `escape`.

    Raises:
        ValueError: If a backslash starts no known escape.
    """

    def back(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 16))
        if match[2] not in _BACK:
            raise ValueError(f"\\{match[2]} is no escape; a backslash is written \\\\")
        return _BACK[match[2]]

    return _ESCAPE.sub(back, text)


def tsv_line(row: CorpusRow) -> str:
    """Give a row as one TSV line, numbers in their shortest exact form."""
    values = row.model_dump(mode="json")
    return "\t".join(escape(str(values[name])) for name in TSV_COLUMNS) + "\n"


def json_line(row: CorpusRow) -> str:
    """Give a row as one line of JSON, the fields in the order of the TSV columns."""
    values = row.model_dump(mode="json")
    line = json.dumps(
        {name: values[name] for name in TSV_COLUMNS}, ensure_ascii=False, allow_nan=False
    )
    return JSON_UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", line) + "\n"


def sentence_line(row: CorpusRow) -> str:
    """Give a row as its sentence, on one line whatever is in it."""
    return " ".join(row.sentence.split()) + "\n"
