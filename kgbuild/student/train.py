"""Training a student on a corpus."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from kgbuild.core.config import StudentConfig, plain
from kgbuild.core.errors import ConfigError, FileError
from kgbuild.core.files import write_json
from kgbuild.core.ids import content_key
from kgbuild.core.records import CorpusRow, Split
from kgbuild.core.relations import Relation
from kgbuild.decoding import identify_base, load_base, pad_token
from kgbuild.student.ask import Student, read_card
from kgbuild.student.base import save_trained, wrap_for_training
from kgbuild.student.batches import collate, order_batches
from kgbuild.student.checkpoint import Progress, load_checkpoint, save_checkpoint
from kgbuild.student.form import Example, encode_rows, relation_of
from kgbuild.student.held_out import measure_held_out
from kgbuild.student.loss import mean_loss, tail_loss
from kgbuild.student.records import StudentCard, TrainStep
from kgbuild.student.schedule import count_steps, scale_rate

_CHECKPOINT = "checkpoint.safetensors"
_HELD_OUT = (Split.DEV, Split.TEST)


def train_student(
    rows: Iterable[CorpusRow],
    relations: Iterable[Relation],
    *,
    model_path: Path,
    config: StudentConfig,
    folder: Path,
) -> Iterator[TrainStep]:
    """Train a student on the train rows and give every optimiser step as it is done.

    Every `save_steps` steps a checkpoint is written; the same call after a kill goes on from it
    and ends with the same weights. A finished student of the same rows, relations, base and
    settings gives no step and changes nothing. Held-out loss is taken before and after, and the
    figures of generated tails after.

    Args:
        rows: All splits; train rows teach, dev and test rows only measure.
        relations: At least those that the rows use.
        model_path: Folder with safetensors, or a GGUF file.
        config: The section `student`.
        folder: Where the student goes; `load_student` opens it.

    Raises:
        ConfigError: If there is no train row.
        RelationError: If a row's relation is not among `relations`.
        ModelError: If the base cannot be loaded.
    """
    by_split: dict[Split, list[CorpusRow]] = {split: [] for split in Split}
    for row in rows:
        by_split[row.split].append(row)
    known = {relation.name: relation for relation in relations}
    _check_rows(by_split, known)
    base = identify_base(model_path)
    key = _training_key(by_split, known, base.sha256, config)
    if _is_finished(folder, key):
        return
    (folder / "student.json").unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)

    model, tokenizer = load_base(model_path)
    model = wrap_for_training(model, config=config)
    pad = pad_token(tokenizer)
    encoded = {split: encode_rows(by_split[split], known, tokenizer) for split in Split}
    training = _Training(model, encoded[Split.TRAIN], pad=pad, config=config)
    progress = training.restore(folder / _CHECKPOINT, key=key)
    if progress is None:
        before = _losses(model, encoded, pad=pad, batch_size=config.batch_size)
        progress = Progress(key=key, losses_before=before)
    curve = list(progress.curve)
    for step in training.run(done=len(curve)):
        curve.append(step)
        if step.step % config.save_steps == 0 and step.step < step.total:
            training.save(folder / _CHECKPOINT, progress.model_copy(update={"curve": tuple(curve)}))
        yield step

    after = _losses(model, encoded, pad=pad, batch_size=config.batch_size)
    model.eval()
    student = Student(model=model, tokenizer=tokenizer, relations=known)
    held_out = [
        measure_held_out(
            student,
            by_split[split],
            split=split,
            before=progress.losses_before[split],
            after=after[split],
            prompts=config.held_out_prompts,
        )
        for split in _HELD_OUT
        if by_split[split]
    ]
    save_trained(model, tokenizer, base=base, folder=folder)
    card = StudentCard(
        key=key,
        method=config.method,
        base=base,
        steps=len(curve),
        train_rows=len(by_split[Split.TRAIN]),
        # All of them: one without rows can be asked too, its prompt line is text to the base.
        relations=tuple(known.values()),
        curve=tuple(curve),
        held_out=tuple(held_out),
    )
    # Written last: its presence means that the student is whole.
    write_json(folder / "student.json", card.model_dump(mode="json"))
    (folder / _CHECKPOINT).unlink(missing_ok=True)


class _Training:
    """The optimiser over one model's trainable parameters."""

    def __init__(
        self, model: Any, examples: Sequence[Example], *, pad: int, config: StudentConfig
    ) -> None:
        self._model = model
        self._examples = examples
        self._pad = pad
        self._config = config
        self._parameters = {
            name: parameter
            for name, parameter in model.named_parameters()
            if parameter.requires_grad
        }
        self._optimizer = torch.optim.AdamW(
            self._parameters.values(), lr=config.learning_rate, weight_decay=0.0
        )

    def restore(self, path: Path, *, key: str) -> Progress | None:
        return load_checkpoint(
            path, key=key, parameters=self._parameters, optimizer=self._optimizer
        )

    def save(self, path: Path, progress: Progress) -> None:
        save_checkpoint(path, progress, parameters=self._parameters, optimizer=self._optimizer)

    def run(self, *, done: int) -> Iterator[TrainStep]:
        """Give the steps after the first `done` ones."""
        config = self._config
        total = count_steps(len(self._examples), config=config)
        for number, (epoch, rows) in enumerate(islice(self._all_batches(), total)):
            if number < done:
                continue
            rate = config.learning_rate * scale_rate(number, total=total, warmup=config.warmup)
            loss, tokens = self._take_step(rows, rate=rate, number=number)
            yield TrainStep(
                step=number + 1,
                total=total,
                epoch=epoch,
                loss=loss,
                learning_rate=rate,
                tokens=tokens,
            )

    def _all_batches(self) -> Iterator[tuple[int, list[int]]]:
        lengths = [len(example.ids) for example in self._examples]
        for epoch in range(self._config.epochs):
            for rows in order_batches(
                lengths, batch_size=self._config.batch_size, seed=self._config.seed, epoch=epoch
            ):
                yield epoch, rows

    def _take_step(self, rows: list[int], *, rate: float, number: int) -> tuple[float, int]:
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._model.train()
        batch = collate([self._examples[row] for row in rows], pad=self._pad)
        # Dropout, where a model has it, is a function of seed and step, so a resume repeats it.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._config.seed * 1_000_003 + number)
            loss, tokens = tail_loss(self._model, batch)
            mean = loss / tokens
            value = float(mean.detach())
            # Before the step: weights that are not numbers must never reach a checkpoint.
            if not math.isfinite(value):
                raise ConfigError(
                    f"The student's loss became {value} at step {number + 1}; lower "
                    f"student.learning_rate, which is {self._config.learning_rate}"
                )
            mean.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._parameters.values(), 1.0)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return value, tokens


def _losses(
    model: Any, encoded: Mapping[Split, Sequence[Example]], *, pad: int, batch_size: int
) -> dict[str, float]:
    return {
        split.value: mean_loss(model, encoded[split], pad=pad, batch_size=batch_size)
        for split in _HELD_OUT
        if encoded[split]
    }


def _check_rows(
    by_split: Mapping[Split, Sequence[CorpusRow]], known: Mapping[str, Relation]
) -> None:
    if not by_split[Split.TRAIN]:
        raise ConfigError(
            "The corpus has no train row, so there is nothing to train a student on; build more "
            "edges or lower corpus.dev and corpus.test"
        )
    for name in sorted({row.relation for rows in by_split.values() for row in rows}):
        relation_of(known, name)


def _training_key(
    by_split: Mapping[Split, Sequence[CorpusRow]],
    relations: Mapping[str, Relation],
    base: str,
    config: StudentConfig,
) -> str:
    settings = {name: value for name, value in plain(config).items() if name != "save_steps"}
    texts = [
        [row.head, row.relation, row.tail, row.split] for rows in by_split.values() for row in rows
    ]
    packs = [relation.model_dump(mode="json") for relation in relations.values()]
    return content_key(json.loads(json.dumps([texts, packs, base, settings])))


def _is_finished(folder: Path, key: str) -> bool:
    try:
        return read_card(folder).key == key
    except FileError:
        return False
