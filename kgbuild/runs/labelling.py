"""A labelling session over a run, a file of triples, or labels that are to be read again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from kgbuild.core.errors import LabelError
from kgbuild.core.labelling_config import LabellingConfig
from kgbuild.core.progress import QUIET, Progress
from kgbuild.core.relations import RelationSet
from kgbuild.core.resources import cache_folder
from kgbuild.critic import Critic, read_labels
from kgbuild.labelling import LabelFile, LabelSession, Order, check_labeller, order_questions
from kgbuild.labelling.ordering import Encode
from kgbuild.labelling.question import AGAIN, DIVERSE, UNCERTAIN
from kgbuild.models import resolve_model
from kgbuild.runs.label_sources import open_source

# So many sentences that were chosen last are what new ones should differ from.
_CENTRES = 500


def open_session(
    source: Path,
    labels: Path,
    *,
    labeller: str,
    relations: RelationSet,
    config: LabellingConfig,
    critic: Critic | None = None,
    skip: Sequence[Path] = (),
    skip_unknown: bool = False,
    limit: int = 0,
    encode: Encode | None = None,
    progress: Progress = QUIET,
) -> LabelSession:
    """Open a session; close it, or use it in a `with` block, so that others may have the file.

    Args:
        source: A run folder, a file of triples, or label files.
        labels: Where answers go: JSON Lines, made if it is not there.
        labeller: Who judges.
        relations: What a file may speak of; a run brings its own.
        config: Shares and bounds.
        critic: Scores the candidates; a run's own verdicts are used without it.
        skip: Label files and folders whose triples are not asked.
        skip_unknown: Leave out a file's rows of unknown relations.
        limit: End after this many answers; 0 is no limit.
        encode: Gives sentences as vectors, instead of the config's encoder.
        progress: Is told what the session can and cannot do.

    Raises:
        LabelError: If the source or a label file breaks a rule, or another session has the file.
    """
    labeller = check_labeller(labeller)
    skipped = {row.triple_id for row in read_labels(skip)} if skip else set()
    opened = open_source(source, relations=relations, critic=critic, skip_unknown=skip_unknown)
    file = LabelFile(labels)
    try:
        if file.mended:
            progress.say(file.mended)
        own = [row for row in file.standing() if row.labeller == labeller]
        centres = [row.sentence for row in own if row.chosen_by in (UNCERTAIN, DIVERSE)]
        if opened.has_scores and config.random_share < 1:
            encode = encode or _make_encode(config)
        order = order_questions(
            opened.pool,
            judged=skipped | {row.triple_id for row in own},
            centres=centres[-_CENTRES:],
            asked=sum(row.chosen_by != AGAIN for row in own),
            encode=encode,
            config=config,
        )
        if not order.candidates:
            raise LabelError(f"{source} holds no triple; there is nothing to judge")
        _explain(order, judged=len(own), has_scores=opened.has_scores, progress=progress)
        return LabelSession(
            file,
            order.questions,
            labeller=labeller,
            clock=lambda: datetime.now(UTC),
            guideline=config.guideline,
            limit=limit,
            again_share=config.again_share,
            seed=config.seed,
        )
    except BaseException:
        file.close()
        raise


def _make_encode(config: LabellingConfig) -> Encode | None:
    if not config.encoder:
        return None
    from kgbuild.dedup import EmbeddingCache, SentenceEncoder

    model = resolve_model(config.encoder)
    cache = EmbeddingCache(cache_folder() / "embeddings", SentenceEncoder(model.path))
    return cache.encode


def _explain(order: Order, *, judged: int, has_scores: bool, progress: Progress) -> None:
    if judged:
        progress.say(f"{judged:,} of your answers are in the file already; going on from there")
    if not has_scores:
        progress.say("All questions are drawn at random: no critic has scored these triples")
    if order.left_out:
        progress.say(
            f"{order.left_out:,} candidates are more than one session asks; they are left for later"
        )
