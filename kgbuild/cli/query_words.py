"""Explanations, paths and Cypher values in words that fit a table."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kgbuild.core.errors import ConfigError

if TYPE_CHECKING:
    from kgbuild.query import Cluster, Explanation, Generation, GraphPath

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def printable(text: str) -> str:
    """Take out what would steer a terminal: a model's words are no commands.

    >>> printable("proud" + chr(27) + "[31m")
    'proud�[31m'
    """
    return "".join(
        character if character.isprintable() or character == "\n" else _REPLACEMENT
        for character in text
    )


def plain_value(value: Any) -> Any:
    """Give a value of a Cypher row as JSON can hold it; what it cannot becomes text.

    >>> plain_value([1.5, float("nan")])
    [1.5, 'nan']
    """
    if isinstance(value, dict):
        return {str(name): plain_value(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def path_in_words(path: GraphPath) -> str:
    """Write a path in a line, with the direction of each edge.

    Such as `rain -Causes-> wet streets <-xReact- PersonX slips`.
    """
    words = [path.phrases[0]]
    for edge, following in zip(path.edges, path.phrases[1:], strict=True):
        is_forward = edge.head == words[-1] and edge.tail == following
        arrow = f"-{edge.relation}->" if is_forward else f"<-{edge.relation}-"
        words += [arrow, following]
    return " ".join(words)


def explanation_rows(found: Explanation) -> Iterator[tuple[str, str]]:
    """Give the rows of an explanation, in the order in which things happened."""
    yield "summary", found.summary
    yield "sentence", found.sentence
    if found.head_source:
        yield "head from", found.head_source
    if found.question is not None:
        yield "prompt", f"{found.question.prompt_id}\n{found.question.prompt}"
    if found.generation is not None:
        yield from _generation_rows(found.generation)
    if found.judgement is not None:
        verdict = "accepted" if found.judgement.is_accepted else "rejected"
        yield (
            "critic",
            f"{verdict}: probability {found.judgement.probability:.4f}, threshold "
            f"{found.judgement.threshold:.4f}, critic {found.judgement.critic}",
        )
    if found.cluster is not None:
        yield "cluster", "\n".join(_cluster_lines(found.cluster))
    if found.stage:
        yield "dropped in", f"{found.stage}: {found.reason} {found.detail}".strip()
    for note in found.review:
        yield "review", note.said
    if found.run is not None:
        where = f" in {found.run.folder}" if found.run.folder else ""
        yield "run", f"{found.run.run}, round {found.run.round}{where}"


def _generation_rows(generation: Generation) -> Iterator[tuple[str, str]]:
    if not generation.tokens:
        # Nobody here generated it: people or a file brought it.
        yield "source", generation.source
        if generation.teacher:
            yield "teacher", f"{generation.teacher}, as its source says"
        return
    yield "teacher", f"{generation.teacher} (sha256 {generation.teacher_hash})"
    settings = ", ".join(f"{name} {value}" for name, value in generation.settings.items())
    yield "decoding", "\n".join(part for part in (generation.decoding, settings) if part)
    prior = generation.prior_log_probability
    yield (
        "log-probability",
        f"{generation.log_probability:.3f} nats over {generation.tokens} tokens, "
        f"{generation.mean_log_probability:.3f} a token"
        + ("" if prior is None else f"; {prior:.3f} without the head"),
    )
    yield (
        "clauses",
        "\n".join(
            [
                f"{generation.clauses_met} of {generation.clauses} met; those of the relation:",
                *generation.relation_clauses,
            ]
            if generation.relation_clauses
            else [f"{generation.clauses_met} of {generation.clauses} met"]
        ),
    )
    yield "rank", f"{generation.rank} of its prompt, 0 is the best"


def _cluster_lines(cluster: Cluster) -> Iterator[str]:
    yield f"{cluster.size} tails as '{cluster.representative}'"
    for member in cluster.members:
        if member.reason != "representative":
            yield f"'{member.tail}': {member.reason}, cosine {member.similarity:.3f}"


def read_parameter(entry: str) -> tuple[str, Any]:
    """Read `name=value`, the value as YAML.

    >>> read_parameter("limit=3")
    ('limit', 3)

    Raises:
        ConfigError: If it has another form.
    """
    from kgbuild.core.config_file import read_value

    name, separator, value = entry.partition("=")
    if not separator or not name.strip().isidentifier():
        raise ConfigError(
            f"--param {entry!r} has no name=value form; write for example --param text=rain"
        )
    return name.strip(), read_value(value, where=f"--param {name.strip()}")
