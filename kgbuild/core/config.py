"""All knobs, in one section a room, each with a description and a default.

A function receives its own section. `core.config_file` reads them from YAML.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from kgbuild.core.critic_config import CriticConfig
from kgbuild.core.section import Section, plain

__all__ = [
    "BuildConfig",
    "CandidatesConfig",
    "CorpusConfig",
    "CriticConfig",
    "DecodingConfig",
    "DedupConfig",
    "PromptsConfig",
    "ReportConfig",
    "Section",
    "SeedsConfig",
    "StoreConfig",
    "StudentConfig",
    "TeacherConfig",
    "plain",
]


class SeedsConfig(Section):
    """Which heads a run asks about."""

    files: tuple[str, ...] = Field(
        default=("data/seeds/demo.en.tsv",), description="Seed files: TSV, CSV, JSON Lines or text"
    )
    max_head_characters: int = Field(default=200, ge=1, description="A longer head is refused")
    limit: int = Field(default=0, ge=0, description="Use only the first heads; 0 is all")


class CandidatesConfig(Section):
    """Triples from elsewhere, which a run judges and files instead of asking a teacher."""

    files: tuple[str, ...] = Field(
        default=(), description="Files of triples, plain or gzip; empty asks the teacher"
    )
    format: Literal["tsv", "jsonl", "conceptnet", "cn100k", "csv"] | None = Field(
        default=None, description="Format of the files; empty lets their first lines tell"
    )
    skip_unknown: bool = Field(default=False, description="Leave out rows of unknown relations")
    skip_broken: bool = Field(default=False, description="Leave out rows that are no triple")
    min_weight: float | None = Field(
        default=None, description="Leave out rows whose weight is less; empty takes all"
    )
    shard_rows: int = Field(default=2048, ge=1, description="Rows a shard; the unit of resume")


class PromptsConfig(Section):
    """How a head and a relation become a prompt."""

    packs: tuple[str, ...] = Field(
        default=("atomic2020.en", "generics.en"), description="Relation packs, by name or path"
    )
    relations: tuple[str, ...] = Field(
        default=(), description="Relations to ask for; empty is all of the packs"
    )
    skip_relations: tuple[str, ...] = Field(default=(), description="Relations to leave out")
    shots: int = Field(default=6, ge=0, description="Few-shot triples above each question")
    shots_files: tuple[str, ...] = Field(
        default=(), description="Your own shot files; empty is the packs' own"
    )
    rotations: int = Field(
        default=2, ge=1, description="Different shot choices a relation; heads are spread over them"
    )


class DecodingConfig(Section):
    """NeuroLogic beam search and nucleus sampling (Lu et al. 2021)."""

    method: Literal["beam", "sample"] = Field(default="beam", description="Search or sampling")
    beams: int = Field(default=8, ge=1, le=256, description="K, hypotheses kept a step")
    max_new_tokens: int = Field(default=16, ge=1, description="Longest completion, in tokens")
    min_new_tokens: int = Field(default=1, ge=0, description="Shortest completion, in tokens")
    prune_to: int = Field(default=0, ge=0, description="alpha in NeuroLogic decoding; 0 is off")
    clause_tolerance: int = Field(
        default=2, ge=0, description="beta: keep hypotheses this many met clauses below the best"
    )
    progress_reward: float = Field(
        default=0.25, ge=0, description="lambda1: reward of a phrase in progress, in nats"
    )
    length_penalty: float = Field(default=0.6, description="Exponent of the length normalisation")
    no_repeat_ngram: int = Field(default=3, ge=0, description="No n-gram twice; 0 is off")
    returned: int = Field(default=4, ge=1, description="Completions returned a prompt")
    mode: Literal["hard", "soft"] = Field(
        default="hard", description="hard: no end of text while a clause is unmet"
    )
    is_diverse: bool = Field(
        default=True, description="Prefer completions that begin with different words"
    )
    diversity_penalty: float = Field(
        default=0.0, ge=0, description="Nats taken from completions that share a beginning"
    )
    group_temperature: float = Field(
        default=0.0, ge=0, description="Draw within groups of met clauses; 0 takes their best"
    )
    lookahead: int = Field(default=0, ge=0, description="l of A*esque, tokens rolled out; 0 is off")
    lookahead_weight: float = Field(
        default=0.25, ge=0, description="lambda2: weight of the look-ahead, in nats a nat"
    )
    lookahead_by: Literal["greedy", "sample", "beam", "draft"] = Field(
        default="draft", description="How tokens are rolled out; draft takes one forward pass"
    )
    lookahead_beams: int = Field(
        default=4, ge=1, le=64, description="Paths ahead of a hypothesis, with lookahead_by beam"
    )
    end_floor: float = Field(
        default=-4.0,
        le=0,
        description="An end less likely than this, in nats, is none: the text was cut off",
    )
    top_p: float = Field(default=0.9, gt=0, le=1, description="Nucleus mass when sampling")
    temperature: float = Field(default=0.8, gt=0, description="Temperature when sampling")
    ends: tuple[str, ...] = Field(
        default=(".", "\n"), description="A token that begins with one of these ends the text"
    )


# A processor, or a graphics card by its number.
DEVICE = r"^(cpu|cuda(:\d+)?)$"


class TeacherConfig(Section):
    """The language model that is asked for tails."""

    model: str = Field(
        default="smollm2", description="Catalogue name, Hugging Face folder or GGUF file"
    )
    dtype: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto",
        description="Weights' type; auto is bfloat16 on processors that multiply it in hardware",
    )
    device: str = Field(default="cpu", pattern=DEVICE, description="cpu, cuda, or cuda:1")
    batch_prompts: int = Field(default=8, ge=1, description="Prompts decoded together")
    shard_prompts: int = Field(default=64, ge=1, description="Prompts a shard; the unit of resume")
    kept: int = Field(default=3, ge=1, description="Best completions kept a prompt")
    prior_weight: float = Field(
        default=0.25,
        ge=0,
        description="How much of the head-free log-probability is taken off before ranking",
    )
    self_check: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="Odds of yes, asked the positive question, that reject a negative; empty: off",
    )


class DedupConfig(Section):
    """When two tails of one head and relation say the same."""

    encoder: str = Field(default="minilm", description="Catalogue name or sentence encoder folder")
    similarity: float = Field(
        default=0.84, gt=0, le=1, description="Cosine from which two tails are one"
    )
    word_similarity: float = Field(
        default=0.6,
        gt=0,
        le=1,
        description="Cosine that exchanged words need, such as store and shop, on top of that",
    )
    batch_size: int = Field(default=256, ge=1, description="Texts encoded together")
    against: tuple[str, ...] = Field(
        default=(), description="Run folders or graph files whose triples are not stored again"
    )


class StoreConfig(Section):
    """Where accepted edges live."""

    kind: Literal["ladybug", "memory"] = Field(default="ladybug", description="Graph store")
    batch_edges: int = Field(
        default=100_000, ge=1, description="Edges loaded together, whole or not at all"
    )
    tombstones: tuple[str, ...] = Field(
        default=(), description="Runs or tombstone files whose triples this run leaves out too"
    )


class CorpusConfig(Section):
    """How the graph becomes a training corpus."""

    dev: float = Field(default=0.1, ge=0, lt=1, description="Share of heads in the dev split")
    test: float = Field(default=0.1, ge=0, lt=1, description="Share of heads in the test split")
    formats: tuple[Literal["tsv", "jsonl", "parquet", "hf"], ...] = Field(
        default=("tsv", "jsonl"), description="Formats that a run writes by itself"
    )


class StudentConfig(Section):
    """The COMET-style model trained on the corpus."""

    is_enabled: bool = Field(default=True, description="Train a student at the end of a run")
    model: str = Field(default="smollm2", description="Catalogue name or Hugging Face folder")
    method: Literal["lora", "full"] = Field(default="lora", description="What is trained")
    lora_rank: int = Field(default=16, ge=1, description="Rank of the LoRA matrices")
    lora_alpha: int = Field(default=32, ge=1, description="Scale of the LoRA matrices")
    epochs: int = Field(default=2, ge=1, description="Passes over the train split")
    max_steps: int = Field(default=0, ge=0, description="Stop after this many steps; 0 is no limit")
    batch_size: int = Field(default=16, ge=1, description="Rows a step")
    learning_rate: float = Field(default=3e-4, gt=0, description="Peak learning rate")
    warmup: float = Field(default=0.1, ge=0, lt=1, description="Share of steps that warm up")
    save_steps: int = Field(default=50, ge=1, description="Steps between checkpoints")
    held_out_prompts: int = Field(
        default=48, ge=0, description="Held-out heads and relations that tails are generated for"
    )
    seed: int = Field(default=17, description="Seed of adapters and order")


class ReportConfig(Section):
    """What the report compares and what counts as too little."""

    reference: str | None = Field(
        default=None, description="TSV of head, relation, tail that novelty is measured against"
    )
    samples: int = Field(default=15, ge=0, description="Accepted and rejected samples shown")
    min_edges: int = Field(default=0, ge=0, description="Floor: fewer stored edges end with code 1")
    min_acceptance: float = Field(
        default=0.0, ge=0, le=1, description="Floor of the accepted share; below ends with code 1"
    )


class BuildConfig(Section):
    """A whole build: one section a room."""

    name: str = Field(
        default="demo",
        pattern=r"^[\w-][\w.-]*$",
        description="Names the run folder below data/runs",
    )
    seed: int = Field(default=7, description="Seed of shot rotation and sampling")
    threads: int = Field(default=0, ge=0, description="CPU threads; 0 is as many as there are")
    seeds: SeedsConfig = SeedsConfig()
    candidates: CandidatesConfig = CandidatesConfig()
    prompts: PromptsConfig = PromptsConfig()
    decoding: DecodingConfig = DecodingConfig()
    teacher: TeacherConfig = TeacherConfig()
    critic: CriticConfig = CriticConfig()
    dedup: DedupConfig = DedupConfig()
    store: StoreConfig = StoreConfig()
    corpus: CorpusConfig = CorpusConfig()
    student: StudentConfig = StudentConfig()
    report: ReportConfig = ReportConfig()

    @field_validator("store")
    @classmethod
    def _check_store(cls, store: StoreConfig) -> StoreConfig:
        if store.kind == "memory":
            raise ValueError(
                "a memory store is gone when the build ends; set kind to ladybug, and open "
                "the graph with to_networkx() where you want it in memory"
            )
        return store
