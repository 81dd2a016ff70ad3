"""All Cypher of the Neo4j store.

Values are parameters, always. The only names put into a text are those of relationship types,
which a relation pack declared and `quote` checked, and the fixed names of this module.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from kgbuild.core.records import Edge, HeadKind
from kgbuild.store.batches import EDGE_SCHEMA, FACETS, LATER
from kgbuild.store.cypher import quote
from kgbuild.store.rejected import REJECTED_FACETS

FULL_TEXT = "kgbuild_phrase_words"
VECTORS = "kgbuild_phrase_embedding"

VERSION = "CALL dbms.components() YIELD versions RETURN versions[0] AS version"
TYPES = "CALL db.relationshipTypes() YIELD relationshipType AS name RETURN name ORDER BY name"
ANY_NODE = "MATCH (n) RETURN labels(n) AS labels LIMIT 1"
META = "MATCH (m:KgbuildMeta) WHERE m.value IS NOT NULL RETURN m.key AS key, m.value AS value"
SET_META = "MERGE (m:KgbuildMeta {key: $key}) SET m.value = $value"
# Writes a property of one node, so that two writers take turns until each has committed.
LOCK = "MERGE (m:KgbuildMeta {key: 'writer'}) SET m.turn = coalesce(m.turn, 0) + 1"

# A dash is in no relation's name, so that these never meet the constraints of relations.
CONSTRAINTS = {
    "-meta": "CREATE CONSTRAINT `kgbuild_-meta` IF NOT EXISTS "
    "FOR (m:KgbuildMeta) REQUIRE m.key IS UNIQUE",
    "-phrase": "CREATE CONSTRAINT `kgbuild_-phrase` IF NOT EXISTS "
    "FOR (p:Phrase) REQUIRE p.id IS UNIQUE",
    "-rejected_phrase": "CREATE CONSTRAINT `kgbuild_-rejected_phrase` IF NOT EXISTS "
    "FOR (p:RejectedPhrase) REQUIRE p.id IS UNIQUE",
}
CONSTRAINT_NAMES = "SHOW CONSTRAINTS YIELD name RETURN name"
# Made once the edges are in: an index over what is there is built many times sooner than one
# that grows with it.
LATE_INDEXES = {
    "kgbuild_phrase_text": "CREATE INDEX kgbuild_phrase_text IF NOT EXISTS "
    "FOR (p:Phrase) ON (p.text)",
    "kgbuild_phrase_kind": "CREATE INDEX kgbuild_phrase_kind IF NOT EXISTS "
    "FOR (p:Phrase) ON (p.kind)",
    FULL_TEXT: f"CREATE FULLTEXT INDEX {FULL_TEXT} IF NOT EXISTS FOR (p:Phrase) ON EACH [p.text] "
    "OPTIONS {indexConfig: {`fulltext.analyzer`: 'standard-no-stop-words'}}",
}
INDEXES = "SHOW INDEXES YIELD name, state WHERE state = 'ONLINE' RETURN name"
AWAIT_INDEXES = "CALL db.awaitIndexes(3600)"
VECTOR_INDEX = (
    f"CREATE VECTOR INDEX {VECTORS} IF NOT EXISTS FOR (p:Phrase) ON (p.embedding) "
    "OPTIONS {indexConfig: {`vector.dimensions`: $dimensions, "
    "`vector.similarity_function`: 'cosine'}}"
)
DROP_VECTOR_INDEX = f"DROP INDEX {VECTORS} IF EXISTS"

COUNT_PHRASES = "MATCH (p:Phrase) RETURN count(p) AS count"
ALL_PHRASES = "MATCH (p:Phrase) RETURN p.id AS id, p.text AS text, p.kind AS kind"
KNOWN_PHRASES = (
    "UNWIND $ids AS wanted MATCH (p:Phrase {id: wanted}) "
    "RETURN p.id AS id, p.text AS text, p.kind AS kind"
)
PROMOTE_PHRASES = (
    "UNWIND $rows AS row MATCH (p:RejectedPhrase {id: row[0]}) "
    "SET p:Phrase, p.text = row[1], p.kind = row[2] REMOVE p:RejectedPhrase RETURN p.id AS id"
)
DROP_ORPHANS = (
    "UNWIND $ids AS wanted MATCH (p:Phrase {id: wanted}) "
    "WHERE NOT EXISTS { (p)-[r]-() WHERE type(r) <> 'REJECTED' } "
    "SET p:RejectedPhrase REMOVE p:Phrase:Event:Concept "
    "WITH p WHERE NOT EXISTS { (p)--() } DELETE p"
)
# Style sheets of Neo4j's Browser tell nodes apart by their labels only. A kind that is none of
# ours gets no label.
KIND_LABELS = {kind: kind.capitalize() for kind in map(str, HeadKind)}
SET_KIND = "UNWIND $rows AS row MATCH (p:Phrase {id: row[0]}) SET p.kind = row[1]"

FIND_WORDS = (
    f"CALL db.index.fulltext.queryNodes('{FULL_TEXT}', $query) YIELD node "
    "RETURN node.id AS id, node.text AS text, node.kind AS kind "
    "ORDER BY size(text), text, id LIMIT $limit"
)
NEAREST = (
    # The index compares shortened vectors; the whole ones give the cosine.
    f"CALL db.index.vector.queryNodes('{VECTORS}', $count, $vector) YIELD node "
    "WITH node, vector.similarity.cosine(node.embedding, $vector) AS score "
    "RETURN node.id AS id, node.text AS text, node.kind AS kind, 2 * score - 1 AS similarity "
    "ORDER BY similarity DESC, text, id"
)
SET_VECTORS = (
    "UNWIND $rows AS row MATCH (p:Phrase {id: row[0]}) "
    "CALL db.create.setNodeVectorProperty(p, 'embedding', row[1])"
)
WITHOUT_VECTOR = "MATCH (p:Phrase) WHERE p.embedding IS NULL RETURN p.id AS id, p.text AS text"
DROP_VECTORS = (
    "MATCH (p:Phrase) WHERE p.embedding IS NOT NULL WITH p LIMIT 10000 REMOVE p.embedding "
    "RETURN count(*) AS dropped"
)

REJECTED_ENDS = ("Phrase", "RejectedPhrase")
ONE_REJECTED = (
    "CREATE CONSTRAINT kgbuild_REJECTED IF NOT EXISTS "
    "FOR ()-[r:REJECTED]-() REQUIRE r.triple_id IS UNIQUE"
)
COUNT_REJECTED = "MATCH ()-[r:REJECTED]->() RETURN count(r) AS count"
ADD_REJECTED_PHRASES = (
    "UNWIND $rows AS row MERGE (p:RejectedPhrase {id: row[0]}) ON CREATE SET p.text = row[1]"
)
REJECTED_BY_ID = (
    "UNWIND $ids AS wanted MATCH (h)-[r:REJECTED {triple_id: wanted}]->(t) "
    "RETURN h.id AS head_id, t.id AS tail_id, h.text AS head, t.text AS tail, "
    + ", ".join(f"r.`{facet}` AS `{facet}`" for facet in REJECTED_FACETS)
)
SET_REJECTED = (
    "UNWIND $rows AS row MATCH ()-[r:REJECTED {triple_id: row["
    f"{2 + REJECTED_FACETS.index('triple_id')}]}}]->() SET "
    + ", ".join(f"r.`{name}` = row[{place}]" for place, name in enumerate(REJECTED_FACETS, start=2))
)
# A triple that is in the graph now is rejected no longer.
DROP_REJECTED = (
    "UNWIND $ids AS wanted MATCH (h)-[r:REJECTED {triple_id: wanted}]->(t) DELETE r "
    "WITH [h, t] AS ends UNWIND ends AS p WITH DISTINCT p "
    "WHERE p:RejectedPhrase AND NOT EXISTS { (p)--() } DELETE p"
)


def _default(facet: str) -> str:
    return repr(Edge.model_fields[facet].get_default())


_COLUMNS = {
    "head_id": "h.id",
    "tail_id": "t.id",
    "head": "h.text",
    "relation": "type(r)",
    "tail": "t.text",
    **{facet: f"r.`{facet}`" for facet in FACETS},
    # Edges of an earlier version bear no such property.
    **{facet: f"coalesce(r.`{facet}`, {_default(facet)})" for facet in LATER},
}
_ROW = ", ".join(f"{value} AS `{name}`" for name, value in _COLUMNS.items())
_LIST = ", ".join(_COLUMNS[name] for name in EDGE_SCHEMA.names)
_LUCENE = re.compile(r'(["\\])')


def constraint_name(of: str) -> str:
    """Name the constraint of a relation."""
    return f"kgbuild_{of}"


def add_phrases(kind: str) -> str:
    """Add new phrases of one kind, from rows of id, text and kind."""
    return (
        f"UNWIND $rows AS row CREATE (:{_labels(kind)} {{id: row[0], text: row[1], kind: row[2]}})"
    )


def label_phrases(kind: str) -> str:
    """Label the phrases with some ids as phrases of a kind."""
    return f"UNWIND $ids AS wanted MATCH (p:Phrase {{id: wanted}}) SET p:{_labels(kind)}"


def _labels(kind: str) -> str:
    return f"Phrase:{KIND_LABELS[kind]}" if kind in KIND_LABELS else "Phrase"


def one_edge(relation: str) -> str:
    """Let the server refuse a second edge with the same triple id, and find edges by it."""
    return (
        f"CREATE CONSTRAINT `{constraint_name(quote(relation)[1:-1])}` IF NOT EXISTS "
        f"FOR ()-[r:{quote(relation)}]-() REQUIRE r.triple_id IS UNIQUE"
    )


def add_edges(relation: str) -> str:
    """Add new edges from rows of head_id, tail_id, then the facets.

    Rows are lists: the server takes in maps of twenty names half as fast.
    """
    facets = ", ".join(f"`{name}`: row[{place}]" for place, name in enumerate(FACETS, start=2))
    return (
        "UNWIND $rows AS row MATCH (h:Phrase {id: row[0]}) MATCH (t:Phrase {id: row[1]}) "
        f"CREATE (h)-[:{quote(relation)} {{{facets}}}]->(t)"
    )


def add_rejected(head: str, tail: str) -> str:
    """Add `REJECTED` relationships between phrases with these labels, of `REJECTED_ENDS`."""
    facets = ", ".join(
        f"`{name}`: row[{place}]" for place, name in enumerate(REJECTED_FACETS, start=2)
    )
    return (
        f"UNWIND $rows AS row MATCH (h:{head} {{id: row[0]}}) MATCH (t:{tail} {{id: row[1]}}) "
        f"CREATE (h)-[:REJECTED {{{facets}}}]->(t)"
    )


def set_facets(relation: str) -> str:
    """Set all facets of stored edges, from rows as `add_edges` takes them."""
    facets = ", ".join(f"r.`{name}` = row[{place}]" for place, name in enumerate(FACETS, start=2))
    at = 2 + FACETS.index("triple_id")
    return (
        f"UNWIND $rows AS row MATCH ()-[r:{quote(relation)} {{triple_id: row[{at}]}}]->() "
        f"SET {facets}"
    )


def edges_by_id(relation: str) -> str:
    """Give the edges of one relation with the given triple ids."""
    return (
        f"UNWIND $ids AS wanted MATCH (h:Phrase)-[r:{quote(relation)} {{triple_id: wanted}}]->"
        f"(t:Phrase) RETURN {_ROW}"
    )


def delete_edges(relation: str) -> str:
    """Delete the edges of one relation with the given triple ids."""
    return (
        f"UNWIND $ids AS wanted MATCH ()-[r:{quote(relation)} {{triple_id: wanted}}]->() DELETE r"
    )


def edges_at(end: str, relations: Sequence[str]) -> str:
    """Give the edges of some relations whose head (`h`) or tail (`t`) is among `$ids`."""
    places = {"h": "", "t": "", end: " {id: wanted}"}
    types = "|".join(quote(relation) for relation in relations)
    return (
        f"UNWIND $ids AS wanted MATCH (h:Phrase{places['h']})-[r:{types}]->(t:Phrase{places['t']}) "
        f"RETURN {_ROW}"
    )


def edges_of_head(relations: Sequence[str]) -> str:
    """Give the edges that leave the phrase `$id` as one list of rows in the order of columns."""
    types = "|".join(quote(relation) for relation in relations)
    return f"MATCH (h:Phrase {{id: $id}})-[r:{types}]->(t:Phrase) RETURN collect([{_LIST}]) AS rows"


def ids_of_run(relation: str) -> str:
    """Give the triple ids of the edges that one run made."""
    return f"MATCH ()-[r:{quote(relation)}]->() WHERE r.run = $run RETURN r.triple_id AS triple_id"


def heads_of(relation: str) -> str:
    """Give each head of a relation with its number of edges."""
    return (
        f"MATCH (h:Phrase)-[r:{quote(relation)}]->(:Phrase) "
        "RETURN h.id AS id, h.text AS text, count(*) AS edges"
    )


def count_edges(relation: str) -> str:
    """Count the edges of one relation, from the server's own books."""
    return f"MATCH ()-[r:{quote(relation)}]->() RETURN count(r) AS count"


def words_query(words: Iterable[str]) -> str:
    """Write words as a full-text query that finds phrases with all of them, and nothing else.

    Each stands in quotes, where only a quote and a backslash have a meaning.

    >>> words_query(["cake", "OR", 'a"b'])
    '"cake" AND "OR" AND "a\\\\"b"'
    """
    return " AND ".join(f'"{_LUCENE.sub(_escape, word)}"' for word in words)


def _escape(match: re.Match[str]) -> str:
    return "\\" + match.group(1)
