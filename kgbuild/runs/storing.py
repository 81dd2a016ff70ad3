"""The last stages: edges, the graph, the corpus, the student."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from kgbuild.core.config import plain
from kgbuild.core.errors import ModelError
from kgbuild.core.ids import phrase_id
from kgbuild.core.progress import Progress
from kgbuild.core.records import CorpusRow, Edge, Merge, Rejection, Triple, Verdict
from kgbuild.core.relations import RelationSet, verbalise
from kgbuild.core.shards import read_shards, write_shard
from kgbuild.corpus import CardFacts, TeacherTerms, export_rows, write_corpus
from kgbuild.models import load_catalogue
from kgbuild.runs.folder import Counts, RunFolder
from kgbuild.runs.inputs import Inputs
from kgbuild.runs.judging import read_accepted
from kgbuild.runs.reviewed import RunReview
from kgbuild.store import load_edges, open_store

GRAPH = "graph.lbdb"
_SUFFIX = {"tsv": "corpus.tsv", "jsonl": "corpus.jsonl", "parquet": "corpus.parquet", "hf": "hf"}


def make_edge(triple: Triple, verdict: Verdict, *, size: int, relations: RelationSet) -> Edge:
    """Join what the stages know of one representative triple into a row of the graph."""
    relation = relations.get(triple.relation)
    provenance = triple.provenance.model_dump()
    return Edge(
        triple_id=triple.triple_id,
        head_id=phrase_id(triple.head),
        tail_id=phrase_id(triple.tail),
        head=triple.head,
        relation=triple.relation,
        tail=triple.tail,
        kind=triple.kind,
        polarity=str(relation.polarity),
        sentence=verbalise(relation, triple.head, triple.tail),
        probability=verdict.probability,
        threshold=verdict.threshold,
        cluster_size=size,
        critic=verdict.critic,
        promise=verdict.promise,
        **provenance,
    )


def join_edges(run: RunFolder, inputs: Inputs, triples: Path, verdicts: Path, merges: Path) -> Path:
    """Write one edge for each cluster and imported triple that nobody took out, in graph order.

    A cluster says one thing: who takes out its representative takes out what it stands for.
    """
    review = RunReview(run.path, inputs)

    def make(folder: Path) -> Counts:
        rows = list(read_shards(merges, Merge))
        # One merge a row, not an id: a triple that came twice counts twice.
        sizes = Counter(entry.cluster_id for entry in rows)
        stored = {entry.triple_id for entry in rows if entry.reason == "representative"}
        edges: dict[str, Edge] = {}
        dropped: dict[str, Rejection] = {}

        def keep(triple: Triple, verdict: Verdict, size: int) -> None:
            rejection = review.reject(triple)
            if rejection is not None:
                dropped.setdefault(triple.triple_id, rejection)
            elif triple.triple_id not in edges:
                edges[triple.triple_id] = make_edge(
                    triple, verdict, size=size, relations=inputs.all_relations
                )

        for triple, verdict in read_accepted(triples, verdicts):
            if triple.triple_id in stored:
                keep(triple, verdict, sizes[triple.triple_id])
        for triple, verdict in review.imported():
            keep(triple, verdict, 1)
        ordered = sorted(
            edges.values(), key=lambda edge: (edge.relation, edge.head, edge.tail, edge.triple_id)
        )
        if dropped:
            write_shard(folder / "rejected-00000.parquet", dropped.values(), Rejection)
        counts = {"edges": write_shard(folder / "part-00000.parquet", ordered, Edge)}
        return counts | ({"taken_out": len(dropped)} if dropped else {})

    sentences = [[relation.name, relation.sentence] for relation in inputs.all_relations]
    key = [run.key("merges"), sentences]
    return run.stage("edges", [*key, review.key] if review.key else key, make)


def store(run: RunFolder, inputs: Inputs, edges: Path, *, progress: Progress) -> Path:
    """Load the edges into the graph database."""
    config = inputs.config.store

    def make(folder: Path) -> Counts:
        names = [relation.name for relation in inputs.all_relations]
        with open_store(folder / GRAPH, config=config, relations=names) as graph:
            report = load_edges(
                progress.track(
                    read_shards(edges, Edge),
                    stage="graph",
                    total=run.manifest.stages["edges"].counts["edges"],
                    unit="edges",
                ),
                store=graph,
            )
            counts = graph.counts()
        return {
            "nodes": counts.nodes,
            "edges": counts.edges,
            "added_edges": report.added_edges,
            "unchanged": report.unchanged,
        }

    return run.stage("graph", run.key("edges"), make, output=GRAPH)


def make_card(run_id: str, inputs: Inputs, *, licence: str = "other") -> CardFacts:
    """Say for people who get the corpus how it was made."""
    config = inputs.config
    return CardFacts(
        name=f"kgbuild {config.name}",
        description="Commonsense triples distilled from a language model, kept by a critic.",
        licence=licence,
        made=(
            f"Seeds {', '.join(config.seeds.files)}; relation packs "
            f"{', '.join(config.prompts.packs)}; NeuroLogic {config.decoding.method} decoding; "
            "a trained critic; semantic dedup."
        ),
        run=run_id,
        teachers=(_teacher_terms(inputs),),
        target_precision=config.critic.target_precision,
    )


def _teacher_terms(inputs: Inputs) -> TeacherTerms:
    model = inputs.config.teacher.model
    entry = load_catalogue().get(model)
    terms = ""
    if entry is not None:
        consent = "asks for consent; " if entry.needs_consent else ""
        terms = f"{consent}the terms of {entry.title} stand at {entry.licence_url}"
    try:
        teacher = inputs.teacher_file
    except ModelError:
        # A run is exported also where its teacher is not.
        return TeacherTerms(
            name=model,
            sha256=entry.sha256 if entry else "",
            licence=entry.licence if entry else "unknown",
            terms=terms,
        )
    return TeacherTerms(
        name=teacher.name, sha256=teacher.sha256, licence=teacher.licence, terms=terms
    )


def write_corpora(run: RunFolder, inputs: Inputs, edges: Path) -> Path:
    """Write the corpus rows, and the formats that the config names."""
    config = inputs.config.corpus

    def make(folder: Path) -> Counts:
        # The shard first; the formats are read from it, a batch of rows at a time.
        rows = export_rows(read_shards(edges, Edge), config=config)
        count = write_corpus(rows, format="parquet", out=folder / "part-00000.parquet")
        for name in config.formats:
            card = make_card(run.manifest.run_id, inputs) if name == "hf" else None
            read = read_shards(folder, CorpusRow)
            write_corpus(read, format=name, out=folder / _SUFFIX[name], card=card)
        splits = Counter(str(row.split) for row in read_shards(folder, CorpusRow))
        return {"rows": count, **splits}

    return run.stage("corpus", [run.key("edges"), plain(config)], make)


def train_student(run: RunFolder, inputs: Inputs, corpus: Path, *, progress: Progress) -> Path:
    """Train the student on the corpus; an interrupted training goes on from its checkpoint."""
    config = inputs.config.student

    def make(folder: Path) -> Counts:
        from kgbuild.student import count_steps
        from kgbuild.student import train_student as door

        steps = door(
            read_shards(corpus, CorpusRow),
            inputs.all_relations,
            model_path=inputs.student_file.path,
            config=config,
            folder=folder,
        )
        total = count_steps(run.manifest.stages["corpus"].counts.get("train", 0), config=config)
        last = 0
        for step in progress.track(steps, stage="student", total=total, unit="steps"):
            last = step.step
        return {"steps": last}

    return run.stage(
        "student", [run.key("corpus"), plain(config), inputs.student_file.sha256], make
    )
