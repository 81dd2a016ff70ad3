"""Every error a user can mend, by the room that raises it.

A message is one paragraph: the value, the rule it broke, the way out. The command line turns
each of these into exit code 2 without a traceback; anything else is a bug and keeps its own.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class KgbuildError(Exception):
    """The user can mend this; the message says how."""


class ConfigError(KgbuildError):
    """A config file, key or value breaks a rule."""


class RelationError(KgbuildError):
    """A relation name or a relation pack breaks a rule."""


class SeedError(KgbuildError):
    """A seed file cannot be read as heads."""


class ClauseError(KgbuildError):
    """Clauses contradict each other or cannot be met by any text."""


class ModelError(KgbuildError):
    """A model folder or file is missing, broken or refused."""


class LabelError(KgbuildError):
    """A label or score file breaks a rule."""


class CriticError(KgbuildError):
    """A critic cannot be trained, loaded or calibrated from what is there."""


class StoreError(KgbuildError):
    """A graph store refuses a read or a write."""


class StoreLockedError(StoreError):
    """Another process holds the graph store; the message says which."""


class ServerError(KgbuildError):
    """A server, of Neo4j or of pages, cannot be started, stopped or administered."""


class RunError(KgbuildError):
    """A run folder cannot be used or continued."""


class FileError(KgbuildError):
    """A file cannot be read or written, such as when the disk is full."""


class ExtraError(KgbuildError):
    """A library that only an optional extra installs is not there."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Give "; did you mean X?" for the nearest known word, or nothing.

    >>> did_you_mean("xEfect", ["xEffect", "xNeed"])
    '; did you mean xEffect?'
    >>> did_you_mean("banana", ["xEffect"])
    ''
    """
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), list(folded), n=1, cutoff=0.6)
    return f"; did you mean {folded[near[0]]}?" if near else ""


def first_fault(error: Exception) -> str:
    """Give what is wrong in one line: of a record's many faults the first one, with its place."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
