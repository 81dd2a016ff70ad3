"""The last stages: edges, the graph, the corpus, the student."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator
from itertools import chain
from pathlib import Path

from kgbuild.core.config import plain
from kgbuild.core.errors import ModelError
from kgbuild.core.ids import phrase_id
from kgbuild.core.progress import Progress
from kgbuild.core.records import CorpusRow, Edge, Rejection, Triple, Verdict
from kgbuild.core.relations import RelationSet, verbalise
from kgbuild.core.shards import read_columns, read_shard, read_shards, write_shard, write_tables
from kgbuild.corpus import CardFacts, TeacherTerms, export_rows, write_corpus
from kgbuild.models import load_catalogue
from kgbuild.runs.clusters import ClusterSizes
from kgbuild.runs.edge_tables import EdgeTables, sort_edges
from kgbuild.runs.folder import Counts, RunFolder
from kgbuild.runs.inputs import Inputs
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
        clusters = ClusterSizes(merges)
        dropped: dict[str, Rejection] = {}

        def kept() -> Iterator[Edge]:
            for triple, verdict, size in chain(
                _read_stored(triples, verdicts, clusters), _read_imported(review, clusters, dropped)
            ):
                rejection = review.reject(triple)
                if rejection is not None:
                    dropped.setdefault(triple.triple_id, rejection)
                else:
                    yield make_edge(triple, verdict, size=size, relations=inputs.all_relations)

        counts = {"edges": write_tables(folder / "part-00000.parquet", sort_edges(kept()), Edge)}
        if dropped:
            write_shard(folder / "rejected-00000.parquet", dropped.values(), Rejection)
        return counts | ({"taken_out": len(dropped)} if dropped else {})

    sentences = [[relation.name, relation.sentence] for relation in inputs.all_relations]
    key = [run.key("merges"), sentences]
    return run.stage("edges", [*key, review.key] if review.key else key, make)


def _read_stored(
    triples: Path, verdicts: Path, clusters: ClusterSizes
) -> Iterator[tuple[Triple, Verdict, int]]:
    """Give every triple that represents a cluster, where it first is accepted, with its size."""
    for shard in sorted(triples.glob("part-*.parquet")):
        pairs = zip(
            read_shard(shard, Triple), read_shard(verdicts / shard.name, Verdict), strict=True
        )
        accepted = [pair for pair in pairs if pair[1].is_accepted]
        sizes = clusters.take([triple.triple_id for triple, _ in accepted])
        for (triple, verdict), size in zip(accepted, sizes, strict=True):
            if size:
                yield triple, verdict, size


def _read_imported(
    review: RunReview, clusters: ClusterSizes, dropped: Container[str]
) -> Iterator[tuple[Triple, Verdict, int]]:
    """Give every triple that people brought and no cluster has, or whose own was taken out."""
    brought: set[str] = set()
    for triple, verdict in review.imported():
        identity = triple.triple_id
        if identity in brought or (identity in clusters and identity not in dropped):
            continue
        brought.add(identity)
        yield triple, verdict, 1


def store(run: RunFolder, inputs: Inputs, edges: Path, *, progress: Progress) -> Path:
    """Load the edges into the graph database."""
    config = inputs.config.store

    def make(folder: Path) -> Counts:
        names = [relation.name for relation in inputs.all_relations]
        tables = EdgeTables(edges)
        with open_store(folder / GRAPH, config=config, relations=names) as graph:
            steps = progress.track(tables(), stage="graph", total=len(tables), unit="batches")
            report = load_edges(steps, store=graph)
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
    description = "Commonsense triples distilled from a language model, kept by a critic."
    begun = f"Seeds {', '.join(config.seeds.files)}"
    written = f"NeuroLogic {config.decoding.method} decoding; "
    teachers: tuple[TeacherTerms, ...] = (_teacher_terms(inputs),)
    if config.candidates.files:
        description = "Commonsense triples of other sources, kept by a critic."
        files = ", ".join(Path(name).name for name in config.candidates.files)
        begun, written, teachers = f"Triples of {files}, under their own terms", "", ()
    return CardFacts(
        name=f"kgbuild {config.name}",
        description=description,
        licence=licence,
        made=(
            f"{begun}; relation packs {', '.join(config.prompts.packs)}; {written}"
            "a trained critic; semantic dedup."
        ),
        run=run_id,
        teachers=teachers,
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
        written = read_columns(folder / "part-00000.parquet", ["split"])
        splits = Counter(written["split"].to_pylist())
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
