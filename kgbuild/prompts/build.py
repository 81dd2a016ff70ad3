"""From heads and relations to prompts, in an order that batches well."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from kgbuild.core.config import PromptsConfig
from kgbuild.core.records import Head, HeadKind
from kgbuild.core.relations import Relation, Shot, prompt_line
from kgbuild.prompts.constraints import build_constraints
from kgbuild.prompts.prompt import Prompt, key_prompt
from kgbuild.prompts.shots import assign_rotation, choose_shots

BLANK = "___"
# What stands for the head when the model is asked what it would say about anything.
_NEUTRAL_EVENT = "PersonX does something"
_NEUTRAL_CONCEPT = "thing"


def build_prompts(
    heads: Sequence[Head],
    relations: Iterable[Relation],
    shots: Mapping[str, Sequence[Shot]],
    *,
    config: PromptsConfig,
    seed: int,
) -> Iterator[Prompt]:
    """Give one prompt for every head and every relation that can be asked of it.

    Prompts come relation by relation and, within one, rotation by rotation, so that neighbours
    share their few-shot head. Heads keep their order.

    Args:
        heads: What to ask about; a head's own `relations` narrow what is asked of it.
        relations: The relations to ask, in the order to ask them.
        shots: Few-shot triples by relation name.
        config: How many shots and rotations.
        seed: Of the shots' order and the heads' spread.
    """
    for relation in relations:
        own = shots.get(relation.name, ())
        asked = [head for head in heads if is_asked(relation, head)]
        for rotation in range(config.rotations):
            chosen = choose_shots(
                own, relation=relation.name, count=config.shots, rotation=rotation, seed=seed
            )
            prefix = "".join(_write_shot(relation, shot) for shot in chosen)
            for head in asked:
                if rotation == assign_rotation(
                    head.text, relation=relation.name, rotations=config.rotations, seed=seed
                ):
                    yield _build_prompt(relation, head, prefix, chosen, rotation=rotation)


def is_asked(relation: Relation, head: Head) -> bool:
    """Say whether a relation is asked of a head.

    A head with a blank is asked only what fills it, and nothing else is asked that.
    """
    if head.relations and relation.name not in head.relations:
        return False
    if (BLANK in head.text) != (relation.name == "isFilledBy"):
        return False
    return relation.head_kind == head.kind


def _write_shot(relation: Relation, shot: Shot) -> str:
    return f"{prompt_line(relation, shot.head)} {shot.tail}.\n"


def _build_prompt(
    relation: Relation, head: Head, prefix: str, shots: Sequence[Shot], *, rotation: int
) -> Prompt:
    tail_prefix = relation.tail_prefix or ""
    text = _ask(relation, head.text, tail_prefix)
    neutral = _NEUTRAL_EVENT if relation.head_kind is HeadKind.EVENT else _NEUTRAL_CONCEPT
    if relation.name == "isFilledBy":
        neutral = f"{_NEUTRAL_EVENT} with {BLANK}"
    banned_tails = tuple(shot.tail for shot in shots) if relation.ban_shot_tails else ()
    return Prompt(
        prompt_id=key_prompt(prefix, text),
        head=head.text,
        relation=relation.name,
        kind=head.kind,
        prefix=prefix,
        text=text,
        prior_text=_ask(relation, neutral, tail_prefix),
        tail_prefix=tail_prefix,
        rotation=rotation,
        banned_tails=banned_tails,
        constraints=build_constraints(relation, head.text, banned_tails),
    )


def _ask(relation: Relation, head: str, tail_prefix: str) -> str:
    return f"{prompt_line(relation, head)} {tail_prefix}".rstrip()
