"""Turns heads and relations into few-shot prompts with their constraints.

Reads Heads, Relations and few-shot triples; gives Prompts, in an order whose neighbours share
their few-shot head. Refuses nothing: a pair that makes no sense (a concept under an event
relation) is simply not asked.
"""

from kgbuild.prompts.build import build_prompts, is_asked
from kgbuild.prompts.prompt import Prompt, PromptRow, key_prompt

__all__ = ["Prompt", "PromptRow", "build_prompts", "is_asked", "key_prompt"]
