from __future__ import annotations

from collections.abc import Sequence

from kgbuild.core.records import Edge
from kgbuild.critic import Candidate, Opinion, TableScorer, Thresholds
from kgbuild.query import Graph
from kgbuild.store.memory import MemoryStore

BAKES = "PersonX bakes a cake"


class Recorder(TableScorer):
    """A table that remembers what it was shown."""

    def score(self, candidates: Sequence[Candidate]) -> list[Opinion]:
        self.shown = list(candidates)
        return super().score(candidates)


def _open(edges: list[Edge], critic: TableScorer) -> Graph:
    store = MemoryStore(relations={edge.relation for edge in edges})
    store.load_edges(edges)
    return Graph(store, critic=critic)


def test_a_new_triple_is_judged_by_its_relations_threshold(made_edges: list[Edge]) -> None:
    table = {(BAKES, "xReact", "happy"): 0.7, (BAKES, "xWant", "to fly"): 0.7}
    thresholds = Thresholds(default=0.8, by_relation={"xReact": 0.6})
    graph = _open(made_edges, TableScorer(table, thresholds=thresholds))
    assert graph.score(BAKES, "xReact", "happy").accepted
    assert not graph.score(BAKES, "xWant", "to fly").accepted
    assert not graph.score(BAKES, "xReact", "happy").has_evidence


def test_the_critic_sees_of_a_stored_triple_what_it_saw_in_the_run(made_edges: list[Edge]) -> None:
    critic = Recorder({(BAKES, "xReact", "proud"): 0.9})
    scored = _open(made_edges, critic).score("personx bakes a cake.", "xReact", "Proud")
    assert scored.has_evidence
    assert (scored.head, scored.tail) == (BAKES, "proud")
    [candidate] = critic.shown
    assert candidate.evidence is not None
    assert candidate.evidence.gain == 1.0  # (-3 - -5) / 2 tokens
