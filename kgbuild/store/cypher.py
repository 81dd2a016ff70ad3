"""All Cypher of the embedded store.

Values are parameters, always. The only names put into a text are those of relation tables, which
a relation pack declared and `quote` checked, and the fixed column names of an edge.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow as pa

from kgbuild.core.errors import StoreError
from kgbuild.core.records import Edge
from kgbuild.store.batches import EDGE_SCHEMA, FACETS

_TYPES = {pa.string(): "STRING", pa.float64(): "DOUBLE", pa.int64(): "INT64"}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_QUOTED = re.compile(
    r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|`[^`]*`|//[^\n]*|/\*.*?\*/", re.DOTALL
)
# Not after a dot or a colon, where it is a property or a name.
_TYPE = re.compile(r"(?<![.:\w])type\s*\(", re.IGNORECASE)
_READING = ("MATCH", "OPTIONAL", "RETURN", "WITH", "UNWIND", "CALL", "EXPLAIN", "PROFILE")

BEGIN = "BEGIN TRANSACTION"
BEGIN_READING = "BEGIN TRANSACTION READ ONLY"
COMMIT = "COMMIT"
ROLLBACK = "ROLLBACK"
CHECKPOINT = "CHECKPOINT"

TABLES = "CALL show_tables() RETURN name, type"
CREATE_META = "CREATE NODE TABLE KgbuildMeta(key STRING PRIMARY KEY, value STRING)"
SET_META = "MATCH (m:KgbuildMeta {key: $key}) SET m.value = $value"
ADD_META = "CREATE (:KgbuildMeta {key: $key, value: $value})"
META = "MATCH (m:KgbuildMeta) RETURN m.key AS key, m.value AS value"
CREATE_PHRASES = "CREATE NODE TABLE Phrase(id STRING PRIMARY KEY, text STRING, kind STRING)"
# Names that mean something else: node tables here, and what a server keeps rejected triples as.
RESERVED = ("KgbuildMeta", "Phrase", "REJECTED")

ADD_PHRASES = "COPY Phrase FROM $columns"
COUNT_PHRASES = "MATCH (p:Phrase) RETURN count(*) AS count"
ALL_PHRASES = "MATCH (p:Phrase) RETURN p.id AS id, p.text AS text, p.kind AS kind ORDER BY text, id"
# By ranges of ids: a join with the wanted ones would keep its memory.
PHRASES_BETWEEN = (
    "MATCH (p:Phrase) WHERE p.id >= $low AND p.id <= $high "
    "RETURN p.id AS id, p.text AS text, p.kind AS kind"
)
SET_KIND = "UNWIND $ids AS wanted MATCH (p:Phrase {id: wanted}) SET p.kind = $kind"
DROP_ORPHANS = (
    "UNWIND $ids AS wanted MATCH (p:Phrase {id: wanted}) "
    "WHERE NOT EXISTS { MATCH (p)-[]-() } DELETE p"
)

_ROW = ", ".join(
    [
        "h.id AS head_id, t.id AS tail_id, h.text AS head, label(r) AS relation, t.text AS tail",
        *(f"r.`{facet}` AS `{facet}`" for facet in FACETS),
    ]
)


def quote(relation: str) -> str:
    """Give a relation's name as the name of its table.

    >>> quote("xReact")
    '`xReact`'
    """
    if not _NAME.fullmatch(relation) or relation in RESERVED:
        raise StoreError(
            f"{relation!r} cannot name a relationship type: a relation's name is a letter and then "
            f"letters, digits or _, and none of {', '.join(RESERVED)}; rename it in its pack"
        )
    return f"`{relation}`"


def create_schema(meta: Mapping[str, str]) -> list[tuple[str, dict[str, str]]]:
    """Give the statements, with their values, that make an empty store."""
    adds = [(ADD_META, {"key": key, "value": value}) for key, value in meta.items()]
    return [(CREATE_META, {}), (CREATE_PHRASES, {}), *adds]


def create_relation(relation: str) -> str:
    """Create the table of one relation, its columns the facets of an edge."""
    columns = ", ".join(f"`{name}` {_TYPES[EDGE_SCHEMA.field(name).type]}" for name in FACETS)
    return f"CREATE REL TABLE {quote(relation)}(FROM Phrase TO Phrase, {columns})"


def add_facet(relation: str, facet: str) -> str:
    """Give the table of a relation a facet that an earlier version did not have."""
    kind = _TYPES[EDGE_SCHEMA.field(facet).type]
    return f"ALTER TABLE {quote(relation)} ADD `{facet}` {kind} DEFAULT {_default(facet)}"


def without(statement: str, facets: Iterable[str]) -> str:
    """Give a query for a store that lacks some facets: their defaults stand for them."""
    for facet in facets:
        statement = statement.replace(f"r.`{facet}` AS", f"{_default(facet)} AS")
    return statement


def _default(facet: str) -> str:
    return repr(Edge.model_fields[facet].get_default())


def add_edges(relation: str) -> str:
    """Add new edges in bulk from columns: head_id, tail_id, then the facets."""
    return f"COPY {quote(relation)} FROM $columns"


def copy_phrases(file: Path) -> str:
    """Add new phrases from a Parquet file."""
    return f"COPY Phrase FROM {quote_path(file)}"


def copy_edges(relation: str, file: Path) -> str:
    """Add new edges from a Parquet file: head_id, tail_id, then the facets."""
    return f"COPY {quote(relation)} FROM {quote_path(file)}"


def can_quote(path: Path) -> bool:
    """Say whether a path names one file to the engine, which reads some characters as patterns."""
    return not set("*?[]{}\\'\"") & set(str(path)) and str(path).isprintable()


def quote_path(path: Path) -> str:
    """Give the path of a file as a string of Cypher.

    >>> quote_path(Path("/tmp/a b.parquet"))
    "'/tmp/a b.parquet'"
    """
    if not can_quote(path):
        raise StoreError(f"{str(path)!r} holds a character that cannot stand in a file pattern")
    return f"'{path}'"


def delete_edges(relation: str) -> str:
    """Delete the edges given by their ends, as rows of `head_id` and `tail_id`."""
    return (
        "UNWIND $rows AS row MATCH (h:Phrase {id: row.head_id})"
        f"-[r:{quote(relation)}]->(t:Phrase {{id: row.tail_id}}) DELETE r"
    )


def edges_at(end: str, relation: str | None) -> str:
    """Give the edges whose head (`h`) or tail (`t`) is the phrase `$id`.

    One phrase a query: the engine (0.22) answers for many by a join over all edges of a relation,
    whose memory it does not give back.
    """
    table = f":{quote(relation)}" if relation else ""
    places = {"h": "", "t": "", end: " {id: $id}"}
    return f"MATCH (h:Phrase{places['h']})-[r{table}]->(t:Phrase{places['t']}) RETURN {_ROW}"


def edges_between(relation: str) -> str:
    """Give the edges whose head's text is from `$low` to `$high`."""
    return (
        f"MATCH (h:Phrase)-[r:{quote(relation)}]->(t:Phrase) "
        f"WHERE h.text >= $low AND h.text <= $high RETURN {_ROW}"
    )


def edges_by_id() -> str:
    """Give the edges with the given few triple ids; reads every edge."""
    return f"MATCH (h:Phrase)-[r]->(t:Phrase) WHERE r.triple_id IN $ids RETURN {_ROW}"


def heads_of(relation: str) -> str:
    """Give each head of a relation with its number of edges, ordered by text."""
    return (
        f"MATCH (h:Phrase)-[r:{quote(relation)}]->(:Phrase) "
        "RETURN h.id AS id, h.text AS text, count(*) AS edges ORDER BY text, id"
    )


def count_edges(relation: str) -> str:
    """Count the edges of one relation."""
    return f"MATCH (:Phrase)-[r:{quote(relation)}]->(:Phrase) RETURN count(*) AS count"


def check_reading(text: str) -> str:
    """Give a user's query back if it is one statement that reads.

    The engine refuses writes by itself; this keeps a second statement from ending the read-only
    transaction.

    Raises:
        StoreError: If it is several statements or begins with a word that changes something.
    """
    statement = text.strip().rstrip(";").strip()
    bare = _QUOTED.sub(" ", statement)
    first = bare.split(None, 1)[0].upper() if bare.strip() else ""
    if ";" in bare or first.partition("(")[0] not in _READING:
        raise StoreError(
            f"{text.strip()[:80]!r} is not one reading Cypher statement; begin it with MATCH, "
            "WITH, UNWIND, CALL or RETURN. Edges are added by load_edges and taken out by remove."
        )
    return statement


def translate(statement: str) -> str:
    """Give a query as this engine knows it: it calls a relationship's type its label.

    >>> translate("MATCH ()-[r]->() WHERE r.text <> 'type(r)' RETURN type(r)")
    "MATCH ()-[r]->() WHERE r.text <> 'type(r)' RETURN label(r)"
    """
    quoted = [*_QUOTED.findall(statement), ""]
    bare = _QUOTED.split(statement)
    return "".join(
        _TYPE.sub("label(", part) + kept for part, kept in zip(bare, quoted, strict=True)
    )
