"""label: judge one sentence after another in the terminal."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kgbuild.cli.options import JsonOption, SetOption
from kgbuild.cli.output import Bars, print_json, print_table, say
from kgbuild.core.errors import LabelError

if TYPE_CHECKING:
    from kgbuild.labelling import LabelSession, SessionProgress

LABELS = Path("labels")
_UNSAFE = re.compile(r"[^\w.-]+")

SourceArgument = Annotated[
    Path,
    typer.Argument(help="A run folder; a file of head, relation, tail; or labels, to judge again."),
]
LabelsOption = Annotated[
    Path | None,
    typer.Option("--labels", help="Where answers go; without it, labels/LABELLER.jsonl."),
]
LabellerOption = Annotated[
    str | None, typer.Option("--labeller", help="Who judges; without it, your user name.")
]
LimitOption = Annotated[
    int, typer.Option("--limit", min=0, help="End after this many answers; 0 is no limit.")
]
RandomOption = Annotated[
    float | None,
    typer.Option("--random-share", min=0, max=1, help="Share drawn at random (0.3)."),
]
AgainOption = Annotated[
    float | None,
    typer.Option("--again-share", min=0, max=0.5, help="Share of second readings (0.1)."),
]
EncoderOption = Annotated[
    str | None,
    typer.Option("--encoder", help="Sentence encoder that keeps questions apart; '' does without."),
]
SkipOption = Annotated[
    list[Path] | None,
    typer.Option("--skip", help="Label files or folders whose triples are not asked; repeatable."),
]
CriticOption = Annotated[
    Path | None,
    typer.Option("--critic", help="Critic folder that scores the triples, for their order only."),
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="A build config; its relation packs count.")
]
SkipUnknownOption = Annotated[
    bool, typer.Option("--skip-unknown", help="Leave out rows of unknown relations.")
]
SeedOption = Annotated[int, typer.Option("--seed", help="Seed of the order.")]
GuidelineOption = Annotated[
    int, typer.Option("--guideline", min=1, help="Version of the labelling guideline.")
]


def register(app: typer.Typer) -> None:
    """Add the command to the main app."""
    app.command("label")(label)


def label(
    source: SourceArgument,
    labels: LabelsOption = None,
    labeller: LabellerOption = None,
    limit: LimitOption = 0,
    random_share: RandomOption = None,
    again_share: AgainOption = None,
    critic: CriticOption = None,
    encoder: EncoderOption = None,
    skip: SkipOption = None,
    skip_unknown: SkipUnknownOption = False,
    seed: SeedOption = 0,
    guideline: GuidelineOption = 1,
    config: ConfigOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge triples, one sentence at a time; each answer is on disk before the next is shown.

    Keys: a always, l likely, f farfetched, i invalid, u unsure; h harm, c comment, z take back,
    ? the guideline, q quit. The same command goes on where you stopped.
    """
    from kgbuild.cli.label_dialogue import run_dialogue
    from kgbuild.labelling import read_guideline

    text = read_guideline(guideline)
    with start_session(
        source,
        labels=labels,
        labeller=labeller,
        limit=limit,
        random_share=random_share,
        again_share=again_share,
        critic=critic,
        encoder=encoder,
        skip=skip or [],
        skip_unknown=skip_unknown,
        seed=seed,
        guideline=guideline,
        config=config,
        settings=settings or [],
    ) as session:
        run_dialogue(session, guideline=text)
        progress = session.progress()
    if as_json:
        print_json(progress.model_dump(mode="json"))
    else:
        _show(progress)


def start_session(
    source: Path,
    *,
    labels: Path | None,
    labeller: str | None,
    limit: int,
    random_share: float | None,
    again_share: float | None,
    critic: Path | None,
    encoder: str | None,
    skip: list[Path],
    skip_unknown: bool,
    seed: int,
    guideline: int,
    config: Path | None,
    settings: list[str],
) -> LabelSession:
    """Open the session that a command's options describe."""
    from kgbuild.core.labelling_config import LabellingConfig
    from kgbuild.critic import load_critic
    from kgbuild.labelling import check_labeller
    from kgbuild.runs.inputs import Inputs, read_build_config
    from kgbuild.runs.labelling import open_session

    name = check_labeller(find_labeller(labeller))
    given = {
        "random_share": random_share,
        "again_share": again_share,
        "encoder": encoder,
        "seed": seed,
        "guideline": guideline,
    }
    relations = Inputs(read_build_config(config, settings=settings)).all_relations
    path = labels or LABELS / f"{_UNSAFE.sub('-', name)}.jsonl"
    say(f"Answers of {name} go to {path}")
    return open_session(
        source,
        path,
        labeller=name,
        relations=relations,
        config=LabellingConfig(**{key: value for key, value in given.items() if value is not None}),
        critic=load_critic(critic) if critic is not None else None,
        skip=skip,
        skip_unknown=skip_unknown,
        limit=limit,
        progress=Bars(),
    )


def find_labeller(name: str | None) -> str:
    """Give the labeller's name, or the user's.

    Raises:
        LabelError: If this machine has no name for the user.
    """
    import getpass

    if name is not None:
        return name
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise LabelError(
            "This machine has no name for you; say who judges with --labeller"
        ) from error


def _show(progress: SessionProgress) -> None:
    rate = "" if progress.per_minute is None else f", {progress.per_minute:.1f} a minute"
    rows: list[tuple[str, object]] = [
        ("answers now", f"{progress.judged_now:,}{rate}"),
        ("answers in the file", f"{progress.judged:,}"),
        *((label.value, count) for label, count in progress.counts.items()),
        ("left", f"{progress.left:,}"),
    ]
    if progress.asked_again:
        rows.append(
            ("same side when read again", f"{progress.agreed_again} of {progress.asked_again}")
        )
    print_table("Labels", ("what", "how many"), rows)
