"""The constraint set of one prompt: what its relation, its shots and its head rule out."""

from __future__ import annotations

from collections.abc import Sequence

from kgbuild.core.relations import ClauseSpec, Relation
from kgbuild.decoding.clauses import AnyClause, AnyOf, ConstraintSet, Count, Not
from kgbuild.prompts.head_words import list_content_words, list_inflections, list_restatements


def build_constraints(relation: Relation, head: str, banned_tails: Sequence[str]) -> ConstraintSet:
    """Give the clauses that a completion for this head is held to.

    The completion begins behind the tail prefix, so the prefix is taken off the shots' tails and
    off the length.

    Args:
        relation: Its clauses, bans and length.
        head: Its words may be banned.
        banned_tails: Tails that the prompt shows and that are no answer.
    """
    prefix = relation.tail_prefix or ""
    clauses: list[AnyClause] = []
    for spec in relation.clauses:
        clauses.extend(_read_clause(spec))
    banned = [tail.removeprefix(prefix).strip() for tail in banned_tails]
    if relation.ban_head_words:
        for word in list_content_words(head):
            banned += list_inflections(word)
    if relation.ban_head_verb:
        banned += list_restatements(head)
    wanted = {phrase.casefold() for spec in relation.clauses for phrase in spec.any}
    known = {clause.phrase.casefold() for clause in clauses if isinstance(clause, Not)}
    for phrase in banned:
        folded = phrase.casefold()
        if folded and folded not in known and folded not in wanted:
            known.add(folded)
            clauses.append(Not(phrase))
    taken = len(prefix.split())
    return ConstraintSet(
        tuple(clauses),
        min_words=max(relation.length.min_words - taken, 1),
        max_words=max(relation.length.max_words - taken, 1),
    )


def _read_clause(spec: ClauseSpec) -> list[AnyClause]:
    if spec.any:
        return [AnyOf(spec.any)]
    if spec.counted:
        return [Count(spec.counted, min=spec.min, max=spec.max)]
    return [Not(phrase) for phrase in spec.banned]
