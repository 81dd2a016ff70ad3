"""The knobs of servers: of Neo4j, spoken to and run here, and of the labelling page.

No sections of a build, since a graph is pushed, and its triples judged, when it is built already.
"""

from __future__ import annotations

from pydantic import Field

from kgbuild.core.config import Section


class Neo4jConfig(Section):
    """How a Neo4j server is spoken to."""

    batch_edges: int = Field(
        default=10_000, ge=1, description="The most edges of one transaction, held in its memory"
    )
    connect_seconds: int = Field(default=10, ge=1, description="Patience with the first answer")
    retry_seconds: int = Field(
        default=120, ge=0, description="How long a transaction is tried again while it is away"
    )


class ServerConfig(Section):
    """The Neo4j server that `kgbuild neo4j start` runs on this machine."""

    bolt_port: int = Field(default=0, ge=0, le=65535, description="Port of Bolt; 0 is a free one")
    http_port: int = Field(
        default=0, ge=0, le=65535, description="Port of the Browser; 0 is a free one"
    )
    heap_megabytes: int = Field(default=1024, ge=256, description="Memory of the server's heap")
    page_cache_megabytes: int = Field(default=256, ge=16, description="Memory for the data files")
    start_seconds: int = Field(default=180, ge=1, description="Patience until Bolt answers")


class PageConfig(Section):
    """The labelling page that `kgbuild serve` gives a browser."""

    host: str = Field(
        default="127.0.0.1", description="Address to listen on; loopback is this machine alone"
    )
    port: int = Field(default=0, ge=0, le=65535, description="Port of the page; 0 is a free one")
    max_body_bytes: int = Field(
        default=16_384, ge=1_024, description="A form with more than this is refused unread"
    )
