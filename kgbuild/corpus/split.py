"""Which part of the corpus a head belongs to."""

from __future__ import annotations

from kgbuild.core.errors import ConfigError
from kgbuild.core.ids import phrase_id
from kgbuild.core.records import Split


def assign_split(head: str, *, dev: float = 0.1, test: float = 0.1) -> Split:
    """Choose the corpus split for every triple of one head.

    The choice is a hash of the head's text. A head therefore never lands in two
    splits, and adding heads never moves the ones already placed. Dev is cut from one end of the
    hash's range and test from the other, so a changed share moves heads only out of or into
    train.

    Args:
        head: Head text in canonical form, as `canonical` returns it.
        dev: Share of heads that go to the dev split.
        test: Share of heads that go to the test split.

    Raises:
        ConfigError: If `dev + test` leaves nothing to train on.

    >>> assign_split("PersonX misses the bus")
    <Split.TRAIN: 'train'>
    """
    if not (dev >= 0 and test >= 0 and dev + test < 1):
        raise ConfigError(
            f"corpus.dev={dev} and corpus.test={test} leave nothing to train on; "
            "choose shares of at least 0 whose sum is below 1"
        )
    digest = phrase_id(head)
    place = int(digest, 16) / 16 ** len(digest)
    if place < dev:
        return Split.DEV
    return Split.TEST if place >= 1 - test else Split.TRAIN
