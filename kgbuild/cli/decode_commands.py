"""decode: constrained generation from a language model, without a graph."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from kgbuild.cli.inputs import read_input
from kgbuild.cli.output import print_table, say

if TYPE_CHECKING:
    from kgbuild.decoding import AnyClause, ConstraintSet

ClauseOption = list[str] | None


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("decode")(decode)


def decode(
    prompts: Annotated[list[str] | None, typer.Argument(help="Texts to complete.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="One prompt a line; - reads standard input.")
    ] = None,
    model: Annotated[
        str, typer.Option("--model", help="Catalogue name, Hugging Face folder or GGUF file.")
    ] = "smollm2",
    require: Annotated[
        ClauseOption,
        typer.Option("--require", help="Must be said; any of 'cake|pie' will do. Repeatable."),
    ] = None,
    ban: Annotated[
        ClauseOption, typer.Option("--ban", help="Is never written. Repeatable.")
    ] = None,
    count: Annotated[
        ClauseOption,
        typer.Option("--count", help="How often: 'the|a=0..2', 'very=..1', 'so=1..'. Repeatable."),
    ] = None,
    starts_with: Annotated[
        ClauseOption, typer.Option("--starts-with", help="How the text begins: 'to|a'.")
    ] = None,
    ends_with: Annotated[
        ClauseOption, typer.Option("--ends-with", help="How the text ends: 'home|at home'.")
    ] = None,
    inflect: Annotated[
        bool, typer.Option("--inflect", help="Required words also count when inflected.")
    ] = False,
    min_words: Annotated[int | None, typer.Option("--min-words", min=0)] = None,
    max_words: Annotated[int | None, typer.Option("--max-words", min=1)] = None,
    prefix: Annotated[
        Path | None, typer.Option("--prefix", help="File with text before every prompt.")
    ] = None,
    n: Annotated[int, typer.Option("--n", min=1, help="Completions a prompt.")] = 1,
    beams: Annotated[int, typer.Option("--beams", min=1)] = 8,
    max_new_tokens: Annotated[int, typer.Option("--max-new-tokens", min=1)] = 32,
    soft: Annotated[
        bool, typer.Option("--soft", help="A text may end before everything required is said.")
    ] = False,
    sample: Annotated[bool, typer.Option("--sample", help="Draw instead of searching.")] = False,
    seed: Annotated[int, typer.Option("--seed", help="Of sampling.")] = 0,
    lookahead: Annotated[
        int, typer.Option("--lookahead", min=0, help="Tokens looked ahead (A*esque decoding).")
    ] = 0,
    lookahead_by: Annotated[
        Literal["greedy", "sample", "beam", "draft"],
        typer.Option("--lookahead-by", help="How they are rolled out; draft is the fastest."),
    ] = "draft",
    lookahead_beams: Annotated[
        int,
        typer.Option("--lookahead-beams", min=1, max=64, help="Of --lookahead-by beam."),
    ] = 4,
    device: Annotated[str, typer.Option("--device", help="cpu, cuda, or cuda:1.")] = "cpu",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON a prompt to stdout.")
    ] = False,
) -> None:
    """Complete prompts so that the text says what it must and never what it must not.

    Exit code 1 says that some prompt got no text that meets everything required.
    """
    texts = _read_prompts(prompts or [], file)
    constraints = _read_clauses(
        require, ban, count, starts_with, ends_with, inflect=inflect, words=(min_words, max_words)
    )
    from kgbuild.core.files import read_text
    from kgbuild.decoding import generate, load_language_model
    from kgbuild.decoding.precision import check_device, choose_dtype
    from kgbuild.models import resolve_model

    check_device(device)
    loaded, tokenizer = load_language_model(
        resolve_model(model).path, dtype=choose_dtype("auto", device=device), device=device
    )
    found = generate(
        loaded,
        tokenizer,
        texts,
        constraints=constraints,
        prefix=read_text(prefix) if prefix is not None else "",
        method="sample" if sample else "beam",
        seed=seed,
        beams=max(beams, n),
        returned=n,
        max_new_tokens=max_new_tokens,
        mode="soft" if soft else "hard",
        lookahead=lookahead,
        lookahead_by=lookahead_by,
        lookahead_beams=lookahead_beams,
    )
    if as_json:
        for text, answers in zip(texts, found, strict=True):
            row = {"prompt": text, "completions": [asdict(answer) for answer in answers]}
            typer.echo(json.dumps(row, ensure_ascii=False))
    else:
        rows = [
            (text, answer.text, f"{answer.log_probability:.2f}", _describe(answer.unmet))
            for text, answers in zip(texts, found, strict=True)
            for answer in answers
        ]
        print_table("", ["prompt", "completion", "log p", "unmet clauses"], rows)
    short = sum(all(answer.unmet for answer in answers) for answers in found)
    if short:
        say(f"{short} of {len(texts)} prompts got no text that meets everything required")
        raise typer.Exit(1)


def _describe(unmet: tuple[int, ...]) -> str:
    return ", ".join(str(place + 1) for place in unmet)


def _read_prompts(prompts: list[str], file: Path | None) -> list[str]:
    from kgbuild.core.errors import ConfigError

    texts = list(prompts)
    if file is not None:
        texts += [line for line in read_input(file).splitlines() if line.strip()]
    if not texts:
        raise ConfigError("There is no prompt; give some, or a file of them with --file")
    return texts


def _read_clauses(
    require: ClauseOption,
    ban: ClauseOption,
    count: ClauseOption,
    starts_with: ClauseOption,
    ends_with: ClauseOption,
    *,
    inflect: bool,
    words: tuple[int | None, int | None],
) -> ConstraintSet:
    from kgbuild.decoding import AnyOf, ConstraintSet, EndsWith, Not, StartsWith

    clauses: list[AnyClause] = [
        *(AnyOf(_split(text), inflect=inflect) for text in require or ()),
        *(Not(text) for text in ban or ()),
        *(_read_count(text) for text in count or ()),
        *(StartsWith(_split(text)) for text in starts_with or ()),
        *(EndsWith(_split(text)) for text in ends_with or ()),
    ]
    return ConstraintSet(tuple(clauses), min_words=words[0], max_words=words[1])


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


def _read_count(text: str) -> AnyClause:
    from kgbuild.core.errors import ClauseError
    from kgbuild.decoding import Count

    phrases, sign, bounds = text.rpartition("=")
    low, dots, high = bounds.partition("..")
    if not (sign and dots and (low + high).isdecimal() and (low + high).isascii()):
        raise ClauseError(
            f"--count {text!r} is not phrases, = and bounds; write 'the|a=0..2', 'very=..1' or "
            "'so=1..'"
        )
    return Count(_split(phrases), min=int(low or 0), max=int(high) if high else None)
