"""From the rows of a file to labels, tombstones and triples."""

from __future__ import annotations

from collections import Counter
from typing import Any

from kgbuild.core.errors import LabelError
from kgbuild.core.ids import triple_id
from kgbuild.core.records import Label, LabelledTriple, Provenance, Rejection, Tombstone, Triple
from kgbuild.core.relations import RelationSet, verbalise
from kgbuild.core.review import ImportedTriple, PendingBatch
from kgbuild.corpus.incoming import IncomingRow
from kgbuild.runs.graph_columns import GraphColumns
from kgbuild.runs.reviewed import RunReview

_NO_EVIDENCE: dict[str, Any] = {
    "teacher": "",
    "log_probability": 0.0,
    "mean_log_probability": 0.0,
    "prior_log_probability": None,
    "tokens": 0,
}
_EVIDENCE: tuple[str, ...] = tuple(_NO_EVIDENCE)
_TEXTS = ("head", "relation", "tail")


class Decider:
    """Writes down what each row of one file decides, if it is anything new.

    Attributes:
        unchanged: Rows that said nothing new.
        still_out: Rows without an answer whose triple was taken out before.
        left_out: Rows that were not read as triples, by reason.
    """

    def __init__(
        self,
        review: RunReview,
        graph: GraphColumns,
        batch: PendingBatch,
        *,
        relations: RelationSet,
        by: str,
        at: str,
        guideline: int,
    ) -> None:
        self._graph, self._batch, self._relations = graph, batch, relations
        self._by, self._at, self._guideline = by, at, guideline
        self._tombstones = review.tombstones
        self._brought = {row.triple.triple_id for row in review.log.triples()}
        self._said = {
            row.triple_id: (row.label, row.comment)
            for row in review.log.labels()
            if row.labeller == by
        }
        self._decided: dict[str, tuple[Label | None, str]] = {}
        self._changed: dict[str, str] = {}
        self._buried: set[tuple[str, bool]] = set()
        self.unchanged = self.still_out = 0
        self.left_out: Counter[str] = Counter()

    @property
    def has_decided(self) -> bool:
        """Whether anything new was written."""
        return any(self._batch.counts[kind] for kind in ("labels", "tombstones", "triples"))

    def leave_out(self, rejection: Rejection) -> None:
        """Keep a row that is no triple for the graph, with its reason."""
        self.left_out[rejection.reason] += 1
        self._batch.add(rejection)

    def decide(self, row: IncomingRow) -> None:
        """Write down what a row decides.

        Raises:
            LabelError: If the row contradicts itself or an earlier row of the file.
        """
        before = sum(self._batch.counts.values())
        identity = triple_id(row.head, row.relation, row.tail)
        is_edited = bool(row.triple_id) and row.triple_id != identity
        is_rejected = row.accept in (Label.FARFETCHED, Label.INVALID)
        if row.comment and row.accept is None and not is_edited:
            raise LabelError(
                f"{row.where} has a comment and no answer; write yes, no or ? into accept, or take "
                "the comment out"
            )
        if is_edited and is_rejected:
            raise LabelError(
                f"{row.where} changes the triple and rejects it; put back its text to reject it, "
                "or leave accept empty to replace it"
            )
        self._check_once(identity, row)
        if is_edited:
            self._replace(row, identity)
        elif row.accept is None:
            self._take(row, identity)
        else:
            self._answer(row, identity, row.accept)
        if sum(self._batch.counts.values()) == before:
            self.unchanged += 1

    def _check_once(self, identity: str, row: IncomingRow) -> None:
        earlier, where = self._decided.setdefault(identity, (row.accept, row.where))
        if None not in (earlier, row.accept) and earlier is not row.accept:
            raise LabelError(
                f"{row.where} answers {row.accept} where {where} answers {earlier} for the same "
                "triple; keep one of the two lines"
            )
        if row.triple_id and row.triple_id != identity:
            kept = self._decided.get(row.triple_id)
            self._changed.setdefault(row.triple_id, row.where)
            changed_at, kept_at = row.where, kept[1] if kept else ""
        else:
            changed_at, kept_at = self._changed.get(identity, ""), row.where
        if changed_at and kept_at:
            raise LabelError(
                f"{changed_at} changes the triple that {kept_at} keeps; empty the triple_id of a "
                "line that is new, or take one of the two out"
            )

    def _replace(self, row: IncomingRow, identity: str) -> None:
        old = self._graph.row(row.triple_id)
        if self._tombstones.of("triple_id", row.triple_id) is None:
            why = row.comment or f"replaced by {row.head!r} {row.relation} {row.tail!r}"
            self._bury(row.triple_id, self._graph.texts(row.triple_id), reason="edited", why=why)
        if old is not None:
            was = row.model_copy(update={name: old[name] for name in _TEXTS})
            self._label(was, row.triple_id, Label.INVALID)
        # Probability and teacher that stand in the row were the old triple's.
        own = row.model_copy(update={"probability": None, "teacher": ""})
        self._answer(own, identity, row.accept or Label.LIKELY)

    def _take(self, row: IncomingRow, identity: str) -> None:
        """Take a row that nobody answered: a new triple is brought, a known one is left alone."""
        if identity in self._graph or identity in self._brought:
            return
        if row.is_reviewed and row.triple_id:
            return  # Exported, not answered.
        found = self._tombstones.find(identity, teacher=row.teacher, run="")
        if found is not None:
            self.still_out += 1
            return
        self._label(row, identity, Label.LIKELY)
        self._bring(row, identity)

    def _answer(self, row: IncomingRow, identity: str, label: Label) -> None:
        self._label(row, identity, label)
        if label is Label.UNSURE:
            return
        own = self._graph.row(identity) or {}
        teacher, run = own.get("teacher", row.teacher), own.get("run", "")
        texts = {"head": row.head, "relation": row.relation, "tail": row.tail}
        if not label.is_accepted:
            if self._tombstones.of("triple_id", identity) is None:
                self._bury(identity, texts, reason="rejected", why=row.comment)
            return
        if self._tombstones.find(identity, teacher=teacher, run=run) is not None:
            self._bury(identity, texts, reason="accepted", why=row.comment, is_lifted=True)
        if identity not in self._graph:
            self._bring(row, identity)

    def _bring(self, row: IncomingRow, identity: str) -> None:
        if identity in self._brought:
            return
        self._brought.add(identity)
        relation = self._relations.get(row.relation)
        provenance = Provenance(
            source="import",
            teacher_hash="",
            prompt_id="",
            decoding="",
            clauses=0,
            clauses_met=0,
            run=self._batch.batch,
            **{**_NO_EVIDENCE, "teacher": row.teacher},
        )
        triple = Triple.of(
            row.head, row.relation, row.tail, kind=relation.head_kind, provenance=provenance
        )
        # What a person brings without a number, a person vouches for.
        probability = 1.0 if row.probability is None else row.probability
        self._batch.add(ImportedTriple(triple=triple, probability=probability))

    def _bury(
        self,
        identity: str,
        texts: dict[str, str],
        *,
        reason: str,
        why: str,
        is_lifted: bool = False,
    ) -> None:
        if (identity, is_lifted) in self._buried:
            return
        self._buried.add((identity, is_lifted))
        self._batch.add(
            Tombstone(
                triple_id=identity,
                reason=reason,
                why=why,
                by=self._by,
                at=self._at,
                is_lifted=is_lifted,
                **texts,
            )
        )

    def _label(self, row: IncomingRow, identity: str, label: Label) -> None:
        if self._said.get(identity) == (label, row.comment):
            return
        self._said[identity] = (label, row.comment)
        relation = self._relations.get(row.relation)
        own = self._graph.row(identity)
        evidence = {name: own[name] for name in _EVIDENCE} if own else _NO_EVIDENCE
        self._batch.add(
            LabelledTriple(
                triple_id=identity,
                head=row.head,
                relation=row.relation,
                tail=row.tail,
                kind=relation.head_kind,
                sentence=verbalise(relation, row.head, row.tail),
                label=label,
                labeller=self._by,
                labelled_at=self._at,
                guideline=self._guideline,
                arm="import",
                comment=row.comment,
                **evidence,
            )
        )
