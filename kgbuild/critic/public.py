"""Public benchmarks of plausibility, as data: where their columns are and what to beware of.

Their files are read where the user keeps them and are nowhere copied to. A new benchmark is a
new entry of `BENCHMARKS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from pydantic import Field

from kgbuild.core.errors import LabelError, did_you_mean
from kgbuild.core.records import Record

_ENDS = (".tsv.gz", ".tsv")


class Shape(StrEnum):
    """What a row of a benchmark judges."""

    TRIPLE = "triple"
    SENTENCE = "sentence"
    PAIR = "pair"


class Headline(StrEnum):
    """The figure that a benchmark is about."""

    AUC = "AUC"
    MEAN_RELATION_AUC = "mean AUC of relations"
    PAIR_ACCURACY = "accuracy in pairs"


class Benchmark(Record):
    """One public set of judged triples, sentences or pairs of sentences."""

    name: str
    title: str
    source: str
    licence: str
    folder: str = Field(description="Name of its folder, where several stand side by side")
    shape: Shape
    headline: Headline
    part: str = Field(description="The part that is measured unless another is asked for")
    fitting: tuple[str, ...] = Field(
        description="Parts that may fit baselines and cuts, best first; none of them, or the part "
        "itself: folds over its units"
    )
    files: Mapping[str, str] = Field(
        default={}, description="File name of a part, without its end, where it is another"
    )
    texts: tuple[str, ...] = Field(description="Columns of the texts that are judged")
    unit: str = Field(
        default="", description="Column whose rows stand and fall together; empty: the row alone"
    )
    label: str
    truths: Mapping[str, bool] = Field(description="What a label says of the first text")
    group: str = Field(default="", description="Column of the class that gets figures of its own")
    references: Mapping[str, str] = Field(
        default={}, description="Others' scores of the same rows: their name and their column"
    )
    subjects: Mapping[str, str] = Field(
        default={}, description="Words that it sets before a relation's tails, as a regex"
    )
    frames: Mapping[str, str] = Field(
        default={}, description="How a relation that no pack has is said, {head} and {tail} in it"
    )
    caution: str = ""

    def find_folder(self, place: Path) -> Path:
        """Find the folder of the files: the place itself, or the one of this name in it.

        Raises:
            LabelError: If the place is no folder.
        """
        if not place.is_dir():
            raise LabelError(f"{place} is no folder; --data names the folder of {self.title}")
        inside = place / self.folder
        return inside if inside.is_dir() else place

    def find_file(self, folder: Path, part: str) -> Path | None:
        """Find the file of a part, gzip or plain."""
        stem = self.files.get(part, part)
        # A part's name is a file's name and never a path out of the folder.
        if Path(stem).name != stem:
            return None
        files = [folder / f"{stem}{end}" for end in _ENDS]
        return next((file for file in files if file.is_file()), None)

    def need_file(self, folder: Path, part: str) -> Path:
        """Find the file of a part.

        Raises:
            LabelError: If the folder has none; the message lists the parts that it has.
        """
        found = self.find_file(folder, part)
        if found is not None:
            return found
        names = {stem: name for name, stem in self.files.items()}
        stems = sorted(
            {file.name.removesuffix(end) for end in _ENDS for file in folder.glob(f"*{end}")}
        )
        there = [names.get(stem, stem) for stem in stems]
        raise LabelError(
            f"{folder} has no part {part!r} of {self.title}{did_you_mean(part, there)}; it is the "
            f"file {self.files.get(part, part)}.tsv or .tsv.gz, and there are "
            f"{', '.join(there[:10]) or 'none'}"
        )

    def find_fitting(self, folder: Path, part: str) -> str | None:
        """Give the part that baselines and cuts are fitted on, if there is one beside `part`."""
        there = (name for name in self.fitting if name != part and self.find_file(folder, name))
        return next(there, None)


_OTHER = "(?:PersonY|PersonZ|PeopleX|PeopleY)"
_CKBP = Benchmark(
    name="ckbp-v2",
    title="CKBP v2, expert labels",
    source="Fang et al. 2023, arXiv 2304.10392",
    licence="MIT",
    folder="ckbp_v2",
    shape=Shape.TRIPLE,
    headline=Headline.AUC,
    part="test_open",
    fitting=("dev",),
    files={"test_open": "tst_open"},
    texts=("head", "relation", "tail"),
    unit="head",
    label="label",
    truths={"1": True, "0": False},
    group="class",
    references={
        "annotator 1": "annotator1",
        "annotator 2": "annotator2",
        "PseudoReasoner, seed 100": "pseudoreasoner100",
        "PseudoReasoner, seed 101": "pseudoreasoner101",
        "PseudoReasoner, seed 102": "pseudoreasoner102",
    },
    # Its tails are clauses ("PersonX be tired"); those of ATOMIC begin after the subject.
    subjects={
        "xIntent": "PersonX (?:want to |want )?",
        "xNeed": "PersonX (?:need to |need )?",
        "xWant": "PersonX (?:want to |want )?",
        "xAttr": "PersonX (?:be|feel) ",
        "xReact": "PersonX (?:be|feel) ",
        "xEffect": "PersonX ",
        "oReact": f"{_OTHER} (?:be|feel) ",
        "oWant": f"{_OTHER} (?:want to |want )?",
        "oEffect": f"{_OTHER} ",
    },
    caution="texts are lemmatised (PersonX be act weird)",
)

BENCHMARKS: Mapping[str, Benchmark] = {
    one.name: one
    for one in (
        _CKBP,
        _CKBP.model_copy(
            update={
                "name": "ckbp-v1",
                "title": "CKBP v1, crowd labels",
                "source": "Fang et al., EMNLP 2021",
                "folder": "ckbp_v1",
                "headline": Headline.MEAN_RELATION_AUC,
                "references": {},
                "frames": {
                    "general Effect": "{head}. As a result, {tail}.",
                    "general React": "{head}. As a result, {tail}.",
                    "general Want": "{head}. Afterwards, {tail}.",
                },
                "caution": (
                    "the relation alone has an AUC of 82.5 on the whole test part (HinderedBy is "
                    "9 % right, xReact 96 %), so the mean over relations counts; texts are "
                    "lemmatised, and experts agree with 62 % of the labels"
                ),
            }
        ),
        Benchmark(
            name="comve",
            title="ComVE, SemEval-2020 task 4 A",
            source="Wang et al. 2020",
            licence="CC BY-SA 4.0",
            folder="comve",
            shape=Shape.PAIR,
            headline=Headline.PAIR_ACCURACY,
            part="test_open",
            fitting=("dev", "train"),
            texts=("sent0", "sent1"),
            label="nonsense",
            truths={"0": False, "1": True},
        ),
        Benchmark(
            name="creak",
            title="CREAK, claims about entities",
            source="Onoe et al., NeurIPS 2021 Datasets",
            licence="MIT",
            folder="creak",
            shape=Shape.SENTENCE,
            headline=Headline.AUC,
            part="dev",
            fitting=("train",),
            texts=("sentence",),
            unit="entity",
            label="label",
            truths={"1": True, "0": False},
            caution="some claims need knowledge of the world rather than common sense",
        ),
        Benchmark(
            name="csqa2",
            title="CommonsenseQA 2.0, yes or no",
            source="Talmor et al., NeurIPS 2021 Datasets",
            licence="CC BY 4.0",
            folder="csqa2",
            shape=Shape.SENTENCE,
            headline=Headline.AUC,
            part="dev",
            fitting=("train",),
            texts=("question",),
            unit="topic_prompt",
            label="answer",
            truths={"yes": True, "no": False},
            caution="made to fool a large model, so small ones are near chance",
        ),
    )
}


def find_benchmark(name: str) -> Benchmark:
    """Give a benchmark by its name.

    Raises:
        LabelError: If it is not known; the message lists those that are.
    """
    if name not in BENCHMARKS:
        raise LabelError(
            f"{name[:80]!r} is no benchmark that kgbuild reads{did_you_mean(name, BENCHMARKS)}; "
            f"known are {', '.join(BENCHMARKS)}"
        )
    return BENCHMARKS[name]
