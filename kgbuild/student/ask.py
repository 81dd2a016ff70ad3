"""Asking a trained student for tails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kgbuild.core.config import DecodingConfig
from kgbuild.core.errors import FileError
from kgbuild.core.files import read_json
from kgbuild.core.ids import canonical
from kgbuild.core.relations import Relation
from kgbuild.decoding import beam_search
from kgbuild.prompts.constraints import build_constraints
from kgbuild.student.base import load_trained
from kgbuild.student.form import END, complete_tail, prompt_text, relation_of
from kgbuild.student.records import StudentCard

_BATCH_PROMPTS = 8


@dataclass(frozen=True)
class Student:
    """A trained student, ready to be asked."""

    model: Any
    tokenizer: Any
    relations: Mapping[str, Relation]

    def ask(
        self, head: str, relation: str, n: int = 5, *, settings: DecodingConfig | None = None
    ) -> list[tuple[str, float]]:
        """Give up to `n` different tails with their log-probabilities in nats, best first.

        The relation's clauses and length bounds hold, as they did for the teacher.

        Raises:
            RelationError: If the student was not trained with the relation.
        """
        return self.ask_many([(head, relation)], n=n, settings=settings)[0]

    def ask_many(
        self,
        pairs: Sequence[tuple[str, str]],
        *,
        n: int,
        settings: DecodingConfig | None = None,
    ) -> list[list[tuple[str, float]]]:
        """Ask for the tails of many heads and relations, in batches."""
        settings = settings or DecodingConfig()
        settings = settings.model_copy(
            update={"beams": max(settings.beams, n), "returned": n, "ends": (END,)}
        )
        known = [relation_of(self.relations, name) for _, name in pairs]
        heads = [canonical(head) for head, _ in pairs]
        answers: list[list[tuple[str, float]]] = []
        for start in range(0, len(pairs), _BATCH_PROMPTS):
            part = range(start, min(start + _BATCH_PROMPTS, len(pairs)))
            found = beam_search(
                self.model,
                self.tokenizer,
                [prompt_text(known[place], heads[place]) for place in part],
                [build_constraints(known[place], heads[place], []) for place in part],
                settings=settings,
            )
            for place, hypotheses in zip(part, found, strict=True):
                best: dict[str, float] = {}
                for hypothesis in hypotheses:
                    tail = canonical(complete_tail(known[place], hypothesis.text))
                    if tail and tail not in best:
                        best[tail] = hypothesis.log_probability
                answers.append(list(best.items())[:n])
        return answers


def read_card(folder: Path) -> StudentCard:
    """Read what a student folder says of itself.

    Raises:
        FileError: If no student was finished there, or by another version.
    """
    path = folder / "student.json"
    if not path.is_file():
        raise FileError(
            f"{folder} holds no finished student; train one with `kgbuild student train`, which "
            "also goes on with an interrupted training"
        )
    try:
        return StudentCard.model_validate(read_json(path))
    except ValidationError as error:
        raise FileError(
            f"{path} is not from this version of kgbuild; train the student again"
        ) from error


def check_relation(folder: Path, relation: str) -> None:
    """Refuse a relation that a student does not know, before its model is loaded.

    Raises:
        FileError: If the folder holds no finished student.
        RelationError: If the student was not trained with the relation.
    """
    relation_of({known.name: known for known in read_card(folder).relations}, relation)


def load_student(folder: Path, *, base_path: Path | None = None) -> Student:
    """Load a student that `train_student` finished.

    Args:
        folder: The student's folder.
        base_path: Where the base model is now, if it moved since.

    Raises:
        FileError: If the folder holds no finished student.
        ModelError: If the adapter's base is gone or is another model.
    """
    card = read_card(folder)
    model, tokenizer = load_trained(folder, base=card.base, base_path=base_path)
    model.eval()
    return Student(
        model=model,
        tokenizer=tokenizer,
        relations={relation.name: relation for relation in card.relations},
    )
