"""Clauses -> beam search and sampling under them.

Reads a language model of transformers, its tokenizer, prompts and a constraint set for each
prompt; gives the n best completions with their log-probabilities and the clauses they meet. A
banned phrase is never written. Contradictory clauses and models whose cache cannot be moved are
refused. `generate` is the door for people who build no graph; the rest of kgbuild uses
`beam_search`, `sample` and `score_completions`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kgbuild.decoding.adapting import find_base, identify_base, load_base, pad_token, quiet_peft
    from kgbuild.decoding.beam import beam_search
    from kgbuild.decoding.clauses import (
        AnyClause,
        AnyOf,
        Clause,
        ConstraintSet,
        Count,
        EndsWith,
        Not,
        StartsWith,
    )
    from kgbuild.decoding.compiling import compile_clauses
    from kgbuild.decoding.generation import generate
    from kgbuild.decoding.hypotheses import Hypothesis
    from kgbuild.decoding.loading import load_language_model, quiet_loading
    from kgbuild.decoding.precision import choose_dtype
    from kgbuild.decoding.questions import AS_TEXT, PLACE, Question
    from kgbuild.decoding.sampling import sample
    from kgbuild.decoding.scoring import score_completions
    from kgbuild.decoding.state import CompiledConstraints
    from kgbuild.decoding.vocabulary import Vocabulary

# Where each name is. Clauses are plain data; whoever only writes prompts does not load torch.
_HOMES = {
    "find_base": "adapting",
    "identify_base": "adapting",
    "load_base": "adapting",
    "pad_token": "adapting",
    "quiet_peft": "adapting",
    "beam_search": "beam",
    "AnyClause": "clauses",
    "AnyOf": "clauses",
    "Clause": "clauses",
    "ConstraintSet": "clauses",
    "Count": "clauses",
    "EndsWith": "clauses",
    "Not": "clauses",
    "StartsWith": "clauses",
    "compile_clauses": "compiling",
    "generate": "generation",
    "Hypothesis": "hypotheses",
    "load_language_model": "loading",
    "quiet_loading": "loading",
    "choose_dtype": "precision",
    "AS_TEXT": "questions",
    "PLACE": "questions",
    "Question": "questions",
    "sample": "sampling",
    "score_completions": "scoring",
    "CompiledConstraints": "state",
    "Vocabulary": "vocabulary",
}

__all__ = [
    "AS_TEXT",
    "AnyClause",
    "AnyOf",
    "Clause",
    "CompiledConstraints",
    "ConstraintSet",
    "Count",
    "EndsWith",
    "Hypothesis",
    "Not",
    "PLACE",
    "Question",
    "StartsWith",
    "Vocabulary",
    "beam_search",
    "choose_dtype",
    "compile_clauses",
    "find_base",
    "generate",
    "identify_base",
    "load_base",
    "load_language_model",
    "pad_token",
    "quiet_loading",
    "quiet_peft",
    "sample",
    "score_completions",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"kgbuild.decoding has no {name}")
    return getattr(import_module(f"kgbuild.decoding.{_HOMES[name]}"), name)
