"""The door of the room: seed files in, heads out."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from kgbuild.core.config import SeedsConfig
from kgbuild.core.errors import SeedError
from kgbuild.core.ids import canonical
from kgbuild.core.records import Head, HeadKind, Rejection
from kgbuild.seeds.kinds import guess_kind, kind_of_file, parse_kind
from kgbuild.seeds.rows import SeedRow, read_rows

STAGE = "seeds"
_JOINERS = "\u200c\u200d"  # Scripts such as Persian and Hindi need them inside words.


def collect_heads(
    paths: Iterable[str | Path], *, config: SeedsConfig
) -> Iterator[Head | Rejection]:
    """Give every head of the seed files in order, each once.

    The first spelling of a head wins; a later one comes out as a Rejection that says where the
    first was. The kind is the one in the row, else the one in the file's name, else a guess.

    Raises:
        SeedError: If a file or a row cannot be read as heads, or there is no head at all.
    """
    files = [Path(path) for path in paths]
    if not files:
        raise SeedError("No seed file is given; name one with --seeds FILE or in seeds.files")
    first_seen: dict[str, str] = {}
    for path in files:
        is_empty = True
        file_kind = kind_of_file(path)
        for row in read_rows(path):
            is_empty = False
            head = _check_row(row, file_kind, config)
            if head.head_id in first_seen:
                yield _reject_repeat(head, first_seen[head.head_id])
                continue
            if config.limit and len(first_seen) == config.limit:
                return
            first_seen[head.head_id] = head.source
            yield head
        if is_empty:
            raise SeedError(
                f"{path} holds no heads; write at least one, such as 'PersonX bakes a cake', below "
                "the column name 'head' or on a line of its own"
            )


def check_text(text: str, *, source: str, limit: int) -> str:
    """Give a head's text in canonical form, or say what is wrong with it.

    Raises:
        SeedError: If it is empty, longer than `limit` characters or holds control characters.
    """
    if len(text) > limit:
        raise SeedError(
            f"{source}: the head has {len(text):,} characters ({text[:40]!r}…) but at most "
            f"{limit} are allowed; shorten it, raise seeds.max_head_characters, or take heads out "
            "of running text with 'kgbuild seeds extract'"
        )
    check_plain(text, source=source)
    text = canonical(text)
    if not any(character.isalnum() for character in text):
        raise SeedError(
            f"{source}: the head {text!r} has no letter or digit; write a head or remove the row"
        )
    return text


def check_plain(text: str, *, source: str) -> None:
    """Refuse control characters, which no phrase needs and no graph should store.

    Raises:
        SeedError: If there is one.
    """
    for place, character in enumerate(text):
        if _is_control(character):
            around = text[max(0, place - 20) : place + 20]
            raise SeedError(
                f"{source} holds the control character U+{ord(character):04X} at position "
                f"{place + 1} ({around!a}); heads are plain text, so remove it"
            )


def _check_row(row: SeedRow, file_kind: HeadKind | None, config: SeedsConfig) -> Head:
    text = check_text(row.head, source=row.source, limit=config.max_head_characters)
    stated = parse_kind(row.kind, source=row.source) if row.kind else file_kind
    kind = stated or guess_kind(text)
    return Head.of(text, kind, source=row.source, relations=row.relations)


def _reject_repeat(head: Head, first: str) -> Rejection:
    detail = f"{head.source} repeats {first}"
    if head.relations:
        detail += "; its relations were not added, name them all in the first row"
    return Rejection(stage=STAGE, reason="duplicate_head", detail=detail, head=head.text)


def _is_control(character: str) -> bool:
    if character in "\t\n\r" or character in _JOINERS:
        return False
    # Cc control, Cf invisible formatting such as text direction, Cs half of a surrogate pair.
    return unicodedata.category(character) in ("Cc", "Cf", "Cs")
