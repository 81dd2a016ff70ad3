"""Asks a language model for tails: Prompt -> Triple or Rejection.

Reads Prompts and a model folder or GGUF file; gives, in prompt order, the best distinct tails of
every prompt as Triples with their provenance, and a Rejection with a reason for every completion
that is none. Refuses pickle weights and remote code.

The modules are imported by name, because the one that loads models brings in torch.
"""
