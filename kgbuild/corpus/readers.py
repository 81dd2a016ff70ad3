"""Reading a corpus back, from any of its formats and from strangers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kgbuild.core.errors import FileError
from kgbuild.core.records import CorpusRow, Split
from kgbuild.core.shards import read_shard
from kgbuild.corpus.lines import TSV_COLUMNS, unescape

Columns = tuple[str, ...]

_LINE_BYTES = 2**20
# Files of the first version have no promises.
_EARLIER_COLUMNS = tuple(name for name in TSV_COLUMNS if name != "promise")


def read_corpus(path: Path) -> Iterator[CorpusRow]:
    """Give the rows of a `.tsv`, `.jsonl` or `.parquet` file or of an hf folder, in order.

    One line or batch is in memory at a time, and a line is at most 1 MiB.

    Raises:
        FileError: If the file is missing or a row breaks a rule; the message names its line.
    """
    if path.is_dir():
        files = [path / "data" / f"{split.value}.parquet" for split in Split]
        present = [file for file in files if file.exists()]
        if not present:
            raise FileError(f"{path} holds no data/train.parquet, so it is no corpus folder")
        for file in present:
            yield from read_shard(file, CorpusRow)
    elif path.suffix == ".parquet":
        yield from read_shard(path, CorpusRow)
    elif path.suffix == ".tsv":
        yield from _read_rows(path, _tsv_values, has_header=True)
    elif path.suffix in (".jsonl", ".json"):
        yield from _read_rows(path, _json_values, has_header=False)
    else:
        raise FileError(
            f"{path} has no ending that names a corpus format; use .tsv, .jsonl, .parquet or an "
            "hf folder"
        )


def _read_rows(
    path: Path, values_of: Callable[[str, Columns], dict[str, Any]], *, has_header: bool
) -> Iterator[CorpusRow]:
    columns: Columns = TSV_COLUMNS
    for number, line in _lines(path):
        if has_header and number == 1:
            columns = tuple(line.split("\t"))
            if columns not in (TSV_COLUMNS, _EARLIER_COLUMNS):
                raise FileError(
                    f"{path}:1 is not the header of a kgbuild corpus; it must be the columns "
                    f"{', '.join(TSV_COLUMNS)}, separated by tabs"
                )
            continue
        try:
            yield CorpusRow.model_validate(values_of(line, columns))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "the row"
            raise FileError(f"{path}:{number} is no corpus row: {place}: {first['msg']}") from error
        except (ValueError, RecursionError) as error:
            raise FileError(f"{path}:{number} is no corpus row: {error}") from error


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open("rb") as opened:
            number = 0
            # readline with a limit: a file without line ends must not fill the memory.
            while raw := opened.readline(_LINE_BYTES + 1):
                number += 1
                if len(raw) > _LINE_BYTES:
                    raise FileError(f"{path}:{number} is longer than 1 MiB; it is no corpus row")
                yield number, raw.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except FileNotFoundError as error:
        raise FileError(f"{path} does not exist; check the path") from error
    except UnicodeDecodeError as error:
        raise FileError(f"{path}:{number} is not UTF-8; save the file as UTF-8") from error
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}") from error


def _tsv_values(line: str, columns: Columns) -> dict[str, Any]:
    fields = line.split("\t")
    if len(fields) != len(columns):
        raise ValueError(f"it has {len(fields)} columns, not {len(columns)}")
    return {name: unescape(field) for name, field in zip(columns, fields, strict=True)}


def _json_values(line: str, columns: Columns) -> dict[str, Any]:
    values = json.loads(line)
    if not isinstance(values, dict):
        raise ValueError("it is not a JSON object")
    return values
