"""Joins the rooms: the order of the stages, the run folder, resume.

Reads a `BuildConfig` and what it names; writes one run folder, in which every stage's output is
keyed by content and config. Refuses a folder of another version and a run that another process
is building. `run_flow` is the door; it asks and computes only what no earlier run has left.
"""

from kgbuild.runs.flow import RunSummary, run_flow

__all__ = ["RunSummary", "run_flow"]
