"""A teacher that says what it was told to: for tests, and for trying a flow without a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kgbuild.core.config import DecodingConfig
from kgbuild.core.ids import content_key
from kgbuild.decoding import ConstraintSet, Hypothesis

Answers = Sequence[str | Hypothesis]


class ScriptedTeacher:
    """Gives fixed completions, best first, by question line.

    A plain string becomes an ended hypothesis that loses a nat a token and a place in the list.

    Args:
        script: Completions by question line.
        default: Completions of every other line.
        priors: Log-probability sum of a completion behind any text; the default is a nat a word.
        judgements: Odds of yes behind sentences that hold these words; of any other, one half.

    Attributes:
        asked: Every question line, in the order it was asked.
        judged: Every sentence that was to be judged, in the same way.
    """

    def __init__(
        self,
        script: Mapping[str, Answers] | None = None,
        *,
        default: Answers = (),
        priors: Mapping[str, float] | None = None,
        judgements: Mapping[str, float] | None = None,
        name: str = "scripted",
    ) -> None:
        self._script, self._default = dict(script or {}), tuple(default)
        self._priors = dict(priors or {})
        self._judgements = dict(judgements or {})
        self._name = name
        self.asked: list[str] = []
        self.judged: list[str] = []

    @property
    def name(self) -> str:
        """Name that provenance records."""
        return self._name

    @property
    def weights_hash(self) -> str:
        """A key of the script, in place of weights."""
        script = {line: [str(one) for one in answers] for line, answers in self._script.items()}
        return content_key([script, [str(one) for one in self._default], self._priors])

    def complete(
        self,
        texts: Sequence[str],
        constraints: Sequence[ConstraintSet],
        *,
        prefixes: Sequence[str],
        settings: DecodingConfig,
        seed: int,
        at_once: int,
    ) -> list[list[Hypothesis]]:
        """Give the scripted completions of every text."""
        self.asked += texts
        return [
            [_as_hypothesis(answer, place) for place, answer in enumerate(self._answers(text))]
            for text in texts
        ]

    def _answers(self, text: str) -> Answers:
        return self._script.get(text, self._default)

    def score(
        self, texts: Sequence[str], completions: Sequence[str], *, prefix: str, batch_size: int
    ) -> list[tuple[float, int]]:
        """Give the scripted prior of each completion."""
        return [
            (self._priors.get(completion.strip(" ."), -float(words)), words)
            for completion in completions
            for words in [len(completion.split())]
        ]

    def judge(self, sentences: Sequence[str], *, prompt: str) -> list[float]:
        """Give the scripted odds of each sentence."""
        self.judged += sentences
        found = (
            next((odds for words, odds in self._judgements.items() if words in sentence), 0.5)
            for sentence in sentences
        )
        return list(found)


def _as_hypothesis(answer: str | Hypothesis, place: int) -> Hypothesis:
    if isinstance(answer, Hypothesis):
        return answer
    tokens = len(answer.split()) + 1
    total = -float(tokens + place)
    return Hypothesis(
        text=answer,
        token_ids=tuple(range(tokens)),
        log_probability=total,
        mean_log_probability=total / tokens,
        met=(),
        unmet=(),
        is_ended=True,
    )
