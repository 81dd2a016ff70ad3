"""Labelling: which triples to judge next, what people said of them, and how far they agree.

Reads: questions made of a run's triples, of a file of candidates or of judged triples. Writes:
`LabelledTriple` rows into a label file that is only added to. Refuses: a file that another session
holds, answers to a question that is not the current one, label rows that break a rule.
"""

from kgbuild.labelling.guideline import read_guideline
from kgbuild.labelling.label_file import LabelFile
from kgbuild.labelling.ordering import Order, Scored, order_questions
from kgbuild.labelling.question import Question
from kgbuild.labelling.session import LabelSession, SessionProgress, check_labeller

__all__ = [
    "LabelFile",
    "LabelSession",
    "Order",
    "Question",
    "Scored",
    "SessionProgress",
    "check_labeller",
    "order_questions",
    "read_guideline",
]
