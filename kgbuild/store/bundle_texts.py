"""The texts of a `neo4j-admin` bundle: import scripts, constraints and what to do with them."""

from __future__ import annotations

from collections.abc import Sequence

from kgbuild.store.neo4j_store import cypher

VERSIONS = ("4.4", "5")
_FILES = r"""  --nodes=Phrase=phrases-header.csv,phrases.csv \
  --nodes=KgbuildMeta=meta-header.csv,meta.csv \
  --relationships=relationships-header.csv,relationships.csv \
  --delimiter=, --quote='"' --multiline-fields=true --bad-tolerance=0"""


def _script(version: str, command: str) -> str:
    return f"""#!/bin/sh
# Imports this bundle into a database of Neo4j {version} that is stopped or new:
#   {f"./import-{version}.sh"} [DATABASE] [OPTION...]
# DATABASE is neo4j unless you name another; options such as --verbose go on to neo4j-admin.
# NEO4J_ADMIN names another neo4j-admin than the one on the PATH.
set -eu
# Relative names: a path of yours may hold commas, which neo4j-admin would split.
cd "$(dirname "$0")"
database="${{1:-neo4j}}"
[ "$#" -eq 0 ] || shift
{command} \\
{_FILES} "$@" {'"$database"' if version == "5" else ""}
""".replace(' "$@" \n', ' "$@"\n')


SCRIPTS = {
    "import-4.4.sh": _script(
        "4.4", 'exec "${NEO4J_ADMIN:-neo4j-admin}" import --database="$database"'
    ),
    "import-5.sh": _script("5", 'exec "${NEO4J_ADMIN:-neo4j-admin}" database import full'),
}

README = """# A kgbuild graph for neo4j-admin

1. Stop the server, or choose a database that is not there yet.
2. `./import-5.sh [DATABASE]` for Neo4j 5, `./import-4.4.sh [DATABASE]` for Neo4j 4.4. A database
   that exists is replaced with `--overwrite-destination` (5) or `--force` (4.4) behind its name.
3. Start the server and run `cypher-shell -f constraints-5.cypher` (or `-4.4`): the constraints and
   indexes that `kgbuild push` makes, and makes itself where they are missing.

Nodes are `(:Phrase {id, text, kind})`, those that head an edge also `:Event` or `:Concept`;
relationships bear the relation's name and the fields of an edge: the graph that `kgbuild push`
writes. kgbuild itself reads it from Neo4j 5.13 or newer. `*-header.csv` name the columns of the
file beside them.
"""


def constraints(version: str, relations: Sequence[str]) -> str:
    """Give the constraints and indexes of the Neo4j store as a Cypher script.

    Neo4j 4.4 knows no constraint that keeps a relationship from being there twice.
    """
    statements = list(cypher.CONSTRAINTS.values())
    if version != "4.4":
        statements += [cypher.one_edge(relation) for relation in relations]
    return "".join(f"{text};\n" for text in [*statements, *cypher.LATE_INDEXES.values()])
