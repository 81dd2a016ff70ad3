"""Which part of the labels a head belongs to."""

from __future__ import annotations

from kgbuild.core.ids import content_key, phrase_id
from kgbuild.core.records import Split

_DEV = 0.06
_TEST = 0.09


def assign_part(head: str) -> Split:
    """Choose the part (train, dev, test: 85, 6, 9 %) of every label of one head.

    A hash of the head's text and no setting, so a test row stays one whatever is configured,
    and new labels never move the old ones.

    >>> assign_part("PersonX misses the bus") == assign_part(" personx misses the bus.")
    True
    """
    place = find_place(head, purpose="part")
    if place < _DEV:
        return Split.DEV
    return Split.TEST if place >= 1 - _TEST else Split.TRAIN


def find_place(head: str, *, purpose: str) -> float:
    """Give a head its place between 0 and 1, by a hash; another one for each purpose."""
    digest = content_key(["critic", purpose, phrase_id(head)])
    return float(int(digest, 16) / 16 ** len(digest))
