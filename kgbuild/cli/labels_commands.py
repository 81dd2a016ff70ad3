"""labels agreement, suspect, export, import: label files looked over and carried elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kgbuild.cli.label_commands import LABELS, GuidelineOption, SeedOption, SkipUnknownOption
from kgbuild.cli.options import JsonOption, SetOption
from kgbuild.cli.output import Bars, print_json, print_table, say
from kgbuild.core.errors import LabelError

if TYPE_CHECKING:
    from kgbuild.core.relations import RelationSet
    from kgbuild.labelling import AgreementReport
    from kgbuild.labelling.agreement import Alpha, Pair

labels_app = typer.Typer(help="Compare, check and exchange label files.", no_args_is_help=True)

FilesArgument = Annotated[list[Path], typer.Argument(help="Label files or folders of them.")]
ToolOption = Annotated[str, typer.Option("--format", help="label-studio or argilla.")]
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="A build config; its relation packs and critic count."),
]
_SHOWN = 20


@labels_app.command("agreement")
def agreement(
    files: FilesArgument,
    disputed: Annotated[
        Path | None,
        typer.Option("--disputed", help="Write the triples that they dispute, to judge again."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Print how far labellers agree with each other and with themselves.

    Cohen's kappa for each two, Krippendorff's alpha for all, per relation too; once for accepting
    or not and once for the words.
    """
    from kgbuild.core.files import write_text
    from kgbuild.labelling import compare_labellers
    from kgbuild.runs.label_checks import read_some_labels

    rows = read_some_labels(files)
    report = compare_labellers(rows)
    if disputed is not None:
        texts = {row.triple_id: row for row in rows}
        lines = [
            json.dumps(
                {name: getattr(texts[identity], name) for name in ("head", "relation", "tail")},
                ensure_ascii=False,
            )
            for identity in report.disputed
        ]
        write_text(disputed, "".join(f"{line}\n" for line in lines))
        say(f"{len(lines):,} disputed triples in {disputed}; kgbuild label {disputed} asks them")
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        _show_agreement(report)


def _show_agreement(report: AgreementReport) -> None:
    print_table("Labellers", ("labeller", "triples"), report.labellers.items())
    title = ("first", "second", "triples", "same side", "kappa, accepting", "kappa, words")
    if report.pairs:
        print_table("Each two (Cohen)", title, map(_pair_cells, report.pairs))
    if report.themselves:
        print_table("The same sentence read again", title, map(_pair_cells, report.themselves))
    if report.overall.triples:
        alphas = (report.overall, *report.relations)
        columns = ("relation", "triples", "readings", "accepting", "words", "words in order")
        print_table("All (Krippendorff's alpha)", columns, map(_alpha_cells, alphas))
    else:
        say("No triple was judged by two labellers: there is nothing to compare")
    say(f"{len(report.disputed):,} triples are accepted by some and refused by others")


def _pair_cells(pair: Pair) -> tuple[str, ...]:
    figures = (pair.same, pair.kappa_accepted, pair.kappa_labels)
    return (pair.first, pair.second, f"{pair.triples:,}", *map(_figure, figures))


def _alpha_cells(alpha: Alpha) -> tuple[str, ...]:
    counts = (f"{alpha.triples:,}", f"{alpha.readings:,}")
    figures = (alpha.accepted, alpha.labels, alpha.ordered)
    return (alpha.relation or "all", *counts, *map(_figure, figures))


def _figure(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.2f}"


@labels_app.command("suspect")
def suspect(
    files: FilesArgument,
    critic: Annotated[
        Path | None,
        typer.Option(
            "--critic", help="Critic folder; without it, the config's, trained if need be."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write them as JSON Lines, to judge again.")
    ] = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find labels that are probably slips, by confident learning (needs kgbuild[cleanlab]).

    Only labels about dev and test heads are looked at, since a critic trains on the others.
    """
    from kgbuild.core.files import write_text
    from kgbuild.critic import load_critic
    from kgbuild.runs.critics import find_critic
    from kgbuild.runs.label_checks import check_labels, read_some_labels

    read_some_labels(files)  # Before a critic is trained: a broken file need not wait for it.
    folder = find_critic(critic, config=config, settings=settings or (), progress=Bars())
    found = check_labels(files, load_critic(folder))
    say(
        f"{len(found.suspects):,} of {found.compared:,} labels are probably slips; the other "
        f"{found.judged - found.compared:,} are about heads that critics train on and were not "
        "looked at"
    )
    if out is not None:
        write_text(out, "".join(f"{one.model_dump_json()}\n" for one in found.suspects))
        say(f"Written to {out}; kgbuild label {out} asks them again")
    if as_json:
        print_json([one.model_dump(mode="json") for one in found.suspects])
    else:
        print_table(
            "The most suspect",
            ("sentence", "label", "critic", "labellers"),
            [
                (one.sentence, one.label.value, f"{one.probability:.2f}", ", ".join(one.labellers))
                for one in found.suspects[:_SHOWN]
            ],
        )


@labels_app.command("export")
def export(
    source: Annotated[
        Path, typer.Argument(help="Label files, with their answers; a run folder; or triples.")
    ],
    tool: ToolOption,
    out: Annotated[Path, typer.Option("--out", help="JSON file of tasks.")],
    limit: Annotated[
        int, typer.Option("--limit", min=0, help="Only the first tasks; 0 is all.")
    ] = 0,
    without_answers: Annotated[
        bool, typer.Option("--without-answers", help="Leave answers out, to be judged afresh.")
    ] = False,
    critic: Annotated[
        Path | None,
        typer.Option(
            "--predictions", help="Critic folder whose verdicts the tool shows; they sway."
        ),
    ] = None,
    seed: SeedOption = 0,
    skip_unknown: SkipUnknownOption = False,
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Write tasks for Label Studio or Argilla, with the answers that are there already."""
    from kgbuild.core.labelling_config import LabellingConfig
    from kgbuild.critic import load_critic
    from kgbuild.runs.label_exchange import export_tasks, find_tool

    find_tool(tool)
    count = export_tasks(
        source,
        out,
        tool=tool,
        relations=_relations(config, settings),
        config=LabellingConfig(seed=seed),
        critic=load_critic(critic) if critic is not None else None,
        has_answers=not without_answers,
        limit=limit,
        skip_unknown=skip_unknown,
    )
    beside = f", its labelling interface in {out.with_suffix('.xml')}" if "studio" in tool else ""
    say(f"{count:,} tasks in {out}{beside}")


@labels_app.command("import")
def import_labels(
    file: Annotated[Path, typer.Argument(help="JSON or JSON Lines that the tool exported.")],
    tool: ToolOption,
    labels: Annotated[
        Path | None,
        typer.Option("--labels", help="Label file that grows; without it, labels/FORMAT.jsonl."),
    ] = None,
    names: Annotated[
        list[str] | None,
        typer.Option("--name", help="ID=NAME of a labeller, ID as in the tool; repeatable."),
    ] = None,
    guideline: GuidelineOption = 1,
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Add the answers of Label Studio or Argilla to a label file; again, it changes nothing."""
    from kgbuild.runs.label_exchange import find_tool, import_answers

    find_tool(tool)
    path = labels or LABELS / f"{tool}.jsonl"
    done = import_answers(
        file,
        path,
        tool=tool,
        relations=_relations(config, settings),
        names=dict(_split_name(pair) for pair in names or ()),
        guideline=guideline,
    )
    say(f"{done.added:,} labels of {done.tasks:,} tasks added to {path}; {done.known:,} were in it")


def _relations(config: Path | None, settings: list[str] | None) -> RelationSet:
    from kgbuild.runs.inputs import Inputs, read_build_config

    return Inputs(read_build_config(config, settings=settings or ())).all_relations


def _split_name(pair: str) -> tuple[str, str]:
    identity, sign, name = pair.partition("=")
    if not (identity and sign and name.strip()):
        raise LabelError(f"--name {pair[:80]!r} is not ID=NAME, such as 3=ann")
    return identity, name
