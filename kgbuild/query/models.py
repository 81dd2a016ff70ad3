"""The models that a query may need, each loaded when it is first asked."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from kgbuild.core.errors import CriticError

if TYPE_CHECKING:
    from kgbuild.critic import Critic
    from kgbuild.query.phrase_index import Encoder
    from kgbuild.query.run_shards import RunShards


class QueryModels:
    """A sentence encoder and a critic: those given, or those that the run was built with.

    Args:
        run: The run, if there is one.
        encoder: Catalogue name or folder of a sentence encoder, or a loaded one.
        critic: A loaded critic.
    """

    def __init__(
        self, run: RunShards | None, *, encoder: str | Encoder | None, critic: Critic | None
    ) -> None:
        self._run = run
        self._encoder = encoder
        self._critic = critic

    @cached_property
    def encoder(self) -> Encoder:
        """The sentence encoder.

        Raises:
            ModelError: If it is not on this disk.
        """
        choice = self._encoder
        if choice is not None and not isinstance(choice, str):
            return choice
        from kgbuild.dedup.embeddings import SentenceEncoder
        from kgbuild.models import resolve_model

        name = choice or (self._run.config.dedup.encoder if self._run else "minilm")
        return SentenceEncoder(resolve_model(name).path)

    @cached_property
    def critic(self) -> Critic:
        """The critic that judged the run.

        Raises:
            CriticError: If the graph has no run.
        """
        if self._critic is not None:
            return self._critic
        if self._run is None:
            raise CriticError(
                "A graph without its run folder has no critic to ask; open the run folder, or use "
                "`kgbuild critic score FILE`"
            )
        from kgbuild.critic import load_critic
        from kgbuild.models import resolve_model

        config = self._run.config.critic
        critic: Critic = load_critic(
            self._run.manifest.stage_folder("critic"),
            base_path=resolve_model(config.backbone).path,
            encoder_path=resolve_model(config.precedents).path if config.precedents else None,
        )
        return critic

    @property
    def fixed_threshold(self) -> float | None:
        """The threshold that the run's config sets over the critic's own."""
        return self._run.config.critic.threshold if self._run else None
