"""Pages that kgbuild serves itself: labelling in a browser.

Reads a `LabelSession` and shows its current question, one sentence at a time, never a relation's
name or a score. Writes nothing itself: an answer goes through the session to its label file, and
the next sentence is shown when it is on disk. Refuses who does not bear the address's token,
pages of other sites, and answers to a question that is not the current one.
"""

from kgbuild.web.serving import LabelServer, open_server

__all__ = ["LabelServer", "open_server"]
