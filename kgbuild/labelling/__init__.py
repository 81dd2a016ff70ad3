"""Labelling: which triples to judge next, what people said of them, and how far they agree."""
