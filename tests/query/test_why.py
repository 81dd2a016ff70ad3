from __future__ import annotations

from pathlib import Path

import pytest

from kgbuild.core.errors import KgbuildError
from kgbuild.core.manifest import read_manifest
from kgbuild.core.records import Edge
from kgbuild.query import Graph, Status, open_graph
from kgbuild.store.memory import MemoryStore

BAKES = "PersonX bakes a cake"


def test_a_stored_triple_tells_everything_from_seed_to_run(made_run: Path) -> None:
    with open_graph(made_run) as graph:
        found = graph.why(BAKES, "xReact", "proud")
    assert found.status is Status.STORED
    assert found.head_source == "demo.tsv:2"
    assert found.question is not None
    assert found.question.prompt.endswith(
        "PersonX feels hurt.\nPersonX bakes a cake. PersonX feels"
    )
    assert len(found.question.shots) == 2
    assert found.generation is not None
    assert found.generation.settings["beams"] == 8
    assert (found.generation.clauses_met, found.generation.log_probability) == (3, -3.0)
    assert any(clause.startswith("none of: ") for clause in found.generation.relation_clauses)
    assert found.judgement is not None
    assert (found.judgement.probability, found.judgement.threshold) == (0.95, 0.6)
    assert found.judgement.logit == 1.5
    assert found.cluster is not None
    assert [(member.tail, member.similarity) for member in found.cluster.members] == [
        ("proud", 1.0),
        ("very proud", 0.93),
    ]
    assert found.run is not None
    assert (found.run.run, found.run.name) == ("run1", "made")
    assert "proud" in found.sentence


def test_a_merged_triple_names_the_tail_that_stands_for_it(made_run: Path) -> None:
    with open_graph(made_run) as graph:
        found = graph.why(BAKES, "xReact", "very proud")
    assert (found.status, found.stage, found.reason) == (Status.MERGED, "dedup", "semantic")
    assert "'proud'" in found.summary
    assert "0.930" in found.detail


def test_a_rejected_triple_names_probability_and_threshold(made_run: Path) -> None:
    with open_graph(made_run) as graph:
        found = graph.why(BAKES, "xReact", "furious")
    assert (found.status, found.reason) == (Status.REJECTED, "below_threshold")
    assert found.detail == "0.200 is under 0.600"
    assert found.cluster is None


def test_what_the_parser_dropped_tells_the_clause_and_the_prompt(made_run: Path) -> None:
    with open_graph(made_run) as graph:
        found = graph.why("personx bakes a cake", "xReact", "Like baking.")
    assert (found.status, found.stage, found.reason) == (Status.REJECTED, "teacher", "clause_unmet")
    assert found.detail == "not: bake"
    assert found.question is not None
    assert found.judgement is None


def test_a_dropped_completion_is_found_with_and_without_the_tail_prefix(made_run: Path) -> None:
    """The prompt ends in "to", so the completion that was dropped does not say it."""
    with open_graph(made_run) as graph:
        for tail in ("to bake again", "bake again"):
            assert graph.why(BAKES, "xWant", tail).reason == "clause_unmet"


def test_a_triple_nobody_gave_is_refused_with_those_given(made_run: Path) -> None:
    with open_graph(made_run) as graph:
        with pytest.raises(KgbuildError, match="never given.*'proud', 'tired'"):
            graph.why(BAKES, "xReact", "purple")
        with pytest.raises(KgbuildError, match="did you mean 'PersonX bakes a cake'"):
            graph.why("PersonX bakes cakes", "xReact", "proud")


def test_a_triple_waits_while_the_run_has_not_judged_it(made_run: Path) -> None:
    from kgbuild.query.run_shards import RunShards
    from kgbuild.query.why import explain

    with open_graph(made_run) as graph:
        relations = graph.relations
    manifest = read_manifest(made_run)
    stages = {name: manifest.stages[name] for name in ("heads", "prompts", "triples")}
    run = RunShards(manifest.model_copy(update={"stages": stages}))
    found = explain(BAKES, "xReact", "proud", edge=None, run=run, relations=relations)
    assert found is not None
    assert found.status is Status.PENDING


def test_a_bare_graph_tells_what_its_edges_hold(made_edges: list[Edge]) -> None:
    store = MemoryStore(relations={edge.relation for edge in made_edges})
    store.load_edges(made_edges)
    found = Graph(store).why(BAKES, "xReact", "proud")
    assert found.status is Status.STORED
    assert found.question is None
    assert found.judgement is not None
    assert found.judgement.probability == 0.95
    assert found.cluster is not None
    assert found.cluster.size == 2
