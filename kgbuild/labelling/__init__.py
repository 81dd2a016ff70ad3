"""Labelling: which triples to judge next, what people said of them, and how far they agree.

Reads: questions made of a run's triples, of a file of candidates or of judged triples, and files of
Label Studio and Argilla. Writes: `LabelledTriple` rows into a label file that is only added to, and
tasks for those tools. Refuses: a file that another session holds, answers to a question that is not
the current one, label rows and tool files that break a rule.
"""

from kgbuild.labelling.agreement import AgreementReport, compare_labellers
from kgbuild.labelling.guideline import read_guideline
from kgbuild.labelling.label_file import LabelFile
from kgbuild.labelling.ordering import Order, Scored, order_questions
from kgbuild.labelling.question import Question
from kgbuild.labelling.session import LabelSession, SessionProgress, check_labeller
from kgbuild.labelling.suspects import Suspect, find_suspects

__all__ = [
    "AgreementReport",
    "LabelFile",
    "LabelSession",
    "Order",
    "Question",
    "Scored",
    "SessionProgress",
    "Suspect",
    "check_labeller",
    "compare_labellers",
    "find_suspects",
    "order_questions",
    "read_guideline",
]
