"""What a config names, resolved once: relations, shots, seed files, models."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kgbuild.core.config import BuildConfig
from kgbuild.core.config_file import load_config
from kgbuild.core.errors import ConfigError, FileError
from kgbuild.core.files import hash_file, user_path
from kgbuild.core.relations import Relation, RelationSet, Shot, load_relations, load_shots
from kgbuild.core.resources import resource_path
from kgbuild.models import ModelFile, resolve_model


def find_input(name: str) -> Path:
    """Find a file or folder that a config names: the user's own, else a shipped one.

    Raises:
        FileError: If there is neither.
    """
    path = user_path(name)
    if path.exists():
        return path
    if path.is_absolute():
        raise FileError(f"{name} does not exist; check the path")
    try:
        return resource_path(name)
    except FileError as error:
        raise FileError(
            f"{name} does not exist; check the path (kgbuild ships no such file either)"
        ) from error


def find_inputs(names: Iterable[str]) -> list[Path]:
    """Find several; see `find_input`."""
    return [find_input(name) for name in names]


def hash_files(paths: Iterable[Path]) -> str:
    """Give the sha256 of the contents of files and folders, in the order of their names."""
    digest = hashlib.sha256()
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and file.suffix != ".md":
                digest.update(file.name.encode())
                digest.update(bytes.fromhex(hash_file(file)))
    return digest.hexdigest()


@dataclass(frozen=True)
class Inputs:
    """The resolved inputs of one build."""

    config: BuildConfig

    @cached_property
    def seed_files(self) -> list[Path]:
        """The seed files."""
        return find_inputs(self.config.seeds.files)

    @cached_property
    def all_relations(self) -> RelationSet:
        """Every relation of the packs: what a verdict or an edge may bear."""
        return load_relations(self.config.prompts.packs)

    @cached_property
    def relations(self) -> list[Relation]:
        """The relations to ask for."""
        prompts = self.config.prompts
        for name in (*prompts.relations, *prompts.skip_relations):
            self.all_relations.get(name)
        wanted = set(prompts.relations) or {relation.name for relation in self.all_relations}
        chosen = [
            relation
            for relation in self.all_relations
            if relation.name in wanted and relation.name not in prompts.skip_relations
        ]
        if not chosen:
            raise ConfigError(
                "prompts.skip_relations leaves no relation to ask for; take one out of it"
            )
        return chosen

    @cached_property
    def shots(self) -> dict[str, list[Shot]]:
        """Few-shot triples by relation."""
        prompts = self.config.prompts
        shots: dict[str, list[Shot]] = {}
        for name in prompts.shots_files or prompts.packs:
            for relation, found in load_shots(name).items():
                held = shots.setdefault(relation, [])
                # Packs that share a relation share its shots.
                held.extend(shot for shot in found if shot not in held)
        missing = [relation.name for relation in self.relations if relation.name not in shots]
        if missing and prompts.shots:
            raise ConfigError(
                f"{missing[0]} has no few-shot triples in {', '.join(prompts.shots_files)}; add "
                "some, or set prompts.shots=0"
            )
        return shots

    @cached_property
    def teacher_file(self) -> ModelFile:
        """The teacher's weights."""
        return resolve_model(self.config.teacher.model)

    @cached_property
    def student_file(self) -> ModelFile:
        """The student's base weights."""
        return resolve_model(self.config.student.model)

    @cached_property
    def critic_file(self) -> ModelFile:
        """The critic's language model or encoder."""
        return resolve_model(self.config.critic.backbone)

    @cached_property
    def critic_encoder(self) -> ModelFile | None:
        """The encoder by which the critic finds precedents, if it shall."""
        name = self.config.critic.precedents
        return resolve_model(name) if name else None

    @cached_property
    def critic_folder(self) -> Path | None:
        """The finished critic that the config names, if it names one."""
        name = self.config.critic.folder
        return find_input(name) if name else None

    @cached_property
    def critic_start(self) -> Path | None:
        """The critic that training goes on from, if any."""
        name = self.config.critic.start
        return find_input(name) if name else None

    @cached_property
    def encoder_file(self) -> ModelFile:
        """The sentence encoder of dedup."""
        return resolve_model(self.config.dedup.encoder)


def read_build_config(
    path: Path | None, *, seeds: Path | None = None, settings: Iterable[str] = ()
) -> BuildConfig:
    """Read a build config as a command names it: a path, or a shipped config."""
    found = find_input(str(path)) if path is not None else None
    config = load_config(found, settings=settings)
    if seeds is not None:
        own = config.seeds.model_copy(update={"files": (str(seeds),)})
        config = config.model_copy(update={"seeds": own})
    if config.threads:
        # Read by torch when it is first imported.
        os.environ["OMP_NUM_THREADS"] = str(config.threads)
    return config
