"""The models of a run, each loaded when a stage first needs it, or handed in as a double."""

from __future__ import annotations

import gc
from pathlib import Path

from kgbuild.critic import Critic, Guarantee, Profile, TableScorer, Thresholds
from kgbuild.decoding.precision import choose_dtype
from kgbuild.dedup import Encoder
from kgbuild.runs.inputs import Inputs
from kgbuild.teacher.protocol import Teacher


class Workers:
    """Teacher, critic and sentence encoder.

    Args:
        inputs: Names the models.
        teacher: A loaded teacher, such as a scripted one, instead of the config's.
        critic: A loaded critic, such as a table of scores, instead of the trained one.
        encoder: A loaded sentence encoder instead of the config's.
    """

    def __init__(
        self,
        inputs: Inputs,
        *,
        teacher: Teacher | None = None,
        critic: Critic | None = None,
        encoder: Encoder | None = None,
    ) -> None:
        self._inputs = inputs
        self._given_teacher = teacher
        self._teacher = teacher
        self.given_critic = critic
        self._critic = critic
        self._encoder = encoder
        self._given_key = encoder.key if encoder is not None else None

    @property
    def teacher_hash(self) -> str:
        """The sha256 of the teacher's weights, known before they are loaded."""
        if self._teacher is not None:
            return self._teacher.weights_hash
        return self._inputs.teacher_file.sha256

    def teacher(self) -> Teacher:
        """Give the teacher."""
        if self._teacher is None:
            from kgbuild.teacher.transformers_teacher import TransformersTeacher

            file, config = self._inputs.teacher_file, self._inputs.config.teacher
            self._teacher = TransformersTeacher.load(
                file.path,
                dtype=choose_dtype(config.dtype, device=config.device),
                device=config.device,
                name=file.name,
                sha256=file.sha256,
            )
        return self._teacher

    def critic(self, folder: Path) -> Critic:
        """Give the critic of a folder."""
        if self._critic is None:
            from kgbuild.critic import load_critic

            if self._inputs.critic_folder is not None:
                # A finished critic knows its models itself.
                self._critic = load_critic(folder)
                return self._critic
            encoder = self._inputs.critic_encoder
            self._critic = load_critic(
                folder,
                base_path=self._inputs.critic_file.path,
                encoder_path=encoder.path if encoder else None,
            )
        return self._critic

    def dismiss_language_models(self) -> None:
        """Let go of the teacher and the critic that were loaded here; half a gigabyte each."""
        if self._teacher is self._given_teacher and self._critic is self.given_critic:
            return
        self._teacher = self._given_teacher
        self._critic = self.given_critic
        # Models of transformers hold themselves in circles.
        gc.collect()

    def thresholds(self, folder: Path) -> Thresholds:
        """Give the critic's thresholds, without loading its weights."""
        if self.given_critic is not None:
            return self.given_critic.thresholds
        from kgbuild.critic import read_thresholds

        return read_thresholds(folder)

    def guarantee(self, folder: Path) -> tuple[Guarantee, Profile] | None:
        """Give what the critic's thresholds promise, and what it was promised on."""
        if self.given_critic is not None:
            return (
                self.given_critic.guarantee if isinstance(self.given_critic, TableScorer) else None
            )
        from kgbuild.critic import read_guarantee

        return read_guarantee(folder)

    @property
    def encoder_key(self) -> str:
        """The key of the sentence encoder, known before it is loaded."""
        return self._given_key or self._inputs.encoder_file.sha256

    def encoder(self) -> Encoder:
        """Give the sentence encoder."""
        if self._encoder is None:
            from kgbuild.dedup import SentenceEncoder

            self._encoder = SentenceEncoder(
                self._inputs.encoder_file.path, batch_size=self._inputs.config.dedup.batch_size
            )
        return self._encoder
