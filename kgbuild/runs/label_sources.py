"""What can be judged: a run's triples, triples of a file, triples that were judged before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from kgbuild.core.errors import LabelError, RelationError, did_you_mean
from kgbuild.core.files import user_path
from kgbuild.core.ids import triple_id
from kgbuild.core.manifest import MANIFEST_NAME, Manifest, read_manifest
from kgbuild.core.records import Triple
from kgbuild.core.relations import RelationSet, verbalise
from kgbuild.core.shards import read_shards
from kgbuild.critic import Candidate, Critic, Evidence, read_candidates, read_labels
from kgbuild.critic.lines import read_lines
from kgbuild.critic.protocol import TOGETHER
from kgbuild.labelling import Question, Scored
from kgbuild.runs.inputs import Inputs
from kgbuild.runs.judging import read_judged


class Source(NamedTuple):
    """Candidates to judge.

    Attributes:
        pool: All of them, a stream.
        has_scores: Whether each comes with a critic's probability.
    """

    pool: Iterator[Scored]
    has_scores: bool


def open_source(
    place: Path, *, relations: RelationSet, critic: Critic | None = None, skip_unknown: bool = False
) -> Source:
    """Open what is to be judged.

    Args:
        place: A run folder; a file of head, relation and tail; a file or folder of label rows.
        relations: What a file may speak of; a run brings its own.
        critic: Scores a file's triples, and a run's anew.
        skip_unknown: Leave out a file's rows of unknown relations.

    Raises:
        LabelError: If it is none of them, or is empty.
        RelationError: If it speaks of an unknown relation.
    """
    place = user_path(place)
    if (place / MANIFEST_NAME).is_file():
        return _open_run(read_manifest(place), critic)
    questions: Iterator[Question]
    if is_label_place(place):
        questions = iter(read_label_questions(place, relations, skip_unknown=skip_unknown))
    else:
        questions = _read_candidates(place, relations, skip_unknown=skip_unknown)
    return _score(questions, critic)


def is_label_place(place: Path) -> bool:
    """Whether a file begins with a label row, or a folder is no run and so must hold labels.

    Raises:
        LabelError: If there is nothing at that place.
    """
    if not place.exists():
        raise LabelError(
            f"{place} does not exist; name a run folder, a file with head, relation and tail, or "
            "a file of labels"
        )
    if place.is_dir():
        is_run = (place / MANIFEST_NAME).is_file()
        if not is_run and not [*place.glob("*.jsonl"), *place.glob("*.jsonl.gz")]:
            raise LabelError(
                f"{place} is neither a run folder, since it has no {MANIFEST_NAME}, nor a folder "
                "of label files; a run can be judged once kgbuild build has finished a stage of it"
            )
        return not is_run
    _, first = next(read_lines(place), (0, ""))
    try:
        fields = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return isinstance(fields, dict) and {"label", "labeller", "triple_id"} <= fields.keys()


def read_label_questions(
    place: Path, relations: RelationSet, *, skip_unknown: bool = False
) -> list[Question]:
    """Give each judged triple of a place once, to be judged again.

    Raises:
        LabelError: If there is none.
        RelationError: If a label is about an unknown relation.
    """
    rows = {row.triple_id: row for row in read_labels([place])}
    if not rows:
        raise LabelError(f"{place} holds no label that stands; there is nothing to judge again")
    known = []
    for row in rows.values():
        if row.relation in relations:
            known.append(Question.of_label(row))
        elif not skip_unknown:
            near = did_you_mean(row.relation, [relation.name for relation in relations])
            raise RelationError(
                f"{place} holds a label of {row.head[:80]!r} about {row.relation[:80]!r}, which is "
                f"in no relation pack{near or '.'} Name its pack with --set prompts.packs=[...], "
                "or leave such rows out with --skip-unknown"
            )
    return known


def _open_run(manifest: Manifest, critic: Critic | None) -> Source:
    relations = Inputs(manifest.read_config()).all_relations
    triples = manifest.stage_folder("triples")

    def ask(triple: Triple) -> Question:
        relation = relations.get(triple.relation)
        return Question.of_triple(triple, sentence=verbalise(relation, triple.head, triple.tail))

    if critic is not None:
        return _score(map(ask, read_shards(triples, Triple)), critic)
    if "verdicts" not in manifest.stages:
        return Source(map(Scored, map(ask, read_shards(triples, Triple))), False)
    judged = read_judged(triples, manifest.stage_folder("verdicts"))
    pool = (
        Scored(ask(triple), verdict.probability, verdict.threshold) for triple, verdict in judged
    )
    return Source(pool, True)


def _read_candidates(
    path: Path, relations: RelationSet, *, skip_unknown: bool
) -> Iterator[Question]:
    for candidate in read_candidates(path, relations=relations, skip_unknown=skip_unknown):
        if candidate is None:
            continue
        relation = relations.get(candidate.relation)
        yield Question(
            triple_id=triple_id(candidate.head, candidate.relation, candidate.tail),
            head=candidate.head,
            relation=candidate.relation,
            tail=candidate.tail,
            kind=relation.head_kind,
            sentence=verbalise(relation, candidate.head, candidate.tail),
            arm="candidates",
        )


def _score(questions: Iterator[Question], critic: Critic | None) -> Source:
    if critic is None:
        return Source(map(Scored, questions), False)

    def score() -> Iterator[Scored]:
        while batch := list(islice(questions, TOGETHER)):
            opinions = critic.score([as_candidate(question) for question in batch])
            for question, opinion in zip(batch, opinions, strict=True):
                threshold = critic.thresholds.get(question.relation)
                yield Scored(question, opinion.probability, threshold)

    return Source(score(), True)


def as_candidate(question: Question) -> Candidate:
    """Give a question as the critic reads it, with the teacher's evidence if there is any."""
    return Candidate(question.head, question.relation, question.tail, Evidence.of(question))
