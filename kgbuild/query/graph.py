"""An open graph and everything that can be asked of it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from kgbuild.core.errors import KgbuildError, did_you_mean
from kgbuild.core.ids import content_key, phrase_id, triple_id
from kgbuild.core.records import Edge, HeadKind
from kgbuild.core.resources import cache_folder
from kgbuild.query.explanation import Explanation
from kgbuild.query.models import QueryModels
from kgbuild.query.phrase_index import Encoder, PhraseIndex, open_index, plain_words
from kgbuild.query.results import GraphPath, ScoredTriple, SearchHit
from kgbuild.query.run_shards import RunShards
from kgbuild.query.scoring import score_triple
from kgbuild.query.whole import WholeGraph
from kgbuild.query.wording import check_phrase, missing_phrase, nearest_phrases
from kgbuild.store import GraphStore, Phrase

if TYPE_CHECKING:
    from kgbuild.critic import Critic


class Graph(WholeGraph):
    """A graph open for reading, with the run it came from where that is known.

    A context manager: leaving the block closes the store.

    Args:
        store: The open store.
        name: What errors call the graph.
        run: The run's shards, if there is a run.
        folder: Where a search index may be kept; the run's folder by default.
        encoder: Catalogue name or folder of the sentence encoder, or a loaded one.
        critic: A loaded critic instead of the run's.
    """

    def __init__(
        self,
        store: GraphStore,
        *,
        name: str = "in memory",
        run: RunShards | None = None,
        folder: Path | None = None,
        encoder: str | Encoder | None = None,
        critic: Critic | None = None,
    ) -> None:
        super().__init__(store, run=run)
        self._name = name
        self._folder = folder or (run.folder if run else None)
        self._models = QueryModels(run, encoder=encoder, critic=critic)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Graph {self._name}>"

    def close(self) -> None:
        """Close the store. A second time does nothing."""
        self._store.close()

    # -- what is next to what --------------------------------------------------------------------

    def tails(
        self, head: str, relation: str | None = None, *, limit: int | None = None
    ) -> list[Edge]:
        """Give the edges that leave a head, the most probable first.

        Args:
            head: Any spelling that `canonical` and case folding join.
            relation: Only this relation; without it all of them.
            limit: The most edges.

        Raises:
            KgbuildError: If the head or the relation is unknown; the message names the nearest.
        """
        head = check_phrase(head, role="head")
        edges = self._store.tails(phrase_id(head), relation)
        if not edges:
            self._check(relation)
            self._require(head, role="head")
        return edges[: _limit(limit)]

    def heads(
        self, tail: str, relation: str | None = None, *, limit: int | None = None
    ) -> list[Edge]:
        """Give the edges that arrive at a tail, the most probable first; see `tails`."""
        tail = check_phrase(tail, role="tail")
        edges = self._store.heads(phrase_id(tail), relation)
        if not edges:
            self._check(relation)
            self._require(tail, role="tail")
        return edges[: _limit(limit)]

    def neighbours(self, phrase: str, *, depth: int = 1, limit: int = 100) -> list[Edge]:
        """Give the edges around a phrase: the near ones first, then the most probable.

        Args:
            phrase: A head or a tail.
            depth: How many edges away.
            limit: The most edges.
        """
        phrase = check_phrase(phrase, role="phrase")
        depth = _positive(depth, name="depth")
        edges = self._store.neighbours(phrase_id(phrase), depth=depth, limit=_limit(limit) or 100)
        if not edges:
            self._require(phrase, role="phrase")
        return edges

    def paths(
        self,
        start: str,
        end: str,
        *,
        max_length: int = 3,
        limit: int = 10,
        is_directed: bool = False,
    ) -> list[GraphPath]:
        """Give paths between two phrases, shortest first, no phrase twice in a path.

        Args:
            start: Where the paths begin.
            end: Where they end.
            max_length: The most edges of a path.
            limit: The most paths.
            is_directed: Follow edges from head to tail only. Otherwise two events may also be
                joined by a tail that they share.
        """
        start, end = check_phrase(start, role="start"), check_phrase(end, role="end")
        found = self._store.paths(
            phrase_id(start),
            phrase_id(end),
            max_length=_positive(max_length, name="max_length"),
            limit=_limit(limit) or 10,
            is_directed=is_directed,
        )
        if not found:
            self._require(start, role="phrase")
            self._require(end, role="phrase")
        return [GraphPath.of(phrase_id(start), edges) for edges in found]

    # -- what means the same ---------------------------------------------------------------------

    def search(self, text: str, *, limit: int = 10, kind: str | None = None) -> list[SearchHit]:
        """Give the phrases that mean nearly what a text says, the nearest first.

        The first search of a graph embeds its phrases; the index is kept and found again.

        Args:
            text: Anything, such as "making a cake".
            limit: The most phrases.
            kind: event or concept, for heads of that kind only.
        """
        text = check_phrase(text, role="search text")
        if kind is not None and kind not in list(HeadKind):
            known = [str(member) for member in HeadKind]
            raise KgbuildError(
                f"{kind!r} is not a kind of head{did_you_mean(kind, known) or '.'} "
                f"Kinds are {' and '.join(known)}."
            )
        limit = _limit(limit) or 10
        encoder = self._models.encoder
        vector = encoder.encode([plain_words(text)])[0]
        held = self._store.nearest(vector.tolist(), encoder=encoder.key, limit=limit, kind=kind)
        if held is None:
            return self._index.nearest(vector, limit=limit, kind=kind)
        return [SearchHit.of(phrase, similarity) for phrase, similarity in held]

    def find(self, text: str, *, limit: int = 10) -> list[Phrase]:
        """Give the phrases that hold every word of a text, the shortest first.

        Args:
            text: Words, in any order and case; never a query.
            limit: The most phrases.
        """
        text = check_phrase(text, role="search text")
        return self._store.find_phrases(text, limit=_limit(limit) or 10)

    @cached_property
    def _index(self) -> PhraseIndex:
        if self._run is not None:
            graph_key = self._run.manifest.stages["graph"].key
        else:
            graph_key = content_key([phrase.id for phrase in self._store.phrases()])
        return open_index(
            graph_key,
            self._store.phrases,
            self._models.encoder,
            beside=self._folder or cache_folder(),
        )

    # -- why ------------------------------------------------------------------------------------

    def why(self, head: str, relation: str, tail: str) -> Explanation:
        """Give the whole provenance of a triple, also of one that was merged or rejected.

        Raises:
            KgbuildError: If the run knows nothing of the triple; the message says what it knows.
        """
        # The prompts' records bring torch along, which no other query needs.
        from kgbuild.query.why import explain

        head, tail = check_phrase(head, role="head"), check_phrase(tail, role="tail")
        self._check(relation)
        edge, leaving = self._find_edge(head, relation, tail)
        found = explain(head, relation, tail, edge=edge, run=self._run, relations=self.relations)
        if found is not None:
            return found
        if not leaving:
            self._require(head, role="head")
        known = ", ".join(f"'{edge.tail}'" for edge in leaving[:5]) or "none"
        raise KgbuildError(
            f"'{tail}' was never given as an answer to '{head}' {relation}; the graph's tails "
            f"there are {known}. `kgbuild query score` says what the critic thinks of it."
        )

    def score(self, head: str, relation: str, tail: str) -> ScoredTriple:
        """Give the critic's opinion of any triple, stored or not.

        For a stored triple the critic sees what the teacher computed, as it did in the run.
        """
        head, tail = check_phrase(head, role="head"), check_phrase(tail, role="tail")
        self._check(relation)
        edge, _ = self._find_edge(head, relation, tail)
        return score_triple(
            head,
            relation,
            tail,
            edge=edge,
            critic=self._models.critic,
            threshold=self._models.fixed_threshold,
        )

    # -- what they share --------------------------------------------------------------------------

    def _find_edge(self, head: str, relation: str, tail: str) -> tuple[Edge | None, list[Edge]]:
        # By way of the head, because a store finds an edge by its id only by reading all.
        wanted = triple_id(head, relation, tail)
        leaving = self._store.tails(phrase_id(head), relation)
        return next((edge for edge in leaving if edge.triple_id == wanted), None), leaving

    def _require(self, phrase: str, *, role: str) -> None:
        if self._store.neighbours(phrase_id(phrase), depth=1, limit=1):
            return
        texts = (known.text for known in self._store.phrases() if role != "head" or known.kind)
        near = nearest_phrases(phrase, texts)
        raise missing_phrase(phrase, role=role, near=near, graph=self._name)


def _limit(limit: int | None) -> int | None:
    return None if limit is None else _positive(limit, name="limit")


def _positive(number: int, *, name: str) -> int:
    if number < 1:
        raise KgbuildError(f"{name} is {number} and must be at least 1")
    return number
