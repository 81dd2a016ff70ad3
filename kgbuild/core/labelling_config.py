"""The knobs of a labelling session.

No section of a build, since people judge triples when a run has made them already.
"""

from __future__ import annotations

from pydantic import Field

from kgbuild.core.section import Section


class LabellingConfig(Section):
    """Which triples are asked, and in which order."""

    random_share: float = Field(
        default=0.3,
        ge=0,
        le=1,
        description="Share of the questions drawn at random, whatever the critic says; rates and "
        "guarantees are estimated from these alone",
    )
    again_share: float = Field(
        default=0.1,
        ge=0,
        le=0.5,
        description="Share of the answers that are second readings of one's own; 0 is none",
    )
    shortlist: int = Field(
        default=1_000,
        ge=1,
        description="So many of the uncertain triples drawn first are compared by meaning, for "
        "questions that differ",
    )
    capacity: int = Field(
        default=20_000, ge=1, description="Most random and most chosen questions of one session"
    )
    encoder: str | None = Field(
        default="minilm",
        description="Sentence encoder that tells how far sentences differ; empty does without",
    )
    guideline: int = Field(default=1, ge=1, description="Version of the labelling guideline")
    seed: int = Field(default=0, description="Seed of the random questions and second readings")
