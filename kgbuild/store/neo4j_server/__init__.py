"""Runs a real Neo4j Community server on this machine, without Docker or root.

Reads `tools/neo4j/pom.xml`; writes the server's jars into the user's cache, once, and everything
else into one folder, the server's home. Refuses to touch a server that it did not start: a process
is ours only if its command line bears the secret mark that its home keeps. Its doors are
`start_server`, `stop_server` and `server_status`.
"""

from __future__ import annotations

from kgbuild.store.neo4j_server.control import (
    run_admin,
    server_status,
    start_server,
    stop_server,
)
from kgbuild.store.neo4j_server.home import ServerHome, default_home
from kgbuild.store.neo4j_server.jars import fetch_jars, find_java
from kgbuild.store.neo4j_server.records import Server

__all__ = [
    "Server",
    "ServerHome",
    "default_home",
    "fetch_jars",
    "find_java",
    "run_admin",
    "server_status",
    "start_server",
    "stop_server",
]
